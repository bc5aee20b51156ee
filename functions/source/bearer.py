"""Who may notify us: whoever knows one of the tokens, compared in constant time."""

from __future__ import annotations

import binascii
import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass

from eventing.codec import Headers


@dataclass(frozen=True, slots=True)
class Bearer:
    """`tokens` may be several, while an old one is replaced; without any, everybody is let in."""

    tokens: tuple[str, ...]

    def __call__(self, headers: Headers) -> bool:
        """True for `Authorization: Bearer <token>`, and for `Basic` with the token as the
        password, which is all that Amazon SNS can send (it stands in the endpoint's address)."""
        if not self.tokens:
            return True
        pairs = headers.items() if isinstance(headers, Mapping) else headers
        given = [value for name, value in pairs if name.lower() == "authorization"]
        if len(given) != 1:
            return False
        shown = _sha256(_token(given[0]))
        # Every token is compared, and hashes are of one length: time tells nothing.
        found = [hmac.compare_digest(shown, _sha256(token)) for token in self.tokens]
        return any(found)


def _token(authorization: str) -> str:
    """What the header holds besides its scheme, "" where that is of another kind."""
    scheme, _, value = authorization.strip().partition(" ")
    if scheme.lower() == "bearer":
        return value.strip()
    if scheme.lower() == "basic":
        try:
            plain = binascii.a2b_base64(value.strip(), strict_mode=True).decode()
        except ValueError:
            return ""
        return plain.partition(":")[2]
    return ""


def _sha256(token: str) -> bytes:
    return hashlib.sha256(token.encode(errors="replace")).digest()
