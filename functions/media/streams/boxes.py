"""The boxes of ISO base media files that programs here wrote (ISO/IEC 14496-12).

Everything is checked against the bytes there are: input that is no such file raises ValueError, in
time linear in its size.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from mmap import mmap
from typing import Final, NamedTuple

Buffer = bytes | bytearray | memoryview | mmap

MAX_BOXES: Final = 100_000
"""Top-level boxes of a file: a fragment needs two to four."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """One entry of the edit list (8.6.6)."""

    duration: int
    """In ticks of the movie header; 0 in a fragmented file: to the end."""
    media_time: int
    """In ticks of the track, -1 for an empty edit."""


class Box(NamedTuple):
    kind: bytes
    start: int
    body: int
    stop: int


def children(data: Buffer, start: int, stop: int) -> Iterator[Box]:
    """The boxes that fill [start, stop) exactly."""
    for _ in range(MAX_BOXES):
        if start == stop:
            return
        size, _ = unpack(">II", data, start, stop)
        body = start + 8
        kind = bytes(data[start + 4 : body])
        if size == 1:
            (size,) = unpack(">Q", data, body, stop)
            body += 8
        elif size == 0:
            size = stop - start
        if start + size > stop or start + size < body:
            raise ValueError(f"box {spelt(kind)} of {size} bytes does not fit")
        yield Box(kind, start, body, start + size)
        start += size
    raise ValueError("too many boxes")


def child(data: Buffer, parent: Box, kind: bytes, *, skip: int = 0) -> Box:
    """The only child of that kind."""
    found = [box for box in children(data, parent.body + skip, parent.stop) if box.kind == kind]
    if len(found) != 1:
        raise ValueError(f"{len(found)} boxes {spelt(kind)} in {spelt(parent.kind)}")
    return found[0]


def unpack(layout: str, data: Buffer, at: int, stop: int) -> tuple[int, ...]:
    if at + struct.calcsize(layout) > stop:
        raise ValueError("a box is cut off")
    return struct.unpack_from(layout, data, at)


def full_box(data: Buffer, box: Box) -> tuple[int, int]:
    """Version and flags of a full box."""
    (word,) = unpack(">I", data, box.body, box.stop)
    return word >> 24, word & 0xFFFFFF


def spelt(kind: bytes) -> str:
    return repr(kind)[1:]


def edits_of(data: Buffer, trak: Box) -> tuple[Edit, ...]:
    if not any(box.kind == b"edts" for box in children(data, trak.body, trak.stop)):
        return ()
    elst = child(data, child(data, trak, b"edts"), b"elst")
    entry = struct.Struct(">Qqi" if full_box(data, elst)[0] else ">Iii")
    (count,) = unpack(">I", data, elst.body + 4, elst.stop)
    if elst.body + 8 + count * entry.size > elst.stop:
        raise ValueError("an edit list is cut off")
    edits = []
    for row in range(count):
        duration, media_time, _ = entry.unpack_from(data, elst.body + 8 + row * entry.size)
        edits.append(Edit(duration=duration, media_time=media_time))
    return tuple(edits)


def timescale_of(data: Buffer, header: Box) -> int:
    """Of a movie header or a media header (8.2.2, 8.4.2)."""
    at = header.body + (20 if full_box(data, header)[0] else 12)
    (timescale,) = unpack(">I", data, at, header.stop)
    if not timescale:
        raise ValueError("a timescale of 0")
    return timescale
