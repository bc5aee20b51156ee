"""Sockets that give up in time, whatever the other side does: freeze, drip, never read."""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

_PIECE_BYTES: Final = 256 * 1024
_CONNECT_S: Final = 3.0
"""To one address: behind one that drops everything another may answer."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to wait for anything to move, and for everything to be done."""

    silence_s: float
    deadline_s: float
    """By the monotonic clock."""

    def left_s(self) -> float:
        """For the next step. Raises TimeoutError at the deadline."""
        left_s = min(self.silence_s, self.deadline_s - time.monotonic())
        if left_s <= 0:
            raise TimeoutError("timed out")
        return left_s


class Plain(socket.socket):
    """Each step of receiving and sending ends in time (TimeoutError)."""

    patience: Patience

    def recv_into(self, *args: Any, **kwargs: Any) -> int:
        self.settimeout(self.patience.left_s())
        return super().recv_into(*args, **kwargs)

    def sendall(self, data: Any, flags: int = 0, /) -> None:
        _in_pieces(self, data, self.patience, lambda piece: super(Plain, self).sendall(piece))


class Tls(ssl.SSLSocket):
    """The same over TLS."""

    patience: Patience

    def recv_into(self, *args: Any, **kwargs: Any) -> int:
        self.settimeout(self.patience.left_s())
        return super().recv_into(*args, **kwargs)

    def sendall(self, data: Any, flags: int = 0, /) -> None:
        _in_pieces(self, data, self.patience, lambda piece: super(Tls, self).sendall(piece))


def connected(
    host: str, port: int, *, patience: Patience, tls: ssl.SSLContext | None
) -> Plain | Tls:
    """A connection to the first address of `host` that answers. Raises OSError."""
    trouble = OSError(f"no address of {host}")
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    for family, kind, protocol, _, address in found:
        opened = Plain(family, kind, protocol)
        try:
            opened.settimeout(min(_CONNECT_S, patience.left_s()))
            opened.connect(address)
            opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            opened.patience = patience
            if tls is None:
                return opened
            secured = tls.wrap_socket(opened, server_hostname=host)
            assert isinstance(secured, Tls)
            secured.patience = patience
            return secured
        except OSError as error:
            opened.close()
            trouble = error
    raise trouble


def tls_context(ca_file: str) -> ssl.SSLContext:
    """Trusts the certificates of `ca_file`, where one is given, in place of the system's.

    Raises OSError (also ssl.SSLError) where there are none in it.
    """
    context = ssl.create_default_context(cafile=ca_file or None)
    context.sslsocket_class = Tls
    return context


def _in_pieces(
    opened: socket.socket, data: Any, patience: Patience, send: Callable[[memoryview], None]
) -> None:
    view = memoryview(data).cast("B")
    for start in range(0, len(view), _PIECE_BYTES):
        opened.settimeout(patience.left_s())
        send(view[start : start + _PIECE_BYTES])
