"""A chunk of an indexed mp4 or mov as a small file of its own.

Before the first packet a demuxer reads the tables of all samples of a movie: megabytes for a film
of hours, in every task that decodes a minute of it. An excerpt is a movie (ISO/IEC 14496-12) that
lists the chunk's packets alone, under the source's own description of the track.

Its packets stand in tables, not in fragments: from tables alone ffmpeg learns how far pictures are
reordered where H.264 itself does not say, or says too little.
"""

from __future__ import annotations

import struct
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, chain, groupby, pairwise
from typing import Final

from functions.media.source.byterange import ByteRange
from functions.media.source.index import Packets
from functions.media.streams import boxes
from functions.media.streams.boxes import Buffer

MAX_BOX_BYTES: Final = 64 * 1024
"""Of what is taken along: parameter sets and colours need a few hundred bytes."""

_NUMBER: Final = 1
"""Of the track in every excerpt."""
_MOST_TICKS: Final = 2**31 - 1
_MOST_LATE: Final = 2**28 - 1
"""Ticks from decoding to presentation; a table with more of them is ignored."""
_DATA_HEADER_BYTES: Final = 16
_EMPTY: Final = -1
_NORMAL_SPEED: Final = 1 << 16


@dataclass(frozen=True, slots=True)
class Excerpt:
    """What an excerpt begins with, and where the packets go in it."""

    head: bytes
    _positions: Sequence[int]
    """Of the packets in the source, rising."""
    _moves: Sequence[tuple[int, int]]
    """Of each its size, and its position in the excerpt."""

    def places(self, start: int, body: bytes) -> Iterator[tuple[int, memoryview]]:
        """Where the source's bytes from `start` on lie here; those of no packet are left out."""
        data = memoryview(body)
        at = max(0, bisect_right(self._positions, start) - 1)
        for position, (size, target) in zip(self._positions[at:], self._moves[at:], strict=True):
            first, stop = max(start, position), min(start + len(data), position + size)
            if position >= start + len(data):
                return
            if first < stop:
                yield target + first - position, data[first - start : stop - start]


def description(
    data: Buffer, movie: ByteRange, brands: bytes, *, number: int, timescale: int
) -> bytes:
    """What all excerpts of a track have in common: brands, and a movie box without samples.

    `movie` is where the source's movie box lies in `data`, `brands` its `ftyp` box or nothing.
    b"" for a track that cannot be taken out so: described in several ways, or unlike what is
    known of it (`number`, ticks a second).
    """
    try:
        (box,) = boxes.children(data, movie.start, movie.stop)
        tracks = [each for each in boxes.children(data, box.body, box.stop) if each.kind == b"trak"]
        (trak,) = [each for each in tracks if _number(data, each) == number]
        media = boxes.child(data, trak, b"mdia")
        clock = boxes.child(data, media, b"mdhd")
        if boxes.timescale_of(data, clock) != timescale:
            raise ValueError("another clock")
        header = _set(data, boxes.child(data, box, b"mvhd"), (20, 28), timescale)
        return brands + _box(b"moov", header, _track(data, trak, media))
    except ValueError:
        return b""


def of(described: bytes, packets: Packets) -> Excerpt | None:
    """The excerpt with these packets of the described track.

    None where they cannot be listed so: frames that an edit list cuts away, times that do not
    grow, packets of which one has bytes of another.
    """
    # Whoever reads takes all delays for too large where one is below 0.
    back = max(0, max(packet.dts - packet.pts for packet in packets))
    steps = [after.dts - before.dts for before, after in pairwise(packets)]
    late = [packet.pts - packet.dts + back for packet in packets]
    stored = sorted((packet.position, packet.size) for packet in packets)
    if (
        not all(packet.shown and packet.size for packet in packets)
        or not all(0 < step <= _MOST_TICKS for step in steps)
        or max(late) > _MOST_LATE
        or any(position + size > after for (position, size), (after, _) in pairwise(stored))
    ):
        return None
    first = min(packet.pts for packet in packets)
    if first < 0:
        return None
    durations = [*steps, *(steps[-1:] or [1])]
    # The first picture that is shown, by the clock of a film that begins with the first decoded.
    begins = first - packets[0].dts + back
    edits = _edits(first, begins, sum(durations) + max(late) + 1)
    tables = (
        _full(b"stts", _runs(durations)),
        _full(b"ctts", _runs(late)),
        _full(b"stss", _numbers([at for at, each in enumerate(packets, 1) if each.sync])),
        # One chunk with all of them.
        _full(b"stsc", struct.pack(">IIII", 1, 1, len(packets), 1)),
        _full(b"stsz", bytes(4), _numbers([packet.size for packet in packets])),
    )
    data_bytes = sum(packet.size for packet in packets)
    # The offset has eight bytes wherever it leads.
    size = len(_filled(described, edits, tables, 0)) + _DATA_HEADER_BYTES
    head = _filled(described, edits, tables, size)
    head += struct.pack(">I4sQ", 1, b"mdat", _DATA_HEADER_BYTES + data_bytes)
    targets = accumulate((packet.size for packet in packets), initial=size)
    moves = sorted(
        (packet.position, packet.size, target)
        for packet, target in zip(packets, targets, strict=False)
    )
    return Excerpt(
        head,
        [position for position, _, _ in moves],
        [(size, target) for _, size, target in moves],
    )


def _track(data: Buffer, trak: boxes.Box, media: boxes.Box) -> bytes:
    """The track with its description and without any sample. Raises ValueError."""
    named = boxes.child(data, media, b"hdlr")
    if bytes(data[named.body + 8 : named.body + 12]) != b"vide":
        raise ValueError("no track of pictures")
    table = boxes.child(data, boxes.child(data, media, b"minf"), b"stbl")
    described = boxes.child(data, table, b"stsd")
    (count,) = boxes.unpack(">I", data, described.body + 4, described.stop)
    if count != 1:
        raise ValueError("described in several ways")
    # All media are in this file.
    here = _full(b"dref", struct.pack(">I", 1), _full(b"url ", flags=1))
    return _box(
        b"trak",
        _set(data, boxes.child(data, trak, b"tkhd"), (20, 28), _NUMBER),
        _box(
            b"mdia",
            _whole(data, boxes.child(data, media, b"mdhd")),
            _whole(data, named),
            _box(
                b"minf",
                _full(b"vmhd", bytes(8), flags=1),
                _box(b"dinf", here),
                _box(b"stbl", _whole(data, described)),
            ),
        ),
    )


def _filled(described: bytes, edits: bytes, tables: Iterable[bytes], offset: int) -> bytes:
    """The description with its samples, of which the first lies at `offset`."""
    *brands, movie = boxes.children(described, 0, len(described))
    header, trak = boxes.children(described, movie.body, movie.stop)
    track, media = boxes.children(described, trak.body, trak.stop)
    clock, named, information = boxes.children(described, media.body, media.stop)
    kind, where, table = boxes.children(described, information.body, information.stop)
    (entry,) = boxes.children(described, table.body, table.stop)

    def kept(*whole: boxes.Box) -> bytes:
        return b"".join(described[each.start : each.stop] for each in whole)

    chunk = _full(b"co64", struct.pack(">IQ", 1, offset))
    samples = _box(b"stbl", kept(entry), *tables, chunk)
    inside = _box(b"mdia", kept(clock, named), _box(b"minf", kept(kind, where), samples))
    film = _box(b"trak", kept(track), _box(b"edts", edits), inside)
    return kept(*brands) + _box(b"moov", kept(header), film)


def _edits(first: int, begins: int, duration: int) -> bytes:
    """Nothing up to the first picture's time, then everything, by the movie's clock, which is the
    track's (8.6.6)."""
    entries = ((first, _EMPTY, _NORMAL_SPEED), (duration, begins, _NORMAL_SPEED))
    rows = entries if first else entries[1:]
    return _full(
        b"elst",
        struct.pack(">I", len(rows)),
        *(struct.pack(">QqI", *row) for row in rows),
        version=1,
    )


def _runs(values: Iterable[int]) -> bytes:
    """How often each value comes in a row, and the value, behind the number of rows."""
    rows = [(sum(1 for _ in same), value) for value, same in groupby(values)]
    return struct.pack(f">{1 + 2 * len(rows)}I", len(rows), *chain.from_iterable(rows))


def _numbers(values: Sequence[int]) -> bytes:
    """Behind how many there are."""
    return struct.pack(f">{1 + len(values)}I", len(values), *values)


def _number(data: Buffer, trak: boxes.Box) -> int:
    header = boxes.child(data, trak, b"tkhd")
    (number,) = boxes.unpack(">I", data, header.start + _field(data, header, (20, 28)), header.stop)
    return number


def _set(data: Buffer, header: boxes.Box, where: tuple[int, int], value: int) -> bytes:
    """A header with another value in a field, which lies so far from its start by its version."""
    own = bytearray(_whole(data, header))
    at = _field(data, header, where)
    if len(own) < at + 4:
        raise ValueError("a header that is cut off")
    struct.pack_into(">I", own, at, value)
    return bytes(own)


def _field(data: Buffer, header: boxes.Box, where: tuple[int, int]) -> int:
    version, _ = boxes.full_box(data, header)
    if version > 1 or header.body != header.start + 8:
        raise ValueError("a header of a kind that nobody writes")
    return where[version]


def _whole(data: Buffer, box: boxes.Box) -> bytes:
    if box.stop - box.start > MAX_BOX_BYTES:
        raise ValueError("too large to be taken along")
    return bytes(data[box.start : box.stop])


def _full(kind: bytes, *parts: bytes, version: int = 0, flags: int = 0) -> bytes:
    return _box(kind, struct.pack(">I", version << 24 | flags), *parts)


def _box(kind: bytes, *parts: bytes) -> bytes:
    return struct.pack(">I4s", 8 + sum(map(len, parts)), kind) + b"".join(parts)
