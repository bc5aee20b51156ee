"""Connections to addresses that were judged, none of which outlives its deadline.

A network backend for httpcore: it looks no name up, so that what is connected to is what was
judged, while Host and the name in TLS stay the URL's. Time is counted over all calls together:
a peer that sends a byte now and then does not get longer.
"""

from __future__ import annotations

import ssl
import time
from collections.abc import Iterable
from typing import Any, Final

import httpcore2

_PIECE_BYTES: Final = 16 * 1024


class Deadline:
    """A moment that may be brought forward."""

    def __init__(self, seconds: float) -> None:
        self._at_s = time.monotonic() + seconds

    def left_s(self, kind: type[Exception]) -> float:
        """Raises `kind` when there is nothing left."""
        left_s = self._at_s - time.monotonic()
        if left_s <= 0:
            raise kind("the time is over")
        return left_s

    def within(self, seconds: float) -> None:
        """At the latest so many seconds from now."""
        self._at_s = min(self._at_s, time.monotonic() + seconds)


class PinnedBackend(httpcore2.NetworkBackend):
    """Connects to the first of `addresses` that takes the connection, whatever host is asked."""

    def __init__(self, addresses: tuple[str, ...], deadline: Deadline) -> None:
        self._addresses = addresses
        self._deadline = deadline
        self._backend = httpcore2.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore2.NetworkStream:
        *others, last = self._addresses
        for address in others:
            try:
                # One that does not answer leaves time for the others.
                left_s = self._deadline.left_s(httpcore2.ConnectTimeout) / 2
                return self._connect(address, port, left_s, local_address, socket_options)
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout):
                continue
        left_s = self._deadline.left_s(httpcore2.ConnectTimeout)
        return self._connect(last, port, left_s, local_address, socket_options)

    def _connect(
        self,
        address: str,
        port: int,
        timeout_s: float,
        local_address: str | None,
        socket_options: Iterable[Any] | None,
    ) -> httpcore2.NetworkStream:
        stream = self._backend.connect_tcp(address, port, timeout_s, local_address, socket_options)
        return _Stream(stream, self._deadline)


class _Stream(httpcore2.NetworkStream):
    def __init__(self, stream: httpcore2.NetworkStream, deadline: Deadline) -> None:
        self._stream = stream
        self._deadline = deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, self._deadline.left_s(httpcore2.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        # In pieces, because the time of one call counts from its own beginning.
        view = memoryview(buffer)
        while view:
            left_s = self._deadline.left_s(httpcore2.WriteTimeout)
            self._stream.write(bytes(view[:_PIECE_BYTES]), left_s)
            view = view[_PIECE_BYTES:]

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore2.NetworkStream:
        left_s = self._deadline.left_s(httpcore2.ConnectTimeout)
        return _Stream(self._stream.start_tls(ssl_context, server_hostname, left_s), self._deadline)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)
