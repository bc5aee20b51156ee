"""A port on 127.0.0.1 that stays somebody's until it is given back."""

from __future__ import annotations

import socket


class ReservedPort:
    """A free port, held by a bound socket that never listens.

    Linux lets a server with SO_REUSEADDR (every usual one) bind and listen beside it, and gives
    the port to nobody else meanwhile: two processes that start at once cannot be given the same.
    """

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        try:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            self._socket.bind(("127.0.0.1", 0))
        except BaseException:
            self._socket.close()
            raise
        self.number: int = self._socket.getsockname()[1]

    def release(self) -> None:
        self._socket.close()
