"""Buckets for one test, and the view of them that the MinIO SDK has."""

from __future__ import annotations

import itertools
from typing import Final

from minio import Minio
from minio.commonconfig import ENABLED
from minio.versioningconfig import VersioningConfig

from tests import servers

_NUMBERS: Final = itertools.count()


def client(server: servers.Minio) -> Minio:
    return Minio(
        f"127.0.0.1:{server.port}",
        access_key=servers.ACCESS_KEY,
        secret_key=servers.SECRET_KEY,
        secure=False,
        region="us-east-1",
    )


def fresh_buckets(server: servers.Minio, *, versioned: bool = False) -> str:
    """Three empty buckets that nobody else has: the address of the store in them."""
    prefix = f"test{next(_NUMBERS)}"
    sdk = client(server)
    for name in ("uploads", "work", "media"):
        sdk.make_bucket(f"{prefix}-{name}")
        if versioned:
            sdk.set_bucket_versioning(f"{prefix}-{name}", VersioningConfig(ENABLED))
    return f"s3://{prefix}"
