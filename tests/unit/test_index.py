from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from functions.media.source import index
from functions.media.source.byterange import ByteRange, union
from functions.media.source.index import HEADER_BYTES, ROW_BYTES, Index, Packet, Packets, TrackTable

TICKS = st.integers(-(2**62), 2**62)
PACKETS = st.lists(
    st.builds(
        Packet,
        TICKS,
        TICKS,
        st.integers(0, 2**50),
        st.integers(0, 2**32 - 1),
        st.booleans(),
        st.booleans(),
    ),
    max_size=20,
)
TRACKS = st.builds(
    TrackTable,
    st.integers(0, 31),
    st.builds(Fraction, st.integers(1, 2**31), st.integers(1, 2**31)),
    st.builds(Packets.of, PACKETS),
    st.binary(max_size=40),
)
RANGES = st.lists(
    st.builds(lambda start, size: ByteRange(start, start + size), st.integers(0, 2**40),
              st.integers(1, 2**20)),
    max_size=index.MAX_HEAD_RANGES,
)  # fmt: skip
INDEXES = st.builds(
    Index,
    st.builds(tuple, RANGES),
    st.builds(tuple, st.lists(TRACKS, max_size=4, unique_by=lambda track: track.stream)),
)


@settings(deadline=None)
@given(INDEXES)
def test_an_index_reads_back_as_it_was_written(written: Index) -> None:
    assert index.decode(index.encode(written)) == written


@settings(deadline=None)
@given(INDEXES, st.data())
def test_any_rows_are_read_by_header_and_range_alone(written: Index, data: st.DataObject) -> None:
    stored = index.encode(written)
    header = index.decode_header(stored[:HEADER_BYTES])
    assert header.head == written.head
    for track in written.tracks:
        if not track.packets:
            continue
        first = data.draw(st.integers(0, len(track.packets) - 1))
        stop = data.draw(st.integers(first + 1, len(track.packets)))
        rows = header.table_range(track.stream, first, stop)
        read = index.decode_packets(stored[rows.start : rows.stop])
        assert list(read) == list(track.packets)[first:stop]
        entry = header.track(track.stream)
        assert entry.timebase == track.timebase
        where = entry.description
        assert (stored[where.start : where.stop] if where else b"") == track.description


def test_the_largest_header_fits() -> None:
    head = tuple(ByteRange(2 * at, 2 * at + 1) for at in range(index.MAX_HEAD_RANGES))
    tracks = tuple(
        TrackTable(stream, Fraction(1, 90_000), Packets()) for stream in range(index.MAX_TRACKS)
    )
    assert len(index.encode(Index(head, tracks))) == HEADER_BYTES
    with pytest.raises(ValueError, match="too many"):
        index.encode(Index((*head, ByteRange(9999, 10_000)), tracks))


@pytest.mark.parametrize(
    "data",
    [b"", bytes(HEADER_BYTES - 1), bytes(HEADER_BYTES), b"KNRINDEX" + b"\xff" * HEADER_BYTES],
    ids=["empty", "short", "zeros", "another version"],
)
def test_what_is_no_index_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match="index"):
        index.decode_header(data)


def test_a_cut_off_index_is_refused() -> None:
    packets = Packets.of([Packet(0, 0, 10, 10, True)] * 3)
    stored = index.encode(Index((), (TrackTable(0, Fraction(1, 25), packets),)))
    with pytest.raises(ValueError, match="cut-off"):
        index.decode(stored[:-1])
    with pytest.raises(ValueError, match="whole number"):
        index.decode_packets(stored[HEADER_BYTES:-1])


def test_rows_that_are_not_there_are_refused() -> None:
    packets = Packets.of([Packet(0, 0, 10, 10, True)] * 3)
    header = index.decode_header(
        index.encode(Index((), (TrackTable(7, Fraction(1, 25), packets),)))
    )
    assert header.table_range(7, 1, 3).size_bytes == 2 * ROW_BYTES
    for first, stop in ((0, 4), (2, 2), (-1, 2)):
        with pytest.raises(ValueError, match="rows"):
            header.table_range(7, first, stop)
    with pytest.raises(KeyError):
        header.table_range(0, 0, 1)


def test_a_number_that_does_not_fit_is_refused() -> None:
    with pytest.raises(ValueError, match="does not fit"):
        Packets.of([Packet(2**63, 0, 0, 0, True)])


def test_packets_are_sliced_like_a_list() -> None:
    rows = [Packet(at, at, at, 1, at == 0) for at in range(5)]
    packets = Packets.of(rows)
    assert list(packets[1:4]) == rows[1:4]
    assert list(packets[4:1]) == []
    assert list(packets[::2]) == rows[::2]
    assert packets[-1] == rows[-1]
    with pytest.raises(IndexError):
        packets[5]


@settings(deadline=None)
@given(PACKETS, st.fractions(0, 1))
def test_wanted_ranges_hold_every_packet_within_the_budget(
    packets: list[Packet], budget: Fraction
) -> None:
    ranges = index.wanted(packets, budget=budget)
    for packet in packets:
        if packet.size:
            assert any(
                each.start <= packet.position and packet.position + packet.size <= each.stop
                for each in ranges
            )
    assert all(before.stop < after.start for before, after in pairwise(ranges))
    own = sum(
        each.size_bytes
        for each in union(
            ByteRange(packet.position, packet.position + packet.size)
            for packet in packets
            if packet.size
        )
    )
    assert sum(each.size_bytes for each in ranges) <= own * (1 + budget)


def test_the_smallest_gaps_are_read_along_first() -> None:
    packets = [Packet(0, 0, at, 100, True) for at in (0, 103, 205, 400)]
    assert index.wanted(packets, budget=Fraction(3, 100)) == [
        ByteRange(0, 305),
        ByteRange(400, 500),
    ]
