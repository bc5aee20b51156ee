"""An S3 service behind a certificate of one's own authority."""

from __future__ import annotations

import ssl
from pathlib import Path

import pytest

from eventing.errors import Unavailable
from functions.adapters.s3.account import Account, Buckets
from functions.adapters.s3.store import S3Store
from tests import servers
from tests.certificates import self_signed
from tests.s3_buckets import fresh_buckets
from tests.s3_proxy import proxy_before

pytestmark = pytest.mark.servers


def test_a_bundle_of_certificates_is_trusted_and_without_it_nobody_is(
    minio_server: servers.Minio, tmp_path: Path
) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate, key = self_signed(tmp_path)
    context.load_cert_chain(certificate, key)
    location = fresh_buckets(minio_server)
    with proxy_before(minio_server, tls=context) as proxy:
        trusting = {**proxy.environment, "AWS_CA_BUNDLE": str(certificate)}
        store = S3Store(Account.read(trusting), Buckets.at(location))
        body = bytes(1_000_000)
        assert store.create("work/a", body)
        assert store.get("work/a") == body
        wary = S3Store(Account.read(proxy.environment), Buckets.at(location))
        with pytest.raises(Unavailable, match="CERTIFICATE_VERIFY_FAILED"):
            wary.get("work/a")
    with pytest.raises(ValueError, match="AWS_CA_BUNDLE"):
        S3Store(Account.read({**trusting, "AWS_CA_BUNDLE": "/nowhere"}), Buckets.at(location))
