"""The outermost elements of a Matroska or WebM file (RFC 8794, 4 to 6; RFC 9559, 4.5)."""

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


def _after(head: bytes, offset: int, element: bytes) -> int:
    """The offset behind the element that begins at `offset`; 0 for another or an unknown size."""
    first = offset + len(element)
    if head[offset:first] != element or len(head) <= first or not head[first]:
        return 0
    width = 9 - head[first].bit_length()
    coded = head[first : first + width]
    # The highest bit set tells the width; all bits below it set: unknown (RFC 8794, 4.1 and 6.2).
    below = (1 << 7 * width) - 1
    size = int.from_bytes(coded, "big") & below
    if len(coded) < width or size == below:
        return 0
    return first + width + size
