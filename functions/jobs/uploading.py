"""An upload that is not complete, `work/uploading/<tenant>/<id>`: written before anything is begun,
so that a sweep can abort what nobody completes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from functions.ports import MAX_PARTS, Part

Method = Literal["post", "multipart", "tus", "direct"]
"""Straight to the store by one form, or by parts; through the gateway, resumable or in one go."""

PART_BYTES: Final = 8 * 1024 * 1024
_MIB: Final = 1024 * 1024


def part_bytes(size_bytes: int | None, *, least: int = PART_BYTES) -> int:
    """How large the parts of an object of this size are: `least`, as long as they suffice."""
    needed = -(-(size_bytes or 0) // MAX_PARTS)
    return least if needed <= least else -(-needed // _MIB) * _MIB


@dataclass(frozen=True, slots=True, kw_only=True)
class Tail:
    """Bytes that were taken and are too few for a part: kept as an object until more come."""

    name: str
    at_bytes: int
    size_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Uploading:
    """Replaced by compare-and-swap. What was taken is known from the store's parts."""

    id: str
    tenant: str
    method: Method
    key: str
    """Where the object will be, at the ObjectStore port."""
    size_bytes: int | None
    """None while the client has not said it."""
    part_bytes: int = PART_BYTES
    upload: str = ""
    """The store's upload id, "" before it is begun and for a form."""
    tail: Tail | None = None
    checked_bytes: int | None = None
    """Set by the first body that comes with a checksum: parts behind it do not count, they may be
    of a body that was refused."""
    options: Mapping[str, Any] = field(default_factory=dict)
    content_type: str = ""
    metadata: Mapping[str, str] = field(default_factory=dict)
    """What the client calls things (tus `Upload-Metadata`)."""
    created_s: float
    expires_s: float

    def offset_bytes(self, parts: Sequence[Part]) -> int:
        """How much of the object was taken, from its start without a gap."""
        if self.checked_bytes is not None and self.checked_bytes == self.size_bytes:
            return self.size_bytes
        size_bytes = {part.number: part.size_bytes for part in parts}
        full = 0
        while size_bytes.get(full + 1) == self.part_bytes and self._counts(full + 1):
            full += 1
        at_bytes = full * self.part_bytes
        last = size_bytes.get(full + 1, 0)
        if self.checked_bytes is None and last and at_bytes + last == self.size_bytes:
            return self.size_bytes
        if self.tail is not None and self.tail.at_bytes == at_bytes:
            return at_bytes + self.tail.size_bytes
        return at_bytes

    def chosen(self, parts: Sequence[Part]) -> list[Part] | None:
        """The parts that make the object, None when they do not make all of it."""
        found = {part.number: part for part in parts}
        chosen, size_bytes = [], 0
        for number in range(1, len(found) + 1):
            if number not in found or size_bytes == self.size_bytes:
                break
            chosen.append(found[number])
            size_bytes += found[number].size_bytes
        whole = size_bytes == self.size_bytes if self.size_bytes is not None else bool(chosen)
        return chosen if whole else None

    def length_of(self, number: int) -> int:
        """Of a part, where the size is known. Raises ValueError for one that there is not."""
        left_bytes = (self.size_bytes or 0) - (number - 1) * self.part_bytes
        if number < 1 or left_bytes <= 0:
            raise ValueError(f"there is no part {number}")
        return min(left_bytes, self.part_bytes)

    def _counts(self, number: int) -> bool:
        return self.checked_bytes is None or number * self.part_bytes <= self.checked_bytes
