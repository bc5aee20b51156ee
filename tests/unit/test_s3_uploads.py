"""Where clients are sent with what is signed for them."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from functions.adapters.s3.account import Account, Buckets
from functions.adapters.s3.uploads import S3Uploads

KEYS = {"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "s"}


@pytest.mark.parametrize(
    ("env", "origin"),
    [
        ({}, "https://kinora-uploads.s3.us-east-1.amazonaws.com"),
        ({"AWS_ENDPOINT_URL": "http://minio:9000"}, "http://minio:9000"),
        (
            {
                "AWS_ENDPOINT_URL": "http://minio:9000",
                "KINORA_S3_PUBLIC_ENDPOINT": "https://S3.example",
            },
            "https://s3.example",
        ),
        (
            {"AWS_ENDPOINT_URL": "https://s3.example", "KINORA_S3_PATH_STYLE": "0"},
            "https://kinora-uploads.s3.example",
        ),
    ],
)
def test_the_origin_is_that_of_what_is_signed(env: Mapping[str, str], origin: str) -> None:
    uploads = S3Uploads(Account.read({**KEYS, **env}), Buckets("kinora"))
    assert uploads.origin == origin
    key = "uploads/acme/film.mp4"
    part = uploads.sign_part(key, "u", 1, size_bytes=1, ttl_s=60)
    form = uploads.sign_post(key, max_bytes=1, ttl_s=60)
    for url in (part, form.url):
        assert f"{url}/".lower().startswith(f"{origin}/")
