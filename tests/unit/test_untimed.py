from __future__ import annotations

from fractions import Fraction

import pytest

from functions.media.source import untimed
from functions.media.source.index import Packet, Packets
from functions.media.source.probe import Table, Unreadable

CLOCK = Fraction(1, 1_200_000)


def test_raw_pictures_are_numbered_and_last_as_long_as_the_stream_says() -> None:
    answer = b"40040,9705,0,K__\n40040,6286,9705,___\n40040,5242,15991,___\n"
    table, frame_s = untimed.read(answer, CLOCK)
    assert frame_s == Fraction(1001, 30_000)
    assert [(packet.pts, packet.position, packet.sync) for packet in table.packets] == [
        (0, 0, True),
        (1, 9705, False),
        (2, 15991, False),
    ]
    assert table.complete


@pytest.mark.parametrize(
    "answer", [b"", b"N/A,100,0,K__\n", b"0,100,0,K__\n", b"x,1,2,K\n", b"1,-5,0,K\n"]
)
def test_pictures_of_which_nothing_is_said_are_not_read(answer: bytes) -> None:
    with pytest.raises(Unreadable):
        untimed.read(answer, CLOCK)


def test_pictures_of_avi_are_numbered_unless_places_between_them_are_empty() -> None:
    def table(*stored: int) -> Table:
        packets = Packets.of(Packet(0, dts, 100, 10, dts == 0) for dts in stored)
        return Table(packets, complete=False, located=True)

    found = untimed.of_avi(table(0, 2, 4), Fraction(1, 50))
    assert found is not None
    numbered, frame_s = found
    assert ([packet.pts for packet in numbered.packets], frame_s) == ([0, 1, 2], Fraction(1, 25))
    assert numbered.complete
    assert not numbered.located
    for stored in ((0, 2, 3), (0,), (), (0, 0, 0)):
        assert untimed.of_avi(table(*stored), Fraction(1, 50)) is None
