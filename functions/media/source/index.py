"""The packet index: where every packet of a source lies, so that a chunk is a few byte ranges.

Stored as one object with a header of fixed size, then one row of fixed size a packet, track by
track: whoever wants a chunk reads the header and the chunk's rows, not the whole table.

    header   magic, version, counts; the head's ranges; one entry a track; zeros to HEADER_BYTES
    rows     pts, dts, position (int64), size (uint32), flags (uint32), little-endian
    rest     what excerpts of a track begin with, track by track
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from typing import Final, NamedTuple, overload

from functions.media.source.byterange import ByteRange, union

HEADER_BYTES: Final = 4096
MAX_HEAD_RANGES: Final = 96
MAX_TRACKS: Final = 48

_MAGIC: Final = b"KNRINDEX"
_VERSION: Final = 1
_FIXED: Final = struct.Struct("<8sHHHxx")
_RANGE: Final = struct.Struct("<QQ")
_TRACK: Final = struct.Struct("<IIIIQQ")
_ROW: Final = struct.Struct("<qqqII")
_SYNC: Final = 1
_HIDDEN: Final = 2

ROW_BYTES: Final = _ROW.size


class Packet(NamedTuple):
    """One coded picture or audio frame as the container lists it."""

    pts: int
    """Presentation time in ticks of the track, edit lists applied."""
    dts: int
    """Decoding time in ticks of the track."""
    position: int
    """Offset of its first byte in the source object."""
    size: int
    sync: bool
    """True where the container says that decoding can start here."""
    shown: bool = True
    """False where an edit list cuts the frame away, or where it hangs on others that are not there:
    never presented."""


def packed(packet: Packet) -> bytes:
    """A packet as a row. Raises ValueError for a number that does not fit its field."""
    flags = (_SYNC if packet.sync else 0) | (0 if packet.shown else _HIDDEN)
    try:
        return _ROW.pack(packet.pts, packet.dts, packet.position, packet.size, flags)
    except struct.error as error:
        raise ValueError(f"a packet does not fit the index: {error}") from error


class Packets(Sequence[Packet]):
    """Packets of one track in decode order, kept as packed rows: 32 bytes each."""

    __slots__ = ("_rows",)

    def __init__(self, rows: bytes = b"") -> None:
        if len(rows) % ROW_BYTES:
            raise ValueError("not a whole number of packet rows")
        self._rows = rows

    @classmethod
    def of(cls, packets: Iterable[Packet]) -> Packets:
        """Raises ValueError for a number that does not fit its field."""
        return cls(b"".join(map(packed, packets)))

    @property
    def rows(self) -> bytes:
        return self._rows

    def __len__(self) -> int:
        return len(self._rows) // ROW_BYTES

    @overload
    def __getitem__(self, at: int) -> Packet: ...
    @overload
    def __getitem__(self, at: slice) -> Packets: ...
    def __getitem__(self, at: int | slice) -> Packet | Packets:
        if isinstance(at, slice):
            start, stop, step = at.indices(len(self))
            if step == 1:
                return Packets(self._rows[start * ROW_BYTES : max(start, stop) * ROW_BYTES])
            return Packets.of(self[row] for row in range(start, stop, step))
        row = range(len(self))[at]
        pts, dts, position, size, flags = _ROW.unpack_from(self._rows, row * ROW_BYTES)
        return Packet(pts, dts, position, size, bool(flags & _SYNC), not flags & _HIDDEN)

    def __iter__(self) -> Iterator[Packet]:
        # All of them are gone through often, and a film of two hours has half a million.
        for pts, dts, position, size, flags in _ROW.iter_unpack(self._rows):
            yield Packet(pts, dts, position, size, bool(flags & _SYNC), not flags & _HIDDEN)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Packets) and self._rows == other._rows

    def __hash__(self) -> int:
        return hash(self._rows)

    def __repr__(self) -> str:
        return f"<{len(self)} packets>"


@dataclass(frozen=True, slots=True)
class TrackTable:
    """All packets of one stream."""

    stream: int
    """Index of the stream as ffprobe counts all streams of the file."""
    timebase: Fraction
    """Seconds per tick."""
    packets: Packets
    description: bytes = b""
    """What excerpts begin with, see `excerpt.description`."""


@dataclass(frozen=True, slots=True)
class Index:
    """What the chunker found out about a source, for every task that reads it."""

    head: tuple[ByteRange, ...]
    """Everything a demuxer needs besides packets: all boxes but the media data's payload."""
    tracks: tuple[TrackTable, ...]

    def track(self, stream: int) -> TrackTable:
        """Raises KeyError."""
        for track in self.tracks:
            if track.stream == stream:
                return track
        raise KeyError(stream)


@dataclass(frozen=True, slots=True)
class TrackEntry:
    """A track as the header of an index object tells of it."""

    stream: int
    timebase: Fraction
    count: int
    """Packets of the track."""
    offset: int
    """Of its first row in the index object."""
    description: ByteRange | None
    """Where in the index object that is which excerpts begin with; None where there is none."""


@dataclass(frozen=True, slots=True)
class IndexHeader:
    """The first HEADER_BYTES of an index object."""

    head: tuple[ByteRange, ...]
    tracks: tuple[TrackEntry, ...]

    def track(self, stream: int) -> TrackEntry:
        """Raises KeyError."""
        for track in self.tracks:
            if track.stream == stream:
                return track
        raise KeyError(stream)

    def table_range(self, stream: int, first: int, stop: int) -> ByteRange:
        """Where rows [first, stop) of a stream lie in the index object.

        Raises KeyError for an unknown stream, ValueError for rows that are not there (or none).
        """
        track = self.track(stream)
        if not 0 <= first < stop <= track.count:
            raise ValueError(f"rows [{first}, {stop}) of a table of {track.count}")
        return ByteRange(track.offset + first * ROW_BYTES, track.offset + stop * ROW_BYTES)


def encode(index: Index) -> bytes:
    """The index object. Raises ValueError for more ranges or tracks than the header holds."""
    if len(index.head) > MAX_HEAD_RANGES or len(index.tracks) > MAX_TRACKS:
        raise ValueError(f"{len(index.head)} header ranges, {len(index.tracks)} tracks: too many")
    header = bytearray(_FIXED.pack(_MAGIC, _VERSION, len(index.head), len(index.tracks)))
    for each in index.head:
        header += _RANGE.pack(each.start, each.stop)
    offset = HEADER_BYTES
    for track in index.tracks:
        header += _TRACK.pack(
            track.stream,
            track.timebase.numerator,
            track.timebase.denominator,
            len(track.description),
            len(track.packets),
            offset,
        )
        offset += len(track.packets.rows)
    header += bytes(HEADER_BYTES - len(header))
    return b"".join(
        (
            bytes(header),
            *(track.packets.rows for track in index.tracks),
            *(track.description for track in index.tracks),
        )
    )


def decode_header(data: bytes) -> IndexHeader:
    """The header from the first HEADER_BYTES (more does no harm). Raises ValueError."""
    if len(data) < HEADER_BYTES:
        raise ValueError(f"an index header is {HEADER_BYTES} bytes, not {len(data)}")
    magic, version, ranges, tracks = _FIXED.unpack_from(data)
    if magic != _MAGIC or version != _VERSION:
        raise ValueError("not a packet index of this version")
    if ranges > MAX_HEAD_RANGES or tracks > MAX_TRACKS:
        raise ValueError("damaged packet index")
    at = _FIXED.size
    head = tuple(
        ByteRange(*_RANGE.unpack_from(data, at + row * _RANGE.size)) for row in range(ranges)
    )
    at += ranges * _RANGE.size
    rows = [_TRACK.unpack_from(data, at + row * _TRACK.size) for row in range(tracks)]
    rest = max((offset + count * ROW_BYTES for *_, count, offset in rows), default=HEADER_BYTES)
    entries = []
    for stream, num, den, described, count, offset in rows:
        if not num or not den:
            raise ValueError("damaged packet index")
        description = ByteRange(rest, rest + described) if described else None
        entries.append(TrackEntry(stream, Fraction(num, den), count, offset, description))
        rest += described
    return IndexHeader(head, tuple(entries))


def decode_packets(data: bytes) -> Packets:
    """The rows read from a `table_range`. Raises ValueError."""
    return Packets(data)


def decode(data: bytes) -> Index:
    """The whole index object. Raises ValueError."""
    header = decode_header(data)
    tracks = []
    for entry in header.tracks:
        rows = data[entry.offset : entry.offset + entry.count * ROW_BYTES]
        if len(rows) != entry.count * ROW_BYTES:
            raise ValueError("cut-off packet index")
        where = entry.description
        described = data[where.start : where.stop] if where else b""
        tracks.append(TrackTable(entry.stream, entry.timebase, Packets(rows), described))
    return Index(header.head, tuple(tracks))


def seek_us(packets: Packets, timebase: Fraction) -> int:
    """Where to seek, in microseconds, so that reading starts with the first of these packets.

    The demuxer looks for the last sync sample decoded before a time and presented by then; so it
    is a time from the first packet's presentation on, and well before the next one's decoding.
    Across a gap a packet may be decoded long before it is presented.
    """
    first = packets[0]
    later = next((packet for packet in packets[1:] if packet.sync), packets[-1])
    return int((first.pts + max(0, later.dts - first.pts) // 2) * timebase * 1_000_000)


def wanted(packets: Iterable[Packet], *, budget: Fraction = Fraction(2, 100)) -> list[ByteRange]:
    """The sorted byte ranges that hold these packets.

    Gaps (other tracks' packets) are read along, smallest first, while all of them together stay
    within `budget` of the packets' own bytes: fewer requests for few bytes more.
    """
    ranges = union(
        ByteRange(packet.position, packet.position + packet.size)
        for packet in packets
        if packet.size
    )
    left = int(budget * sum(each.size_bytes for each in ranges))
    gaps = [after.start - before.stop for before, after in pairwise(ranges)]
    bridged = set()
    for gap, at in sorted((gap, at) for at, gap in enumerate(gaps)):
        if gap > left:
            break
        left -= gap
        bridged.add(at)
    joined: list[ByteRange] = []
    for at, each in enumerate(ranges):
        if at - 1 in bridged:
            joined[-1] = ByteRange(joined[-1].start, each.stop)
        else:
            joined.append(each)
    return joined
