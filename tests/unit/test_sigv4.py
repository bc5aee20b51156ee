"""Signatures are those of the examples that AWS publishes.

https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html and
https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping

import pytest

from functions.adapters.s3.signature import Signer, percent

SIGNER = Signer(
    access_key="AKIAIOSFODNN7EXAMPLE",
    secret_key="wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
    region="us-east-1",
)
NOW_S = 1_369_353_600.0
"""2013-05-24T00:00:00Z."""
ROOT = "https://examplebucket.s3.amazonaws.com"
EMPTY = hashlib.sha256(b"").hexdigest()


@pytest.mark.parametrize(
    ("path", "headers", "signature"),
    [
        (
            "/test.txt",
            {"Range": "bytes=0-9"},
            "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41",
        ),
        (
            "/?lifecycle=",
            {},
            "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543",
        ),
        (
            "/?max-keys=2&prefix=J",
            {},
            "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7",
        ),
    ],
)
def test_a_request_is_signed_as_in_the_examples(
    path: str, headers: Mapping[str, str], signature: str
) -> None:
    signed = SIGNER.headers("GET", ROOT + path, headers, body_sha256=EMPTY, now_s=NOW_S)
    assert signed["authorization"].endswith(f"Signature={signature}")
    assert signed["x-amz-date"] == "20130524T000000Z"


def test_a_url_is_signed_as_in_the_example() -> None:
    url = SIGNER.url("GET", f"{ROOT}/test.txt", {}, ttl_s=86400, now_s=NOW_S)
    assert url == (
        f"{ROOT}/test.txt?X-Amz-Algorithm=AWS4-HMAC-SHA256"
        "&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request"
        "&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host"
        "&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404"
    )


def test_a_form_says_until_when_and_for_what_it_is_good() -> None:
    fields = SIGNER.form({"key": "a/b"}, [["content-length-range", 1, 9]], ttl_s=60, now_s=NOW_S)
    policy = json.loads(base64.b64decode(fields["policy"]))
    assert policy["expiration"] == "2013-05-24T00:01:00.000Z"
    assert ["content-length-range", 1, 9] in policy["conditions"]
    for name in fields.keys() - {"policy", "x-amz-signature"}:
        assert ["eq", f"${name}", fields[name]] in policy["conditions"]


def test_a_session_token_is_part_of_what_is_signed() -> None:
    signer = Signer(access_key="A", secret_key="S", session_token="T/+=", region="r")
    headers = signer.headers("GET", ROOT, {}, body_sha256=EMPTY, now_s=NOW_S)
    assert headers["x-amz-security-token"] == "T/+="
    assert "x-amz-security-token" in headers["authorization"]
    assert "X-Amz-Security-Token=T%2F%2B%3D" in signer.url("GET", ROOT, {}, ttl_s=1, now_s=NOW_S)
    assert signer.form({}, [], ttl_s=1, now_s=NOW_S)["x-amz-security-token"] == "T/+="


def test_secrets_are_not_shown() -> None:
    assert "wJalr" not in repr(SIGNER)


def test_everything_but_unreserved_characters_is_encoded() -> None:
    assert percent("a-_.~/é +*'") == "a-_.~%2F%C3%A9%20%2B%2A%27"
    assert percent("a/b", slash=True) == "a/b"
