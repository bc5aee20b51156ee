"""Signatures of Standard Webhooks: what a receiver verifies a delivery with. Pure.

github.com/standard-webhooks/standard-webhooks, spec/standard-webhooks.md: signed is
`<webhook-id>.<webhook-timestamp>.<body>`; v1 is HMAC-SHA256, v1a is ed25519.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from functions.webhooks.endpoint import Scheme

SECRET_BYTES: Final = 32
"""Of what is made here. The specification takes 24 to 64; a private key of ed25519 has 32."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """What one signature is made with: a shared secret, or the seed of a private key."""

    scheme: Scheme
    secret: bytes

    @property
    def shown(self) -> str:
        """What the receiver is given, once: `whsec_…`, or the public key `whpk_…`."""
        return self.public or f"whsec_{_text(self.secret)}"

    @property
    def public(self) -> str:
        """`whpk_…`, "" for a shared secret. It is no secret."""
        if self.scheme == "v1":
            return ""
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

        private = Ed25519PrivateKey.from_private_bytes(self.secret)
        return f"whpk_{_text(private.public_key().public_bytes_raw())}"

    def sign(self, content: bytes) -> str:
        """One element of `webhook-signature`."""
        if self.scheme == "v1":
            return f"v1,{_text(hmac.digest(self.secret, content, hashlib.sha256))}"
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

        private = Ed25519PrivateKey.from_private_bytes(self.secret)
        return f"v1a,{_text(private.sign(content))}"


def headers(keys: Sequence[Key], *, id: str, body: bytes, now_s: float) -> dict[str, str]:
    """The headers of an attempt that is made now. Raises ValueError for an id with a dot, which
    would let one message's signature be another's."""
    if "." in id or not id.isascii() or not id.isprintable() or not id:
        raise ValueError(f"no webhook-id: {id!r}")
    at = str(int(now_s))
    content = b".".join((id.encode(), at.encode(), body))
    return {
        "webhook-id": id,
        "webhook-timestamp": at,
        "webhook-signature": " ".join(key.sign(content) for key in keys),
    }


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()
