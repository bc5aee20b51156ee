"""A chunk of an indexed mp4 or mov as a small file of its own.

Before the first packet a demuxer reads the tables of all samples of a movie: megabytes for a film
of hours, in every task that decodes a minute of it. An excerpt lists the chunk's packets alone, in
one fragment (ISO/IEC 14496-12, 8.8) under the source's own description of the track.
"""

from __future__ import annotations

import struct
from itertools import chain, pairwise
from typing import Final

from functions.media.source.index import Packet, Packets
from functions.media.streams import boxes
from functions.media.streams.boxes import Buffer

MAX_DESCRIPTION_BYTES: Final = 64 * 1024
"""Parameter sets and colours need a few hundred bytes; larger ones stay where they are."""

_TRACK: Final = 1
"""The track's number in every excerpt."""
_SYNC: Final = 0x02000000
_NO_SYNC: Final = 0x01010000
_RUN: Final = 0x0001 | 0x0100 | 0x0200 | 0x0400 | 0x0800
"""`trun` with an offset, and of each sample duration, size, flags and composition offset."""
_BASE_IS_MOOF: Final = 0x020000
_SAMPLE: Final = struct.Struct(">IIIi")
_MOST_TICKS: Final = 2**31 - 1


def description(brands: bytes, data: bytes, stream: int) -> bytes:
    """What stands before the fragment in all excerpts of the `stream`-th track.

    `brands` is the source's `ftyp` box, or nothing, `data` its movie box. b"" for a track that
    cannot be taken out so: one that is described in several ways, or in a way that nobody expects.
    """
    try:
        (movie,) = boxes.children(data, 0, len(data))
        inside = list(boxes.children(data, movie.body, movie.stop))
        trak = [box for box in inside if box.kind == b"trak"][stream]
        header = boxes.child(data, movie, b"mvhd")
        made = brands + _box(
            b"moov", bytes(data[header.start : header.stop]), _track(data, trak), _extends()
        )
    except (ValueError, IndexError):
        return b""
    return made if len(made) <= MAX_DESCRIPTION_BYTES else b""


def head(described: bytes, packets: Packets) -> bytes | None:
    """An excerpt up to the first byte of the first packet; the others follow in their order.

    None where the packets cannot be listed so: frames that an edit list cuts away, times before 0
    or that do not grow.
    """
    # Whoever reads takes all composition offsets for too large where one is below 0.
    back = max(0, max(packet.dts - packet.pts for packet in packets))
    start = packets[0].dts - back
    steps = [after.dts - before.dts for before, after in pairwise(packets)]
    offsets = [packet.pts - packet.dts + back for packet in packets]
    if (
        start < 0
        or not all(packet.shown and packet.size for packet in packets)
        or not all(0 < step <= _MOST_TICKS for step in steps)
        or max(offsets) > _MOST_TICKS
    ):
        return None
    rows = zip(packets, chain(steps, steps[-1:] or [1]), offsets, strict=True)
    samples = b"".join(_sample(*row) for row in rows)
    # The offset counts from the fragment's first byte, and has four bytes wherever it leads.
    size = len(_fragment(start, len(packets), samples, 0))
    fragment = _fragment(start, len(packets), samples, size + 16)
    media_bytes = 16 + sum(packet.size for packet in packets)
    return described + fragment + struct.pack(">I4sQ", 1, b"mdat", media_bytes)


def _sample(packet: Packet, duration: int, offset: int) -> bytes:
    return _SAMPLE.pack(duration, packet.size, _SYNC if packet.sync else _NO_SYNC, offset)


def _fragment(start: int, count: int, samples: bytes, offset: int) -> bytes:
    return _box(
        b"moof",
        _full(b"mfhd", 0, 0, struct.pack(">I", 1)),
        _box(
            b"traf",
            _full(b"tfhd", 0, _BASE_IS_MOOF, struct.pack(">I", _TRACK)),
            _full(b"tfdt", 1, 0, struct.pack(">Q", start)),
            _full(b"trun", 0, _RUN, struct.pack(">Ii", count, offset), samples),
        ),
    )


def _track(data: Buffer, trak: boxes.Box) -> bytes:
    """The track with its description and without any sample. Raises ValueError."""
    media = boxes.child(data, trak, b"mdia")
    table = boxes.child(data, boxes.child(data, media, b"minf"), b"stbl")
    described = boxes.child(data, table, b"stsd")
    (count,) = boxes.unpack(">I", data, described.body + 4, described.stop)
    if count != 1:
        raise ValueError("described in several ways")
    kept = [boxes.child(data, media, kind) for kind in (b"mdhd", b"hdlr")]
    handler = kept[1].body + 8
    if data[handler : handler + 4] != b"vide":
        raise ValueError("no track of pictures")
    return _box(
        b"trak",
        _numbered(data, boxes.child(data, trak, b"tkhd")),
        _box(
            b"mdia",
            *(bytes(data[box.start : box.stop]) for box in kept),
            _box(
                b"minf",
                _full(b"vmhd", 0, 1, bytes(8)),
                # All media are in this file.
                _box(b"dinf", _full(b"dref", 0, 0, struct.pack(">I", 1), _full(b"url ", 0, 1))),
                _box(
                    b"stbl",
                    bytes(data[described.start : described.stop]),
                    *(_full(kind, 0, 0, bytes(4)) for kind in (b"stts", b"stsc", b"stco")),
                    _full(b"stsz", 0, 0, bytes(8)),
                ),
            ),
        ),
    )


def _numbered(data: Buffer, header: boxes.Box) -> bytes:
    """The track header with the number that it has in an excerpt."""
    at = 12 + (16 if boxes.full_box(data, header)[0] else 8)
    own = bytearray(data[header.start : header.stop])
    if header.body != header.start + 8 or len(own) < at + 4:
        raise ValueError("a track header that is cut off")
    struct.pack_into(">I", own, at, _TRACK)
    return bytes(own)


def _extends() -> bytes:
    """Says that there are fragments (8.8.3)."""
    return _box(b"mvex", _full(b"trex", 0, 0, struct.pack(">IIIII", _TRACK, 1, 0, 0, 0)))


def _full(kind: bytes, version: int, flags: int, *parts: bytes) -> bytes:
    return _box(kind, struct.pack(">I", version << 24 | flags), *parts)


def _box(kind: bytes, *parts: bytes) -> bytes:
    return struct.pack(">I4s", 8 + sum(map(len, parts)), kind) + b"".join(parts)
