"""A range of bytes of one object: the unit in which sources are read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ByteRange:
    """Bytes [start, stop) of an object."""

    start: int
    stop: int

    def __post_init__(self) -> None:
        if not 0 <= self.start < self.stop:
            raise ValueError(f"empty or negative range [{self.start}, {self.stop})")

    @property
    def size_bytes(self) -> int:
        return self.stop - self.start


def pieces(ranges: Iterable[ByteRange], most_bytes: int) -> Iterator[ByteRange]:
    """The same bytes in the same order, none with more than `most_bytes` at once."""
    for each in ranges:
        for start in range(each.start, each.stop, most_bytes):
            yield ByteRange(start, min(each.stop, start + most_bytes))


def union(ranges: Iterable[ByteRange]) -> list[ByteRange]:
    """The same bytes as sorted ranges of which no two touch."""
    merged: list[ByteRange] = []
    for each in sorted(ranges, key=lambda each: each.start):
        if merged and each.start <= merged[-1].stop:
            if each.stop > merged[-1].stop:
                merged[-1] = ByteRange(merged[-1].start, each.stop)
        else:
            merged.append(each)
    return merged
