"""The object store of an installation, reached from outside the cluster."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final
from urllib.parse import urlsplit

from eventing.errors import Unavailable
from functions.adapters.s3.account import Account, Buckets
from functions.adapters.s3.store import S3Store
from knative.operating import kinds
from knative.operating.cluster import Cluster
from knative.operating.tunnel import Tunnel

READER: Final = "sweeper"
"""Whose keys are borrowed: it may read what jobs and the parked events are, and no secret."""
REPORTER: Final = "gateway"
"""Who may read outputs."""


@contextmanager
def store(cluster: Cluster, namespace: str, function: str = READER) -> Iterator[S3Store]:
    """With the keys of a function, and its rights. Raises Unavailable where one is missing."""
    settings = (cluster.get(kinds.CONFIG_MAP, "kinora-settings", namespace) or {}).get("data", {})
    buckets = settings.get("store", "")
    if not buckets:
        raise Unavailable(f"nothing is installed in {namespace}: it has no kinora-settings")
    access_key, secret_key = _keys(cluster, namespace, function)

    def account(endpoint: str) -> Account:
        return Account.read(
            {
                "AWS_ENDPOINT_URL_S3": endpoint,
                "AWS_REGION": settings.get("store-region", ""),
                "AWS_ACCESS_KEY_ID": access_key,
                "AWS_SECRET_ACCESS_KEY": secret_key,
                "KINORA_S3_ATTEMPTS": "1",
            }
        )

    endpoint = settings.get("store-endpoint", "")
    address = urlsplit(endpoint)
    service = (address.hostname or "").partition(".")[0]
    if service and cluster.get(kinds.CORE_SERVICE, service, namespace) is not None:
        with Tunnel(cluster, namespace, service, address.port or 80) as tunnel:
            yield S3Store(account(f"http://{tunnel.address}"), Buckets.at(buckets))
    else:
        # A service elsewhere: that of AWS, or one that people reach as pods do.
        yield S3Store(account(endpoint), Buckets.at(buckets))


def _keys(cluster: Cluster, namespace: str, function: str) -> tuple[str, str]:
    name = f"kinora-store-{function}"
    held = (cluster.get(kinds.SECRET, name, namespace) or {}).get("data", {})
    try:
        access_key, secret_key = (
            base64.b64decode(held[key]).decode() for key in ("access-key", "secret-key")
        )
    except KeyError:
        raise Unavailable(f"there is no Secret {name} in {namespace}") from None
    return access_key, secret_key
