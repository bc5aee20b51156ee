"""Does the file reach its end? What its header promises is there, or its last packet is whole.

A container whose header says how long it is was cut off on its way here when it is shorter: that
can be mended by bringing it again. One that promises nothing is a stream, which may stop anywhere;
where it stops within a packet something is missing, and what is there is all there is.
"""

from __future__ import annotations

from collections.abc import Callable

from functions.media.source import container, ebml, sniff, tail

Read = Callable[[int, int], bytes]
"""`read(offset, size)`: the bytes there, fewer only at the end of the file."""

_MOST_CHUNKS = 64
_OGG_PAGE_BYTES = 27 + 255 + 255 * 255
_FLV_TAGS = (8, 9, 18)


def missing_bytes(kind: sniff.Container, read: Read, size_bytes: int) -> int:
    """How many bytes the header promises beyond the end of the file; 0 where it promises none."""
    head = read(0, sniff.SNIFF_BYTES)
    match kind:
        case sniff.MATROSKA:
            end = ebml.end(head)
        case sniff.AVI:
            end = _end_of_avi(read)
        case sniff.MXF:
            end = _footer(head)
        case _:
            return 0
    return max(0, end - size_bytes)


def torn(kind: sniff.Container, read: Read, size_bytes: int) -> bool:
    """Whether the file stops in the middle of a packet, where that can be seen."""
    match kind:
        case sniff.MPEGTS:
            found = sniff.packets_of(read(0, sniff.SNIFF_BYTES))
            return found is not None and (size_bytes - found[0]) % found[1] != 0
        case sniff.FLV:
            return _ends_within_tag(read, size_bytes)
        case sniff.OGG:
            return _ends_within_page(read, size_bytes)
        case sniff.MP4 | sniff.MOV:
            return container.torn(read, size_bytes)
        case sniff.MATROSKA if ebml.end(read(0, sniff.SNIFF_BYTES)):
            return False
        case sniff.AVI if _end_of_avi(read):
            return False
        case sniff.MATROSKA | sniff.AVI | sniff.MPEGPS:
            start = max(0, size_bytes - tail.TAIL_BYTES)
            return tail.cut(kind, read(start, size_bytes - start))
        case _:
            return False


def _end_of_avi(read: Read) -> int:
    """Where the last list of packets ends; 0 where one was never filled in. Large files go on in
    further ones (OpenDML 1.02). What lies behind the last is an index, which nobody needs."""
    offset = end = 0
    for _ in range(_MOST_CHUNKS):
        head = read(offset, 12)
        if offset and head[:4] + head[8:] != b"RIFFAVIX":
            break
        end = _end_of_movie(read, offset + 12)
        if not end:
            break
        size = int.from_bytes(head[4:8], "little")
        offset += 8 + size + size % 2
    return end


def _end_of_movie(read: Read, offset: int) -> int:
    """Of the list of packets among the chunks from `offset` on; 0 where it was not filled in."""
    for _ in range(_MOST_CHUNKS):
        head = read(offset, 12)
        if len(head) < 12:
            return 0
        size = int.from_bytes(head[4:8], "little")
        if head[:4] == b"LIST" and head[8:] == b"movi":
            # Recordings that were not finished say 0 or as much as can be.
            return 0 if size in (0, 4) or size >= 0x7FFFFFFF else offset + 8 + size
        offset += 8 + size + size % 2
    return 0


def _footer(head: bytes) -> int:
    """Where an MXF file's last partition begins, by its first one (SMPTE ST 377-1, 7.1); 0 where
    it does not say."""
    if len(head) < 17:
        return 0
    width = head[16] & 0x7F if head[16] & 0x80 else 0
    at = 17 + width + 24
    return int.from_bytes(head[at : at + 8], "big") if len(head) >= at + 8 else 0


def _ends_within_tag(read: Read, size_bytes: int) -> bool:
    """The last 4 bytes tell the size of the tag before them (FLV 10.1, annex E.3)."""
    size = int.from_bytes(read(size_bytes - 4, 4), "big")
    start = size_bytes - 4 - size
    head = read(start, 4) if 0 < start < size_bytes else b""
    return not (
        len(head) == 4
        and head[0] & 0x1F in _FLV_TAGS
        and int.from_bytes(head[1:], "big") + 11 == size
    )


def _ends_within_page(read: Read, size_bytes: int) -> bool:
    """The last page is whole and says that it is the last one (RFC 3533, section 6)."""
    start = max(0, size_bytes - 2 * _OGG_PAGE_BYTES)
    tail = read(start, size_bytes - start)
    at = tail.rfind(b"OggS")
    page = tail[at:]
    if at < 0 or len(page) < 27:
        return True
    lacing = page[27 : 27 + page[26]]
    return len(page) != 27 + page[26] + sum(lacing) or not page[5] & 4
