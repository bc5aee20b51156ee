"""The last bytes of a stream that promises no end: does its last unit lie there whole?

Units follow each other without a gap, and each says how long it is. So from any of them on, the end
of the file is met, or passed.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Mapping
from typing import Final

from functions.media.source import ebml, sniff

TAIL_BYTES: Final = 8 * 2**20
"""How much of the end is looked at: some of the largest pictures that are usual."""

_ENOUGH: Final = 3
"""So many units in a row are none by chance."""
_MOST_UNITS: Final = 50_000
"""Looked at before it is given up: usually some of the last few tell."""
_Length = Callable[[bytes, int], int]
"""Of the unit that begins there, or of its head, where it holds others; 0 where none does. More
than is left where it is cut off."""

_CLUSTER: Final = bytes.fromhex("1f43b675")
_ELEMENTS: Final = frozenset(
    bytes.fromhex(name)
    for name in (
        # What a cluster holds,
        *("e7", "a7", "ab", "a3", "a0", "af", "5854", "ec", "bf"),
        # and what may lie between and behind clusters (RFC 9559, 5.1).
        *("1c53bb6b", "1254c367", "114d9b74", "1941a469", "1043a770", "1549a966", "1654ae6b"),
    )
)
_CHUNK: Final = re.compile(rb"\d\d(?:d[bcd]|pc|wb|tx|sb)|ix\d\d|idx1|JUNK")
_CHUNK_BEGINS: Final = frozenset(bytes([each]) for each in b"0123456789iLJ")
_PACK: Final = b"\x00\x00\x01\xba"
_PACK_BYTES: Final = 14
_STUFFING: Final = re.compile(rb"\x00{1,64}(?=\x00\x00\x01)")
"""On a Video CD sectors are filled up."""
_PROGRAM_END: Final = 0xB9


def cut(kind: sniff.Container, tail: bytes) -> bool:
    """Whether a file of this kind that ends with `tail` stops within a unit.

    False where no unit is found: the last one is larger, or its head was damaged.
    """
    starts, length = _UNITS[kind]
    # Zeros may follow, as a recorder reserved them.
    end = len(tail.rstrip(b"\0"))
    # The nearest to the end first: damage before it does not matter.
    last = deque((found.start() for found in starts.finditer(tail)), maxlen=_MOST_UNITS)
    looked_at = 0
    for start in reversed(last):
        offset, units = start, 0
        while offset < end and looked_at < _MOST_UNITS and (step := length(tail, offset)):
            offset += step
            units += 1
            looked_at += 1
        if end <= offset <= len(tail):
            return False
        if offset > len(tail) and units >= _ENOUGH:
            return True
    return False


def _element(tail: bytes, offset: int) -> int:
    """Of Matroska: clusters hold blocks, and may say how many bytes (RFC 9559, 5.1.3)."""
    width = 9 - tail[offset].bit_length()
    name = tail[offset : offset + width]
    if name != _CLUSTER and name not in _ELEMENTS:
        return width if width <= 4 and len(name) < width else 0
    digits, size = ebml.size_at(tail, offset + width)
    head = width + digits
    if name == _CLUSTER and (size is None or offset + head + size <= len(tail)):
        return head
    if size is None and offset + head <= len(tail):
        return 0
    return head + (size or 0)


def _chunk(tail: bytes, offset: int) -> int:
    """Of AVI: padded to an even length, some in lists of their own (`rec `)."""
    head = tail[offset : offset + 12]
    if head[:4] == b"LIST" and b"rec ".startswith(head[8:]):
        return 12
    if not _CHUNK.match(head) if len(head) >= 4 else head[:1] not in _CHUNK_BEGINS:
        return 0
    size = 8 + int.from_bytes(head[4:8], "little")
    # Of the last one nothing is missing without its padding.
    return size if offset + size == len(tail) else size + size % 2


def _pack(tail: bytes, offset: int) -> int:
    """Of a program stream: packs, and packets that say their length (ISO/IEC 13818-1, 2.5.3; in
    MPEG-1 a pack is 12 bytes)."""
    if stuffing := _STUFFING.match(tail, offset):
        length = _pack(tail, stuffing.end())
        return stuffing.end() - offset + length if length else 0
    head = tail[offset : offset + _PACK_BYTES]
    if not head.startswith(b"\0\0\1"[: len(head)]):
        return 0
    if len(head) < 6:
        return 4 if head[3:4] == bytes([_PROGRAM_END]) else 6
    match head[3]:
        case 0xBA if head[4] >> 6 == 1:
            return _PACK_BYTES + (head[-1] & 7)
        case 0xBA:
            return 12
        case code if code > 0xBA:
            size = int.from_bytes(head[4:6], "big")
            return 6 + size if size else 0
        case _:
            return 4 if head[3] == _PROGRAM_END else 0


_UNITS: Final[Mapping[sniff.Container, tuple[re.Pattern[bytes], _Length]]] = {
    sniff.MATROSKA: (re.compile(re.escape(_CLUSTER)), _element),
    sniff.AVI: (_CHUNK, _chunk),
    sniff.MPEGPS: (re.compile(re.escape(_PACK)), _pack),
}
"""Where a unit may begin, and how long it is."""
