"""Pictures that the file lists and nobody can decode, in sources with and without a constant rate.

Each picture is a group of its own, so that none is lost with another.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable
from itertools import accumulate

from tests.corpus import atoms
from tests.corpus.bases import H264, PICTURE, Bases, lavfi
from tests.corpus.case import Case, Completed, End, refused
from tests.corpus.makers.structures import STBL

UNEVEN = "select='not(eq(mod(n,5),3))'"
"""Forty of the fifty pictures are there."""


def starts(data: bytes) -> list[int]:
    """Where each picture lies, one behind the other, and where the last one ends."""
    body = atoms.path(data, *STBL, "stsz")[-1].body
    (count,) = struct.unpack_from(">I", data, body + 8)
    sizes = struct.unpack_from(f">{count}I", data, body + 12)
    return [*accumulate(sizes, initial=atoms.path(data, "mdat")[-1].body)]


def noise(size: int) -> bytes:
    return b"\xff" * size


def filler(size: int) -> bytes:
    """A unit that is no picture."""
    return atoms.u32(size - 4) + b"\x0c" + b"\xff" * (size - 6) + b"\x80"


def without(
    bases: Bases, lost: Iterable[int], instead: Callable[[int], bytes], filters: str
) -> bytes:
    """A film without sound in which something else of the same size stands for these pictures."""
    words = ("-bf", "0", "-g", "1", "-vf", filters, "-fps_mode", "vfr")
    data = bases.made("film.mp4", *lavfi(PICTURE), *H264, *words)
    at = starts(data)
    for number in lost:
        data = atoms.poked(data, at[number], instead(at[number + 1] - at[number]))
    return data


def of(
    id: str,
    lost: Iterable[int],
    end: End,
    *,
    instead: Callable[[int], bytes] = noise,
    filters: str = UNEVEN,
) -> Case:
    return Case(id, lambda bases: without(bases, lost, instead, filters), end)


def stands(what: str) -> Completed:
    return Completed(frames=50, notes=("variable", f"^{what} could not be decoded"))


CASES = (
    of("uneven: nothing lost", (), Completed(frames=50, notes=("variable",))),
    of("uneven: a picture lost", (7,), stands("1 picture")),
    of("uneven: pictures lost here and there", (2, 11, 12, 13, 39), stands("5 pictures")),
    of("uneven: pictures that are filler", range(20, 30), stands("10 pictures"), instead=filler),
    of("uneven: half of the pictures are zeros", range(20, 40), stands("20 pictures"),
       instead=bytes),
    of("uneven: most pictures are noise", range(12, 40), refused("decode_failed")),
    of("even: a picture lost", (7,), refused("frames_missing"), filters="null"),
)  # fmt: skip
