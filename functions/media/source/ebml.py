"""The outermost elements of a Matroska or WebM file, and how long any is (RFC 8794, 4 to 6;
RFC 9559, 4.5)."""

from __future__ import annotations

from typing import Final

_HEADER: Final = bytes.fromhex("1a45dfa3")
_SEGMENT: Final = bytes.fromhex("18538067")


def end(head: bytes) -> int:
    """Where the file says that it ends, by its first bytes; 0 where it does not say.

    A recorder that never came to its end leaves the size unknown: such a file may end anywhere.
    """
    offset = _after(head, 0, _HEADER)
    return _after(head, offset, _SEGMENT) if offset else 0


def size_at(data: bytes, offset: int) -> tuple[int, int | None]:
    """How many bytes the size that begins at `offset` takes, and what it says: None where that is
    unknown, or not all of it is there. No bytes where none begins there."""
    if len(data) <= offset:
        return 1, None
    if not data[offset]:
        return 0, None
    width = 9 - data[offset].bit_length()
    coded = data[offset : offset + width]
    # The highest bit set tells the width; all bits below it set: unknown (RFC 8794, 4.1 and 6.2).
    below = (1 << 7 * width) - 1
    size = int.from_bytes(coded, "big") & below
    return width, None if len(coded) < width or size == below else size


def _after(head: bytes, offset: int, element: bytes) -> int:
    """The offset behind the element that begins at `offset`; 0 for another or an unknown size."""
    first = offset + len(element)
    if head[offset:first] != element:
        return 0
    width, size = size_at(head, first)
    return 0 if size is None else first + width + size
