"""What a request carries: bytes, or a stretch of a file that is read as it is sent."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, Protocol

_BLOCK_BYTES: Final = 1 << 20


class Body(Protocol):
    @property
    def size_bytes(self) -> int: ...

    @property
    def sha256(self) -> str:
        """In hexadecimal digits."""

    def blocks(self) -> Iterator[bytes]:
        """From the start, as often as it is sent."""


class Bytes:
    def __init__(self, data: bytes) -> None:
        self._data = data
        self.size_bytes = len(data)
        self.sha256 = hashlib.sha256(data).hexdigest()

    def blocks(self) -> Iterator[bytes]:
        if self._data:
            yield self._data


EMPTY: Final = Bytes(b"")


class Stretch:
    """Bytes of an open file. It is read twice, first for its hash: so it need not be in memory.

    A service refuses what no longer has that hash when it is sent.
    """

    def __init__(self, opened: int, start: int, size_bytes: int) -> None:
        self._opened = opened
        self._start = start
        self.size_bytes = size_bytes
        hashed = hashlib.sha256()
        for block in self.blocks():
            hashed.update(block)
        self.sha256 = hashed.hexdigest()

    def blocks(self) -> Iterator[bytes]:
        """Raises ValueError where the file has become shorter."""
        at, stop = self._start, self._start + self.size_bytes
        while at < stop:
            block = os.pread(self._opened, min(_BLOCK_BYTES, stop - at), at)
            if not block:
                raise ValueError("the file became shorter while it was sent")
            yield block
            at += len(block)


class Source:
    """All that is to be written: whole, or in parts."""

    def __init__(self, data: bytes | int, size_bytes: int) -> None:
        """`data`: the bytes, or the descriptor of a file that holds them."""
        self._data = data
        self.size_bytes = size_bytes

    def whole(self) -> Body:
        return self._part(0, self.size_bytes)

    def parts(self, part_bytes: int) -> Iterator[Body]:
        for start in range(0, self.size_bytes, part_bytes):
            yield self._part(start, min(part_bytes, self.size_bytes - start))

    def _part(self, start: int, size_bytes: int) -> Body:
        if isinstance(self._data, int):
            return Stretch(self._data, start, size_bytes)
        return Bytes(self._data[start : start + size_bytes])


@contextmanager
def source(body: bytes | Path) -> Iterator[Source]:
    """Raises OSError for a file that is not there."""
    if isinstance(body, bytes):
        yield Source(body, len(body))
        return
    with body.open("rb") as stream:
        opened = stream.fileno()
        yield Source(opened, os.fstat(opened).st_size)
