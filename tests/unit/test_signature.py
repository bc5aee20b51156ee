"""Signatures: what independent receivers accept, and nothing else."""

from __future__ import annotations

import base64
import time
from datetime import UTC, datetime

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from functions.webhooks.signature import SECRET_BYTES, Key, headers

ID = "0123456789abcdef" * 2
SECRET = bytes(range(SECRET_BYTES))
OTHER = bytes(range(1, SECRET_BYTES + 1))
BODY = b'{"data":{"name":"\xc3\xbc"}}'


def v1(secret: bytes = SECRET) -> Key:
    return Key(scheme="v1", secret=secret)


def v1a(secret: bytes = SECRET) -> Key:
    return Key(scheme="v1a", secret=secret)


def signed(*keys: Key, body: bytes = BODY, now_s: float | None = None) -> dict[str, str]:
    return headers(keys, id=ID, body=body, now_s=time.time() if now_s is None else now_s)


def test_the_packages_verifier_accepts_a_signature() -> None:
    assert Webhook(v1().shown).verify(BODY, signed(v1())) == {"data": {"name": "ü"}}


def test_the_packages_signer_makes_the_same_signature() -> None:
    now_s = 1_800_000_000.9
    theirs = Webhook(v1().shown).sign(ID, datetime.fromtimestamp(now_s, UTC), BODY.decode())
    assert signed(v1(), now_s=now_s)["webhook-signature"] == theirs
    assert signed(v1(), now_s=now_s)["webhook-timestamp"] == "1800000000"


@pytest.mark.parametrize("changed", ["body", "id", "timestamp", "secret"])
def test_whatever_is_changed_is_not_accepted(changed: str) -> None:
    made = signed(v1())
    body, secret = BODY, v1().shown
    match changed:
        case "body":
            body += b" "
        case "id":
            made["webhook-id"] = ID[::-1]
        case "timestamp":
            made["webhook-timestamp"] = str(int(made["webhook-timestamp"]) + 1)
        case "secret":
            secret = v1(OTHER).shown
    with pytest.raises(WebhookVerificationError):
        Webhook(secret).verify(body, made)


def test_during_a_rotation_either_secret_is_accepted() -> None:
    made = signed(v1(OTHER), v1())
    for key in (v1(), v1(OTHER)):
        Webhook(key.shown).verify(BODY, made)
    assert len(made["webhook-signature"].split(" ")) == 2


def test_a_receiver_of_v1_skips_v1a() -> None:
    for keys in ((v1a(), v1()), (v1(), v1a())):
        Webhook(v1().shown).verify(BODY, signed(*keys))


def test_every_signature_has_one_comma_and_no_space() -> None:
    # The package's verifier raises a plain ValueError for any other.
    for each in signed(v1(), v1a(), v1(OTHER))["webhook-signature"].split(" "):
        assert each.count(",") == 1


@given(st.binary(max_size=300), st.binary(min_size=24, max_size=64))
def test_any_body_and_any_secret_of_the_specification_are_signed_alike(
    body: bytes, secret: bytes
) -> None:
    text = base64.b64encode(body)
    made = signed(v1(secret), body=text)
    Webhook(v1(secret).shown).verify(text, made, json_parse=False)


def test_a_public_key_verifies_v1a() -> None:
    made = signed(v1a())
    scheme, _, text = made["webhook-signature"].partition(",")
    assert scheme == "v1a"
    prefix, _, public = v1a().public.partition("_")
    assert prefix == "whpk"
    content = f"{ID}.{made['webhook-timestamp']}.".encode() + BODY
    key = Ed25519PublicKey.from_public_bytes(base64.b64decode(public))
    key.verify(base64.b64decode(text), content)
    with pytest.raises(InvalidSignature):
        key.verify(base64.b64decode(text), content + b" ")


def test_of_a_private_key_only_its_public_half_is_shown() -> None:
    assert v1a().shown == v1a().public
    assert base64.b64encode(SECRET).decode() not in v1a().shown
    assert v1().public == ""
    assert v1().shown == f"whsec_{base64.b64encode(SECRET).decode()}"


@pytest.mark.parametrize("id", ["", "a.b", "ü", "a\nb"])
def test_an_id_that_would_make_two_messages_one_is_refused(id: str) -> None:
    with pytest.raises(ValueError, match="webhook-id"):
        headers([v1()], id=id, body=BODY, now_s=0)
