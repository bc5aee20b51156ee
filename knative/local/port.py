"""A port of this machine that stays somebody's until it is given back."""

from __future__ import annotations

import socket


class ReservedPort:
    """A port, held by a bound socket that never listens; a free one where none is named.

    Linux lets a server with SO_REUSEADDR (every usual one) bind and listen beside it, and gives
    the port to nobody else meanwhile: two processes that start at once cannot be given the same.
    """

    def __init__(self, *, address: str = "127.0.0.1", number: int = 0) -> None:
        """Raises OSError where somebody else has that port."""
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        try:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            self._socket.bind((address, number))
        except BaseException:
            self._socket.close()
            raise
        self.address = address
        self.number: int = self._socket.getsockname()[1]

    @property
    def url(self) -> str:
        """How a server on it is reached from this machine."""
        return f"http://{'127.0.0.1' if self.address == '0.0.0.0' else self.address}:{self.number}"

    def release(self) -> None:
        self._socket.close()
