"""JSON Web Tokens: only what the configured issuer signed, for us, and for now."""

from __future__ import annotations

import base64
import json
import time
from typing import Any, Final

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

from eventing.errors import Unavailable
from functions.gateway.access.token import FLOOR_S, KEPT_S, Invalid, Issuer, Tokens, usable
from tests.fakes import ManualClock
from tests.gateway import Gateway

RSA: Final = rsa.generate_private_key(public_exponent=65537, key_size=2048)
EC: Final = ec.generate_private_key(ec.SECP256R1())
OTHER: Final = ec.generate_private_key(ec.SECP256R1())
ISSUER: Final = Issuer(jwks="", name="https://idp.example/", audience="kinora")


def jwk(key: Any, kid: str, **changes: Any) -> dict[str, Any]:
    algorithm = RSAAlgorithm if isinstance(key, rsa.RSAPrivateKey) else ECAlgorithm
    return {**json.loads(algorithm.to_jwk(key.public_key())), "kid": kid, **changes}


KEYS: Final = {"keys": [jwk(RSA, "r"), jwk(EC, "e")]}


class Provider:
    """An identity provider that may be away, and counts who asks it."""

    def __init__(self, document: Any = KEYS) -> None:
        self.document = document
        self.away = False
        self.asked = 0

    def __call__(self) -> bytes:
        self.asked += 1
        if self.away:
            raise Unavailable("the provider is away")
        return json.dumps(self.document).encode()


def claims(**changes: Any) -> dict[str, Any]:
    said = {
        "iss": ISSUER.name,
        "aud": ISSUER.audience,
        "exp": time.time() + 60,
        "tenant": "acme",
        "scope": "jobs:read openid",
        "sub": "someone",
        **changes,
    }
    return {name: value for name, value in said.items() if value is not None}


def signed(key: Any = EC, *, alg: str = "ES256", kid: str | None = "e", **changes: Any) -> str:
    headers = {"kid": kid} if kid is not None else {}
    return jwt.encode(claims(**changes), key, algorithm=alg, headers=headers)


def tokens(provider: Provider | None = None, *, clock: ManualClock | None = None) -> Tokens:
    return Tokens(ISSUER, provider or Provider(), clock=clock or ManualClock())


@pytest.mark.parametrize(("key", "alg", "kid"), [(RSA, "RS256", "r"), (EC, "ES256", "e")])
def test_a_token_of_the_issuer_says_tenant_and_scopes(key: Any, alg: str, kid: str) -> None:
    token = tokens().read(signed(key, alg=alg, kid=kid))
    assert (token.tenant, token.scopes, token.subject) == (
        "acme",
        frozenset({"jobs:read"}),
        "token:someone",
    )


def test_scopes_may_be_a_list_or_missing() -> None:
    assert tokens().read(signed(scope=["jobs:write", 1])).scopes == {"jobs:write"}
    assert tokens().read(signed(scope=None)).scopes == frozenset()


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"exp": time.time() - 60}, "expired"),
        ({"exp": None}, "lacks the claim `exp`"),
        ({"nbf": time.time() + 3600}, "not valid yet"),
        ({"iss": "https://evil.example/"}, "another issuer"),
        ({"iss": None}, "`iss`"),
        ({"aud": "somebody else"}, "another audience"),
        ({"aud": None}, "`aud`"),
        ({"tenant": None}, "names no tenant"),
        ({"tenant": "../acme"}, "names no tenant"),
        ({"tenant": "acme\n"}, "names no tenant"),
        ({"tenant": ["acme"]}, "names no tenant"),
    ],
)
def test_a_token_that_is_not_for_us_and_now_is_none(changes: dict[str, Any], why: str) -> None:
    with pytest.raises(Invalid, match=why):
        tokens().read(signed(**changes))


def test_clocks_may_be_a_little_apart() -> None:
    assert tokens().read(signed(exp=time.time() - 5, nbf=time.time() + 5))


def test_a_signature_by_another_key_is_wrong() -> None:
    with pytest.raises(Invalid, match="signature"):
        tokens().read(signed(OTHER))


def test_a_token_names_a_key_of_the_issuer() -> None:
    with pytest.raises(Invalid, match="not one of the issuer's"):
        tokens().read(signed(kid="x"))
    with pytest.raises(Invalid, match="names no key"):
        tokens().read(signed(kid=None))


def test_a_public_key_is_no_shared_secret() -> None:
    """RFC 8725, section 2.1: HS256 keyed by the text of the public key."""
    public = RSA.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    header = base64.urlsafe_b64encode(b'{"alg":"HS256","kid":"r"}').rstrip(b"=")
    body = base64.urlsafe_b64encode(json.dumps(claims()).encode()).rstrip(b"=")
    import hashlib
    import hmac

    mac = hmac.new(public, header + b"." + body, hashlib.sha256).digest()
    forged = header + b"." + body + b"." + base64.urlsafe_b64encode(mac).rstrip(b"=")
    with pytest.raises(Invalid, match="RS256 or ES256"):
        tokens().read(forged.decode())


def test_a_token_without_a_signature_is_none() -> None:
    unsigned = jwt.encode(claims(), "", algorithm="none", headers={"kid": "e"})
    with pytest.raises(Invalid, match="RS256 or ES256"):
        tokens().read(unsigned)


def test_a_key_is_used_with_its_own_algorithm_alone() -> None:
    with pytest.raises(Invalid, match="not that of its key"):
        tokens().read(signed(EC, alg="ES256", kid="r"))


@pytest.mark.parametrize("text", ["", "x", "a.b.c", "kinora", "é.é.é", "." * 5])
def test_what_is_no_token_is_none(text: str) -> None:
    with pytest.raises(Invalid):
        tokens().read(text)


def test_keys_that_cannot_have_signed_a_token_are_left_out() -> None:
    small = rsa.generate_private_key(public_exponent=65537, key_size=1024)
    p384 = ec.generate_private_key(ec.SECP384R1())
    document = {
        "keys": [
            jwk(EC, "good"),
            jwk(EC, "for encryption", use="enc"),
            jwk(RSA, "other algorithm", alg="RS512"),
            jwk(small, "too small"),
            jwk(p384, "other curve"),
            {"kty": "oct", "k": "c2VjcmV0", "kid": "secret"},
            {"kty": "RSA", "kid": "broken"},
            {"kty": "EC"},
            "nothing",
        ]
    }
    assert set(usable(document)) == {"good"}
    with pytest.raises(ValueError, match="no JWK set"):
        usable([])


def test_keys_are_asked_for_once_and_again_when_they_are_old() -> None:
    provider, clock = Provider(), ManualClock()
    found = tokens(provider, clock=clock)
    for _ in range(3):
        found.read(signed())
    assert provider.asked == 1
    clock.advance(KEPT_S)
    found.read(signed())
    assert provider.asked == 2


def test_a_new_key_is_found_and_unknown_ones_cost_the_provider_little() -> None:
    provider, clock = Provider({"keys": [jwk(RSA, "r")]}), ManualClock()
    found = tokens(provider, clock=clock)
    found.read(signed(RSA, alg="RS256", kid="r"))
    for _ in range(5):
        with pytest.raises(Invalid):
            found.read(signed())
    assert provider.asked == 1
    provider.document = KEYS
    clock.advance(FLOOR_S)
    assert found.read(signed())
    assert provider.asked == 2


def test_a_provider_that_is_away_is_missed_only_where_its_keys_are_not_known() -> None:
    provider, clock = Provider(), ManualClock()
    found = tokens(provider, clock=clock)
    found.read(signed())
    provider.away = True
    clock.advance(KEPT_S)
    assert found.read(signed())
    with pytest.raises(Unavailable):
        tokens(provider).read(signed())


def test_tokens_and_keys_are_taken_side_by_side() -> None:
    gateway = Gateway(tokens=tokens())
    job = gateway.job()
    visitor = gateway.visitor()
    shown = {"authorization": f"Bearer {signed()}"}
    assert visitor.get(f"/api/v1/jobs/{job}", headers=shown).status_code == 200
    assert visitor.post(f"/api/v1/jobs/{job}/cancel", headers=shown).status_code == 403
    wrong = visitor.get("/api/v1/jobs", headers={"authorization": f"Bearer {signed(OTHER)}"})
    assert wrong.status_code == 401
    assert "its signature is wrong" in wrong.json()["detail"]
    assert gateway.client().get(f"/api/v1/jobs/{job}").status_code == 200
