"""KINORA_MASTER_KEY: what secrets are kept under, and what other keys are derived from."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

KEY_BYTES: Final = 32
_NONCE_BYTES: Final = 12


@dataclass(frozen=True, slots=True)
class Seal:
    """AES-256-GCM under a master key. The first of `keys` seals, all of them open: a new key is
    put before the old one, and the old one goes when nothing is left that it sealed."""

    keys: tuple[bytes, ...]

    @classmethod
    def read(cls, env: Mapping[str, str]) -> Seal:
        """KINORA_MASTER_KEY: base64 of 32 bytes; several are separated by commas.

        Raises ValueError where it is missing or wrong; the message does not repeat it.
        """
        given = env.get("KINORA_MASTER_KEY", "")
        if not given:
            raise ValueError("KINORA_MASTER_KEY is not set")
        keys = []
        for text in given.split(","):
            try:
                key = base64.b64decode(text.strip(), validate=True)
            except binascii.Error:
                key = b""
            if len(key) != KEY_BYTES:
                raise ValueError(f"KINORA_MASTER_KEY must be base64 of {KEY_BYTES} bytes")
            keys.append(key)
        return cls(tuple(keys))

    def seal(self, secret: bytes, *, about: str, nonce: bytes) -> str:
        """`secret` so that only the key opens it, and only for the same `about`.

        `nonce` are 12 bytes that are never used twice (`secrets.token_bytes(12)`).
        """
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        if len(nonce) != _NONCE_BYTES:
            raise ValueError(f"a nonce has {_NONCE_BYTES} bytes")
        sealed = AESGCM(self.keys[0]).encrypt(nonce, secret, about.encode())
        return base64.b64encode(nonce + sealed).decode()

    def open(self, sealed: str, *, about: str) -> bytes:
        """Raises ValueError when no key opens it, or it was sealed about something else."""
        from cryptography.exceptions import InvalidTag
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        data = base64.b64decode(sealed)
        for key in self.keys:
            try:
                return AESGCM(key).decrypt(data[:_NONCE_BYTES], data[_NONCE_BYTES:], about.encode())
            except InvalidTag:
                continue
        raise ValueError("no master key opens this")

    def key_for(self, purpose: str) -> bytes:
        """32 bytes for one purpose alone (HKDF-SHA256, RFC 5869)."""
        return self.keys_for(purpose)[0]

    def keys_for(self, purpose: str) -> tuple[bytes, ...]:
        """The same from every master key: the first signs, all of them verify."""
        from cryptography.hazmat.primitives.hashes import SHA256
        from cryptography.hazmat.primitives.kdf.hkdf import HKDF

        return tuple(
            HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=None, info=purpose.encode()).derive(key)
            for key in self.keys
        )
