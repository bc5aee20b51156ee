"""A browser that was shown a key: a signed cookie that names the key and holds nothing of it.

The key's record is looked at with every request, so a revoked key ends its sessions too.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from dataclasses import dataclass
from typing import Final

from functions.jobs.seal import Seal

COOKIE: Final = "kinora_session"
_PURPOSE: Final = "gateway session"
_TEXT: Final = re.compile(
    r"([a-z0-9][a-z0-9-]{0,62})\.([0-9a-f]{16})\.(\d{1,12})\.([A-Za-z0-9_-]{43})"
)


@dataclass(frozen=True, slots=True)
class Session:
    tenant: str
    key_id: str
    expires_s: int


class Sessions:
    """Signs and reads the cookie (HMAC-SHA256 under keys derived from the master keys)."""

    def __init__(self, seal: Seal) -> None:
        self._seal = seal
        self._keys: tuple[bytes, ...] = ()

    def text(self, session: Session) -> str:
        """The cookie's value."""
        said = f"{session.tenant}.{session.key_id}.{session.expires_s}"
        return f"{said}.{_mac(self._signing_keys()[0], said)}"

    def read(self, text: str, *, now_s: float) -> Session | None:
        """The session in a cookie's value, None for one that is over or none of ours."""
        found = _TEXT.fullmatch(text)
        if found is None:
            return None
        said, mac = text.rpartition(".")[::2]
        if not any(hmac.compare_digest(_mac(key, said), mac) for key in self._signing_keys()):
            return None
        session = Session(found[1], found[2], int(found[3]))
        return session if session.expires_s > now_s else None

    def _signing_keys(self) -> tuple[bytes, ...]:
        # Deriving them costs an import and a hash: once a process, and not before it is needed.
        if not self._keys:
            self._keys = self._seal.keys_for(_PURPOSE)
        return self._keys


def _mac(key: bytes, said: str) -> str:
    mac = hmac.new(key, said.encode(), hashlib.sha256).digest()
    return base64.urlsafe_b64encode(mac).rstrip(b"=").decode()
