"""Damages files by chance, the same for the same seed: what a fuzzer does, in a page.

Most of it happens to headers and tables, where a byte decides what a megabyte means. `recipe` says
in words what was done, for whoever has to find out why it mattered.
"""

from __future__ import annotations

import random
import re
import struct
from collections.abc import Callable, Sequence
from typing import Final

EDGES: Final = (0, 1, 2, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 2**31 - 1, 2**31, 2**32 - 1)
"""Integers at which something turns over."""
MARKS: Final = re.compile(
    # Boxes whose bodies are numbers, EBML headers of what counts, chunks of AVI, pages of Ogg.
    rb"stts|stsc|stsz|stco|co64|ctts|stss|elst|mvhd|mdhd|tkhd|stsd|avcC|hvcC|esds|trun|tfhd|tfdt"
    rb"|moov|mdat|trak|sidx|idx1|strh|strf|avih|OggS|FLV"
    rb"|\x1f\x43\xb6\x75|\x16\x54\xae\x6b|\x15\x49\xa9\x66|\x1c\x53\xbb\x6b|\x47\x40|\x00\x00\x01[\x67\x68]"
)
REACH: Final = 48
"""Bytes behind a mark that are hit most."""
LARGEST: Final = 4096
"""Of a block that is copied or lost."""

Damage = Callable[[random.Random, bytearray, Sequence[int]], str]


def mutated(seed: bytes, choose: random.Random, others: Sequence[bytes] = ()) -> tuple[bytes, str]:
    """A variant of the file and what was done to it. `others`: what may be spliced in."""
    data = bytearray(seed)
    marks = [match.start() for match in MARKS.finditer(seed)]
    said = []
    for _ in range(choose.choice((1, 1, 2, 3, 5, 8))):
        if not data:
            break
        if others and choose.random() < 0.06:
            said.append(_splice(choose, data, choose.choice(others)))
        else:
            (damage,) = choose.choices([each for each, _ in KINDS], [each for _, each in KINDS])
            said.append(damage(choose, data, marks))
    return bytes(data), "; ".join(said)


def _place(choose: random.Random, data: bytearray, marks: Sequence[int]) -> int:
    """Near a mark, in the first KiB, or anywhere."""
    way = choose.random()
    if marks and way < 0.65:
        at = choose.choice(marks) + choose.randrange(-4, REACH)
    elif way < 0.8:
        at = choose.randrange(min(1024, len(data)))
    else:
        at = choose.randrange(len(data))
    return max(0, min(at, len(data) - 1))


def _bits(choose: random.Random, data: bytearray, marks: Sequence[int]) -> str:
    at = _place(choose, data, marks)
    data[at] ^= 1 << choose.randrange(8)
    return f"a bit at {at}"


def _byte(choose: random.Random, data: bytearray, marks: Sequence[int]) -> str:
    at = _place(choose, data, marks)
    data[at] = choose.randrange(256)
    return f"a byte at {at}"


def _integer(choose: random.Random, data: bytearray, marks: Sequence[int]) -> str:
    """A number of an edge, or one beside what was there."""
    at = _place(choose, data, marks)
    form = choose.choice((">I", ">I", ">H", "<I", ">Q"))
    size = struct.calcsize(form)
    if at + size > len(data):
        return "nothing"
    (was,) = struct.unpack_from(form, data, at)
    value = choose.choice((*EDGES, was + 1, was - 1, was * 2, was // 2, -was)) % 256**size
    struct.pack_into(form, data, at, value)
    return f"{form} {value} at {at}"


def _block(choose: random.Random, data: bytearray) -> tuple[int, int]:
    size = min(len(data), choose.choice((1, 4, 16, 188, 512, LARGEST)))
    at = choose.randrange(len(data) - size + 1)
    return at, size


def _lost(choose: random.Random, data: bytearray, marks: Sequence[int]) -> str:
    at, size = _block(choose, data)
    del data[at : at + size]
    return f"{size} bytes lost at {at}"


def _doubled(choose: random.Random, data: bytearray, marks: Sequence[int]) -> str:
    at, size = _block(choose, data)
    data[at:at] = data[at : at + size]
    return f"{size} bytes twice at {at}"


def _zeroed(choose: random.Random, data: bytearray, marks: Sequence[int]) -> str:
    at, size = _block(choose, data)
    data[at : at + size] = bytes(size)
    return f"{size} zeros at {at}"


def _noise(choose: random.Random, data: bytearray, marks: Sequence[int]) -> str:
    at, size = _block(choose, data)
    data[at : at + size] = choose.randbytes(size)
    return f"{size} bytes of noise at {at}"


def _swapped(choose: random.Random, data: bytearray, marks: Sequence[int]) -> str:
    one, size = _block(choose, data)
    other = choose.randrange(len(data) - size + 1)
    first, second = bytes(data[one : one + size]), bytes(data[other : other + size])
    data[one : one + size] = second
    data[other : other + size] = first
    return f"{size} bytes swapped between {one} and {other}"


def _cut(choose: random.Random, data: bytearray, marks: Sequence[int]) -> str:
    at = _place(choose, data, marks) if choose.random() < 0.3 else choose.randrange(len(data))
    del data[at:]
    return f"cut off at {at}"


def _splice(choose: random.Random, data: bytearray, other: bytes) -> str:
    """The end of another file instead of the own."""
    at, start = choose.randrange(len(data)), choose.randrange(max(1, len(other)))
    data[at:] = other[start:]
    return f"from {at} on another file's from {start} on"


KINDS: Final[tuple[tuple[Damage, int], ...]] = (
    (_bits, 20), (_byte, 15), (_integer, 30), (_lost, 3), (_doubled, 3), (_zeroed, 6), (_noise, 8),
    (_swapped, 5), (_cut, 3),
)  # fmt: skip
