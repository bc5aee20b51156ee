"""Excerpts, read back by what reads the segments of encoders."""

from __future__ import annotations

import struct
from itertools import accumulate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.media.source import excerpt
from functions.media.source.index import Packet, Packets
from functions.media.streams import boxes

BRANDS = b"\0\0\0\x10ftypisom\0\0\0\0"


def box(kind: bytes, *parts: bytes) -> bytes:
    return struct.pack(">I4s", 8 + sum(map(len, parts)), kind) + b"".join(parts)


def full(kind: bytes, *parts: bytes) -> bytes:
    return box(kind, bytes(4), *parts)


def track(
    number: int, *, entries: int = 1, kind: bytes = b"tkhd", handler: bytes = b"vide"
) -> bytes:
    described = full(b"stsd", struct.pack(">I", entries), *(box(b"mp4v", bytes(70)),) * entries)
    table = box(b"stbl", described, full(b"stts", struct.pack(">III", 1, 9, 40)))
    named = full(b"hdlr", bytes(4), handler, bytes(12))
    media = box(b"mdia", full(b"mdhd", bytes(20)), named, box(b"minf", table))
    return box(b"trak", full(kind, bytes(8), struct.pack(">I", number), bytes(68)), media)


def movie(*tracks: bytes) -> bytes:
    return box(b"moov", full(b"mvhd", bytes(96)), *tracks)


def find(data: bytes, *path: bytes) -> boxes.Box:
    found = boxes.Box(b"", 0, 0, len(data))
    for kind in path:
        found = boxes.child(data, found, kind)
    return found


def packets(*times: tuple[int, int], **facts: bool) -> Packets:
    """Of these presentation and decoding times, the first a sync sample, of 10, 11, 12 … bytes."""
    return Packets.of(
        Packet(pts, dts, 1000 * at, 10 + at, facts.get("sync", at == 0), facts.get("shown", True))
        for at, (pts, dts) in enumerate(times)
    )


def test_a_description_is_the_track_without_its_samples() -> None:
    made = excerpt.description(BRANDS, movie(track(7), track(8)), 1)
    assert made.startswith(BRANDS)
    stbl = (b"moov", b"trak", b"mdia", b"minf", b"stbl")
    assert find(made, *stbl, b"stsd").stop - find(made, *stbl, b"stsd").start == 16 + 78
    times = find(made, *stbl, b"stts")
    assert made[times.body : times.stop] == bytes(8)
    header = find(made, b"moov", b"trak", b"tkhd")
    extends = find(made, b"moov", b"mvex", b"trex")
    # The number that the fragments name, whatever it was.
    assert struct.unpack_from(">I", made, header.body + 12) == (1,)
    assert struct.unpack_from(">I", made, extends.body + 4) == (1,)


@pytest.mark.parametrize(
    ("data", "stream"),
    [
        (movie(track(1)), 1),
        (movie(track(1, handler=b"soun")), 0),
        (movie(track(1, entries=2)), 0),
        (movie(track(1, kind=b"free")), 0),
        (movie(track(1))[:-1], 0),
        (movie(track(1)) + movie(), 0),
        (b"", 0),
    ],
    ids=[
        "no such track",
        "sound",
        "described twice",
        "no header",
        "cut off",
        "two movies",
        "nothing",
    ],
)
def test_of_a_track_that_cannot_be_taken_out_there_is_no_description(
    data: bytes, stream: int
) -> None:
    assert excerpt.description(BRANDS, data, stream) == b""


TIMES = st.lists(st.tuples(st.integers(1, 500), st.integers(-900, 900)), min_size=1, max_size=30)


@given(TIMES)
def test_every_packet_is_listed_with_its_time_its_size_and_whether_decoding_can_start_there(
    drawn: list[tuple[int, int]],
) -> None:
    dts = list(accumulate(step for step, _ in drawn))
    wanted = packets(
        *((at + 2000 + late, at + 2000) for at, (_, late) in zip(dts, drawn, strict=True))
    )
    head = excerpt.head(b"", wanted)
    assert head is not None
    run, start = (
        find(head[:-16], b"moof", b"traf", b"trun"),
        find(head[:-16], b"moof", b"traf", b"tfdt"),
    )
    (time,) = struct.unpack_from(">Q", head, start.body + 4)
    count, offset = struct.unpack_from(">Ii", head, run.body + 4)
    assert (count, offset) == (len(wanted), len(head))
    for packet, (duration, size, flags, late) in zip(
        wanted, struct.iter_unpack(">IIIi", head[run.body + 12 : run.stop]), strict=True
    ):
        assert late >= 0
        assert (time + late, size, not flags & 0x10000) == (packet.pts, packet.size, packet.sync)
        time += duration
    kind, media_bytes = struct.unpack(">4sQ", head[-12:])
    assert (kind, media_bytes) == (b"mdat", 16 + sum(packet.size for packet in wanted))


@pytest.mark.parametrize(
    "wanted",
    [
        packets((0, -1), (40, 39)),
        packets((9, 9), (0, 12)),
        packets((0, 0), (40, 0)),
        packets((0, 0), (40, 40), shown=False),
        packets((0, 0), (40, 2**31)),
        packets((2**31, 0), (40, 40)),
    ],
    ids=["before 0", "shown before 0", "at one time", "cut away", "after a gap", "far ahead"],
)
def test_packets_that_a_fragment_cannot_list_are_not_listed(wanted: Packets) -> None:
    assert excerpt.head(b"", wanted) is None
