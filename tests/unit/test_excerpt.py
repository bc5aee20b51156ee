"""Excerpts, read back box by box."""

from __future__ import annotations

import struct
from itertools import accumulate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.media.source import excerpt
from functions.media.source.byterange import ByteRange
from functions.media.source.index import Packet, Packets
from functions.media.streams import boxes
from tests.corpus.atoms import box, full

BRANDS = b"\0\0\0\x10ftypisom\0\0\0\0"
CLOCK = 12_800
APART = 50
TABLE = (b"moov", b"trak", b"mdia", b"minf", b"stbl")


def track(
    number: int,
    *,
    entries: int = 1,
    described_bytes: int = 70,
    handler: bytes = b"vide",
    clock: int = CLOCK,
) -> bytes:
    entry = box(b"mp4v", bytes(described_bytes))
    described = full(b"stsd", struct.pack(">I", entries), *(entry,) * entries)
    table = box(b"stbl", described, full(b"stts", struct.pack(">III", 1, 9, 40)))
    media = box(
        b"mdia",
        full(b"mdhd", bytes(8), struct.pack(">I", clock), bytes(8)),
        full(b"hdlr", bytes(4), handler, bytes(12)),
        box(b"minf", table),
    )
    return box(b"trak", full(b"tkhd", bytes(8), struct.pack(">I", number), bytes(68)), media)


def movie(*tracks: bytes) -> bytes:
    return box(b"moov", full(b"mvhd", bytes(8), struct.pack(">I", 1000), bytes(84)), *tracks)


def described(data: bytes, number: int) -> bytes:
    where = ByteRange(4, 4 + len(data))
    return excerpt.description(b"much" + data, where, BRANDS, number=number, timescale=CLOCK)


def find(data: bytes, *path: bytes) -> boxes.Box:
    found = boxes.Box(b"", 0, 0, len(data))
    for kind in path:
        found = boxes.child(data, found, kind)
    return found


def numbers(data: bytes, kind: bytes) -> list[int]:
    """What a table holds behind its version and flags."""
    table = find(data, *TABLE, kind)
    return [number for (number,) in struct.iter_unpack(">I", data[table.body + 4 : table.stop])]


def runs(values: list[int]) -> list[int]:
    return [
        value for count, value in zip(values[1::2], values[2::2], strict=True) for _ in range(count)
    ]


def packets(*times: tuple[int, int], shown: bool = True, apart: int = APART) -> Packets:
    """Of these presentation and decoding times, the first a sync sample, of 10, 11, 12 … bytes,
    stored from the last to the first."""
    return Packets.of(
        Packet(pts, dts, apart * (len(times) - at), 10 + at, at == 0, shown)
        for at, (pts, dts) in enumerate(times)
    )


def test_a_description_is_the_track_without_its_samples() -> None:
    made = described(movie(track(7), track(8, described_bytes=71)), 8)
    assert made.startswith(BRANDS)
    entry = find(made, *TABLE, b"stsd")
    assert entry.stop - entry.start == 16 + 79
    # The number and the clock that an excerpt goes by, whatever they were.
    header, clock = find(made, b"moov", b"trak", b"tkhd"), find(made, b"moov", b"mvhd")
    assert struct.unpack_from(">I", made, header.body + 12) == (1,)
    assert struct.unpack_from(">I", made, clock.body + 12) == (CLOCK,)


@pytest.mark.parametrize(
    "data",
    [
        movie(track(2)),
        movie(track(1), track(1)),
        movie(track(1, handler=b"soun")),
        movie(track(1, clock=CLOCK + 1)),
        movie(track(1, entries=2)),
        movie(track(1, described_bytes=excerpt.MAX_BOX_BYTES)),
        movie(track(1))[:-1],
        movie(track(1)) + movie(),
        b"nonsense",
    ],
    ids=[
        "no such track", "two such tracks", "sound", "another clock", "described twice",
        "described at length", "cut off", "two movies", "nonsense",
    ],
)  # fmt: skip
def test_of_a_track_that_cannot_be_taken_out_there_is_no_description(data: bytes) -> None:
    assert described(data, 1) == b""


TIMES = st.lists(st.tuples(st.integers(1, 500), st.integers(-900, 900)), min_size=1, max_size=30)


@given(TIMES, st.integers(1000, 2**40), st.integers(1, 3000))
def test_every_packet_is_listed_with_its_time_its_size_and_whether_decoding_can_start_there(
    drawn: list[tuple[int, int]], start: int, piece: int
) -> None:
    dts = list(accumulate((step for step, _ in drawn), initial=start))[1:]
    times = zip(dts, drawn, strict=True)
    wanted = packets(*((at + late, at) for at, (_, late) in times))
    made = excerpt.of(described(movie(track(1)), 1), wanted)
    assert made is not None
    head = made.head[: -excerpt._DATA_HEADER_BYTES]
    edits = find(head, b"moov", b"trak", b"edts", b"elst")
    _, empty, _, _, _, begins = struct.unpack_from(">IQqiQq", head, edits.body + 4)
    durations, late = runs(numbers(head, b"stts")), runs(numbers(head, b"ctts"))
    decoded = list(accumulate(durations, initial=0))[:-1]
    shown = [empty + at + more - begins for at, more in zip(decoded, late, strict=True)]
    assert shown == [packet.pts for packet in wanted]
    assert numbers(head, b"stsz")[2:] == [packet.size for packet in wanted]
    assert numbers(head, b"stss")[1:] == [1]
    assert struct.unpack(">4sQ", made.head[-12:]) == (b"mdat", 16 + sum(p.size for p in wanted))
    # And its bytes go there, in whatever pieces they are read.
    table = find(head, *TABLE, b"co64")
    (offset,) = struct.unpack_from(">Q", head, table.body + 8)
    assert offset == len(made.head)
    source = bytes(at % 251 for at in range(APART * (len(wanted) + 1)))
    file = bytearray(offset + sum(packet.size for packet in wanted))
    for first in range(0, len(source), piece):
        for place, part in made.places(first, source[first : first + piece]):
            file[place : place + len(part)] = part
    assert bytes(file[offset:]) == b"".join(
        source[packet.position : packet.position + packet.size] for packet in wanted
    )


def test_a_film_that_begins_at_0_has_nothing_before_it() -> None:
    made = excerpt.of(described(movie(track(1)), 1), packets((0, 0), (40, 40)))
    assert made is not None
    edits = find(made.head[:-16], b"moov", b"trak", b"edts", b"elst")
    assert struct.unpack_from(">I", made.head, edits.body + 4) == (1,)


@pytest.mark.parametrize(
    "wanted",
    [
        packets((-1, -1), (40, 39)),
        packets((0, 0), (40, 0)),
        packets((0, 0), (40, 40), shown=False),
        packets((0, 0), (40, 2**31)),
        packets((2**28, 0), (40, 40)),
        packets((0, 0), (40, 40), apart=9),
    ],
    ids=["before 0", "at one time", "cut away", "after a gap", "far ahead", "one in another"],
)
def test_packets_that_cannot_be_listed_are_not_listed(wanted: Packets) -> None:
    assert excerpt.of(described(movie(track(1)), 1), wanted) is None
