"""JSON Web Tokens of an identity provider: RFC 7519, kept to what RFC 8725 advises.

Which algorithm counts is ours to say and follows from the key; a token names only its key.
`jwt` is imported with the first token: a gateway that takes none does not wait for it.
"""

from __future__ import annotations

import json
import logging
import re
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from functions import environment
from functions.jobs.apikey import SCOPES

if TYPE_CHECKING:
    import jwt

_log = logging.getLogger(__name__)

LEEWAY_S: Final = 30.0
"""How far clocks may be apart."""
KEPT_S: Final = 600.0
"""How long a key set is believed."""
FLOOR_S: Final = 30.0
"""Between two looks at the key set, however many tokens name keys that are not in it."""
_ALGORITHMS: Final = {"RSA": "RS256", "EC": "ES256"}
_MIN_RSA_BITS: Final = 2048
_MAX_KEYS: Final = 100
_TENANT: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Issuer:
    """Whose tokens are believed."""

    jwks: str
    """KINORA_JWT_JWKS: where the keys of an identity provider are, whose tokens are taken beside
    API keys: a URL or a file, a JWK set. Default: no tokens are taken."""
    name: str
    """KINORA_JWT_ISSUER: what `iss` of a token has to be."""
    audience: str
    """KINORA_JWT_AUDIENCE: what `aud` of a token has to hold."""
    tenant_claim: str = "tenant"
    """KINORA_JWT_TENANT_CLAIM: the claim that names the tenant. Default: `tenant`."""
    scope_claim: str = "scope"
    """KINORA_JWT_SCOPE_CLAIM: the claim that holds scopes, as words in a text or a list.
    Default: `scope`."""

    @classmethod
    def read(cls, env: Mapping[str, str]) -> Issuer | None:
        """None where tokens are not wanted. Raises ValueError for what is missing."""
        jwks = env.get("KINORA_JWT_JWKS", "")
        if not jwks:
            return None
        return cls(
            jwks=jwks,
            name=environment.text(env, "KINORA_JWT_ISSUER"),
            audience=environment.text(env, "KINORA_JWT_AUDIENCE"),
            tenant_claim=env.get("KINORA_JWT_TENANT_CLAIM") or "tenant",
            scope_claim=env.get("KINORA_JWT_SCOPE_CLAIM") or "scope",
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """What a valid token says."""

    tenant: str
    scopes: frozenset[str]
    subject: str


class Invalid(Exception):
    """The token counts for nothing; the text says why, for the log and for its bearer."""


class Tokens:
    """Checks tokens of one issuer. Safe to share between threads."""

    def __init__(
        self,
        issuer: Issuer,
        fetch: Callable[[], bytes],
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`fetch` brings the key set, a JSON text; it raises Unavailable."""
        self._issuer = issuer
        self._keys = KeySet(fetch, clock=clock)

    def read(self, text: str) -> Token:
        """What the token says. Raises Invalid, and Unavailable where the keys cannot be had."""
        import jwt

        try:
            header = jwt.get_unverified_header(text)
        except jwt.InvalidTokenError as error:
            raise Invalid("it is no JSON Web Token") from error
        algorithm, kid = header.get("alg"), header.get("kid")
        if algorithm not in _ALGORITHMS.values():
            raise Invalid("it is not signed with RS256 or ES256")
        if not isinstance(kid, str) or not kid:
            raise Invalid("it names no key (`kid`)")
        key = self._keys.find(kid)
        if key is None:
            raise Invalid("its key is not one of the issuer's")
        if key.algorithm_name != algorithm:
            raise Invalid("its algorithm is not that of its key")
        try:
            claims = jwt.decode(
                text,
                key,
                algorithms=[key.algorithm_name],
                audience=self._issuer.audience,
                issuer=self._issuer.name,
                leeway=LEEWAY_S,
                options={"require": ["exp", "iss", "aud"]},
            )
        except jwt.InvalidTokenError as error:
            raise Invalid(_in_words(error)) from error
        return self._said(claims)

    def _said(self, claims: Mapping[str, Any]) -> Token:
        tenant = claims.get(self._issuer.tenant_claim)
        if not isinstance(tenant, str) or not _TENANT.fullmatch(tenant):
            raise Invalid(f"its claim `{self._issuer.tenant_claim}` names no tenant")
        subject = claims.get("sub")
        return Token(
            tenant=tenant,
            scopes=frozenset(_words(claims.get(self._issuer.scope_claim))) & frozenset(SCOPES),
            subject=f"token:{subject}"[:200] if isinstance(subject, str) else "token",
        )


class KeySet:
    """A JWK set (RFC 7517, section 5), read again when it is old or lacks a key."""

    def __init__(self, fetch: Callable[[], bytes], *, clock: Callable[[], float]) -> None:
        self._fetch = fetch
        self._clock = clock
        self._lock = threading.Lock()
        self._keys: Mapping[str, jwt.PyJWK] = {}
        self._tried_s = float("-inf")
        self._read_s = float("-inf")

    def find(self, kid: str) -> jwt.PyJWK | None:
        """The key of this id. Raises Unavailable where none were ever read and none can be."""
        now_s = self._clock()
        if kid in self._keys and now_s - self._read_s < KEPT_S:
            return self._keys[kid]
        # One thread asks; the others wait for what it brings.
        with self._lock:
            if self._clock() - self._tried_s >= FLOOR_S or not self._keys:
                self._renew()
        return self._keys.get(kid)

    def _renew(self) -> None:
        self._tried_s = self._clock()
        try:
            keys = usable(json.loads(self._fetch()))
        except Exception:
            # The provider's trouble is not a reason to forget its keys.
            if not self._keys:
                raise
            _log.warning("the issuer's keys cannot be read again", exc_info=True)
            return
        self._keys, self._read_s = keys, self._clock()


def usable(document: Any) -> dict[str, jwt.PyJWK]:
    """The keys of a JWK set that may have signed a token, by id. Raises ValueError for no set.

    Symmetric keys are left out whatever they say: who can read them could sign with them.
    """
    import jwt

    listed = document.get("keys") if isinstance(document, dict) else None
    if not isinstance(listed, list):
        raise ValueError("this is no JWK set")
    found: dict[str, jwt.PyJWK] = {}
    for each in listed[:_MAX_KEYS]:
        if not isinstance(each, dict) or not isinstance(each.get("kid"), str):
            continue
        algorithm = _ALGORITHMS.get(str(each.get("kty")))
        if algorithm is None or each.get("use", "sig") != "sig":
            continue
        if each.get("alg", algorithm) != algorithm:
            continue
        if algorithm == "ES256" and each.get("crv") != "P-256":
            continue
        try:
            key = jwt.PyJWK(each, algorithm)
        except jwt.InvalidKeyError:
            _log.warning(
                "a key of the issuer cannot be used", extra={"facts": {"kid": each["kid"]}}
            )
            continue
        if algorithm == "RS256" and key.key.key_size < _MIN_RSA_BITS:
            continue
        found[each["kid"]] = key
    return found


def _words(claim: object) -> Sequence[str]:
    if isinstance(claim, str):
        return claim.split()
    if isinstance(claim, list):
        return [each for each in claim if isinstance(each, str)]
    return ()


def _in_words(error: jwt.InvalidTokenError) -> str:
    import jwt

    match error:
        case jwt.ExpiredSignatureError():
            return "it has expired"
        case jwt.ImmatureSignatureError():
            return "it is not valid yet"
        case jwt.InvalidAudienceError():
            return "it is for another audience"
        case jwt.InvalidIssuerError():
            return "it is of another issuer"
        case jwt.MissingRequiredClaimError():
            return f"it lacks the claim `{error.claim}`"
        case jwt.InvalidSignatureError():
            return "its signature is wrong"
    return "it is not valid"
