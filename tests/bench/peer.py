"""The two ends of the broker's bench: a publisher and a subscriber that cost next to nothing.

Plain sockets instead of an HTTP library, so that what is measured is the broker.
"""

from __future__ import annotations

import asyncio
import re
import time

_LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)
_ID = re.compile(rb"ce-id: *([^\r]+)", re.IGNORECASE)
_END = b"\r\n\r\n"
NO_CONTENT = b"HTTP/1.1 204 No Content\r\n\r\n"


class Subscriber(asyncio.Protocol):
    """Answers 204 to everything and notes when each event's headers came in."""

    def __init__(self, arrivals: dict[bytes, int]) -> None:
        self._arrivals = arrivals
        self._pending = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        came_ns = time.monotonic_ns()
        self._pending += data
        while (end := self._pending.find(_END)) >= 0:
            head = self._pending[:end]
            length = _LENGTH.search(head)
            stop = end + len(_END) + (int(length[1]) if length else 0)
            if len(self._pending) < stop:
                return
            self._pending = self._pending[stop:]
            found = _ID.search(head)
            assert found is not None
            self._arrivals.setdefault(found[1], came_ns)
            self._transport.write(NO_CONTENT)


class Connection:
    """One keep-alive connection to the broker."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def post(self, request: bytes) -> None:
        """Post one event; returns once the broker has it."""
        self._writer.write(request)
        head = await self._reader.readuntil(_END)
        assert head.startswith(b"HTTP/1.1 202"), head
        length = _LENGTH.search(head)
        if length:
            await self._reader.readexactly(int(length[1]))

    async def close(self) -> None:
        self._writer.close()
        await self._writer.wait_closed()


async def connect(host: str, port: int) -> Connection:
    return Connection(*await asyncio.open_connection(host, port))


def request(path: str, headers: dict[str, str], body: bytes) -> bytes:
    """The bytes of a POST."""
    lines = [f"POST {path} HTTP/1.1", "host: broker", f"content-length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join(lines).encode("latin-1") + _END + body
