"""A client that costs next to nothing, so that what is measured is the server's."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from urllib.parse import urlsplit


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    per_s: float
    p50_ms: float
    p99_ms: float


async def saturate(url: str, paths: Sequence[str], *, connections: int, for_s: float) -> Asked:
    """Ask for the paths in turn, each connection again as soon as it is answered.

    Raises RuntimeError for an answer that is not 200.
    """
    end_s = time.perf_counter() + for_s
    took_s: list[float] = []

    async def one(first: int) -> None:
        reader, writer = await _connect(url)
        at = first
        while time.perf_counter() < end_s:
            began_s = time.perf_counter()
            writer.write(_request(url, paths[at % len(paths)]))
            await _answer(reader)
            took_s.append(time.perf_counter() - began_s)
            at += connections
        writer.close()

    began_s = time.perf_counter()
    await asyncio.gather(*(one(number) for number in range(connections)))
    wall_s = time.perf_counter() - began_s
    took_s.sort()
    return Asked(
        per_s=len(took_s) / wall_s,
        p50_ms=took_s[len(took_s) // 2] * 1000,
        p99_ms=took_s[int(len(took_s) * 0.99)] * 1000,
    )


@dataclass(slots=True)
class Stream:
    """An open stream, read by a task that counts."""

    bytes: int = 0
    seen_s: dict[str, float] = field(default_factory=dict)
    """When each fact was read for the first time, by its subject."""
    task: asyncio.Task[None] | None = None

    async def open(self, url: str, path: str) -> None:
        """Return once the first event is there."""
        reader, writer = await _connect(url)
        writer.write(_request(url, path))
        head = await reader.readuntil(b"\r\n\r\n")
        if b" 200 " not in head.splitlines()[0]:
            raise RuntimeError(head.decode())
        await reader.readuntil(b"event: job")
        self.task = asyncio.create_task(self._read(reader, writer))

    async def close(self) -> None:
        assert self.task is not None
        self.task.cancel()
        with suppress(asyncio.CancelledError):
            await self.task

    async def _read(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(65536):
                self.bytes += len(data)
                _, marked, rest = data.partition(b'completed.v1","subject":"')
                while marked:
                    subject, _, rest = rest.partition(b'"')
                    self.seen_s.setdefault(subject.decode(), time.time())
                    _, marked, rest = rest.partition(b'completed.v1","subject":"')
        finally:
            writer.close()


async def _connect(url: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    parts = urlsplit(url)
    return await asyncio.open_connection(parts.hostname, parts.port)


def _request(url: str, path: str) -> bytes:
    return f"GET {path} HTTP/1.1\r\nhost: {urlsplit(url).netloc}\r\n\r\n".encode()


async def _answer(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readuntil(b"\r\n\r\n")
    if b" 200 " not in head.splitlines()[0]:
        raise RuntimeError(head.decode())
    length = next(
        int(line.partition(b":")[2])
        for line in head.splitlines()
        if line.lower().startswith(b"content-length:")
    )
    return await reader.readexactly(length)
