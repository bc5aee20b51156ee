"""An address to listen on, as people write it."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Listen:
    """An address to listen on. Port 0 takes a free one."""

    host: str
    port: int

    @classmethod
    def parse(cls, text: str) -> Listen:
        """`127.0.0.1:8080`, `:8080` (this machine alone) or `8080`. Raises ValueError."""
        host, colon, port = text.rpartition(":")
        if not port.isascii() or not port.isdigit() or int(port) > 65535 or (colon and "/" in host):
            raise ValueError(f"`{text}` is no address to listen on, like 127.0.0.1:8080")
        return cls(host.strip("[]") or "127.0.0.1", int(port))

    @property
    def is_loopback(self) -> bool:
        """True if only this machine reaches it."""
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"
