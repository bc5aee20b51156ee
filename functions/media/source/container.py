"""The top-level boxes of an mp4 or QuickTime file, read by their headers alone.

ISO/IEC 14496-12, 4.2. Whatever a file claims, the work is bounded: a fixed number of boxes is
looked at and nothing beyond a fixed size is read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from functions.media.source.byterange import ByteRange, union

MAX_BOXES: Final = 1000
"""At the top level. Unfragmented files have about five."""
MAX_MOOV_BYTES: Final = 128 * 2**20
"""A day of video with sound stays below."""
MAX_HEAD_BYTES: Final = 2 * MAX_MOOV_BYTES
"""Of everything but media and padding: every task that reads the source fetches it."""
MAX_NESTED_BOXES: Final = 20_000
MAX_BRANDS_BYTES: Final = 4096
"""Of an `ftyp` box that is of use: a dozen brands at most have four bytes each."""

Read = Callable[[int, int], bytes]
"""`read(offset, size)`: the bytes there, fewer only at the end of the file."""

_ENCRYPTED: Final = frozenset(
    (b"encv", b"enca", b"enct", b"encs", b"drms", b"drmi", b"pssh", b"tenc")
)
_PADDING: Final = frozenset((b"free", b"skip"))
_PARENTS: Final = frozenset((b"moov", b"trak", b"mdia", b"minf", b"stbl", b"mvex", b"udta"))


class Damaged(ValueError):
    """The boxes contradict themselves; the message is half a sentence for people."""


class Truncated(ValueError):
    """The file ends before its boxes do; the message is half a sentence for people."""


@dataclass(frozen=True, slots=True)
class Boxes:
    """What lies where in the file."""

    head: tuple[ByteRange, ...]
    """Sorted, disjoint: every byte but the payload of `mdat` boxes and of padding."""
    media: tuple[ByteRange, ...]
    """The payloads, as far as they lie in the file."""
    missing_bytes: int
    """How far the last `mdat` claims to reach beyond the end of the file."""
    fragmented: bool
    """True where packets are listed by fragments (`moof`), not in the movie box."""
    encrypted: bool
    movie: ByteRange
    """The movie box (`moov`)."""
    brands: ByteRange | None
    """The `ftyp` box before it; QuickTime wrote files without one."""


@dataclass(frozen=True, slots=True)
class _Box:
    kind: bytes
    start: int
    payload: int
    stop: int

    @property
    def size(self) -> int:
        return self.stop - self.start


def walk(read: Read, size_bytes: int) -> Boxes:
    """Look at a file of `size_bytes`. Raises Damaged, or Truncated, where no use can be made."""
    head: list[ByteRange] = []
    media: list[ByteRange] = []
    movie: _Box | None = None
    brands: ByteRange | None = None
    fragmented = False
    missing_bytes = 0
    for box in _top_level(read, size_bytes):
        if box.kind == b"mdat":
            missing_bytes = max(0, box.stop - size_bytes)
            head.append(ByteRange(box.start, min(box.payload, size_bytes)))
            if box.payload < min(box.stop, size_bytes):
                media.append(ByteRange(box.payload, min(box.stop, size_bytes)))
            continue
        if box.stop > size_bytes:
            if box.kind == b"moov":
                raise Truncated("the list of its frames is incomplete")
            if movie is None or not media:
                raise Truncated(f"a box ends {box.stop - size_bytes} bytes behind the end")
            break  # something after all that matters; players ignore it too
        head.append(ByteRange(box.start, box.payload if box.kind in _PADDING else box.stop))
        if box.kind == b"moov" and movie is None:
            movie = box
        elif box.kind == b"ftyp" and not movie and not brands and box.size <= MAX_BRANDS_BYTES:
            brands = ByteRange(box.start, box.stop)
        elif box.kind == b"moof":
            fragmented = True
            break  # packets of fragments are not in the movie box: no index to be had
    if movie is None:
        if media or missing_bytes:
            raise Truncated("the list of its frames is missing")
        raise Damaged("it has no movie box")
    if movie.stop - movie.start > MAX_MOOV_BYTES:
        raise Damaged("its movie box is absurdly large")
    if sum(each.size_bytes for each in head) > MAX_HEAD_BYTES:
        raise Damaged("its boxes besides the media are absurdly large")
    body = read(movie.start, movie.stop - movie.start)
    return Boxes(
        head=tuple(union(head)),
        media=tuple(media),
        missing_bytes=missing_bytes,
        fragmented=fragmented or _has(body, b"mvex"),
        encrypted=_is_encrypted(body),
        movie=ByteRange(movie.start, movie.stop),
        brands=brands,
    )


def torn(read: Read, size_bytes: int) -> bool:
    """Whether a file of fragments stops within one: what a `moof` lists follows it, whole."""
    box: _Box | None = None
    fragmented = False
    try:
        for box in _top_level(read, size_bytes):
            fragmented = fragmented or box.kind == b"moof"
    except Damaged:
        return False  # of more boxes than are looked at
    return fragmented and box is not None and (box.kind == b"moof" or box.stop != size_bytes)


def _top_level(read: Read, size_bytes: int) -> Iterator[_Box]:
    offset = 0
    for _ in range(MAX_BOXES):
        if offset + 8 > size_bytes:
            return
        box = _parse(read(offset, 16), offset, size_bytes)
        if box is None:
            if offset == 0:
                raise Damaged("its first box is damaged")
            return  # what follows is no box: padding, or garbage that players ignore
        yield box
        offset = box.stop
    raise Damaged(f"it has more than {MAX_BOXES} boxes")


def _parse(header: bytes, offset: int, limit: int) -> _Box | None:
    """The box whose header this is; None for one that cannot be."""
    if len(header) < 8:
        return None
    size, kind, payload = int.from_bytes(header[:4], "big"), header[4:8], 8
    if size == 1:
        if len(header) < 16:
            return None
        size, payload = int.from_bytes(header[8:16], "big"), 16
    elif size == 0:
        if not kind.isalnum():
            return None  # zeros as padding are no box
        size = limit - offset
    if size < payload:
        return None
    return _Box(kind, offset, offset + payload, offset + size)


def _nested(body: bytes) -> Iterator[_Box]:
    """Every box in the movie box that may tell of protection, parents before children."""
    left = MAX_NESTED_BOXES
    todo = [(0, len(body))]
    while todo:
        offset, stop = todo.pop()
        while offset + 8 <= stop:
            left -= 1
            if left < 0:
                raise Damaged(f"its movie box holds more than {MAX_NESTED_BOXES} boxes")
            box = _parse(body[offset : offset + 16], offset, stop)
            if box is None:
                break
            yield box
            inside = min(box.stop, stop)
            if box.kind in _PARENTS:
                todo.append((box.payload, inside))
            elif box.kind == b"stsd":
                # A full box with a count, then sample entries as boxes.
                todo.append((box.payload + 8, inside))
            offset = box.stop


def _has(body: bytes, kind: bytes) -> bool:
    return any(box.kind == kind for box in _nested(body))


def _is_encrypted(body: bytes) -> bool:
    """A protected sample entry, or key material for one (14496-12, 8.12; 23001-7, 8)."""
    return any(box.kind in _ENCRYPTED for box in _nested(body))
