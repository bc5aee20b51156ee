from __future__ import annotations

import json
from fractions import Fraction

import pytest

from functions.media.source import probe, untimed
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

    found = untimed.counted("avi", table(0, 2, 4), Fraction(1, 50))
    assert found is not None
    numbered, frame_s = found
    assert ([packet.pts for packet in numbered.packets], frame_s) == ([0, 1, 2], Fraction(1, 25))
    assert numbered.complete
    assert not numbered.located
    for stored in ((0, 2, 3), (0,), (), (0, 0, 0)):
        assert untimed.counted("avi", table(*stored), Fraction(1, 50)) is None


def test_pictures_of_mxf_are_numbered_where_it_only_says_when_they_are_decoded() -> None:
    def table(*pts: int, complete: bool = True) -> Table:
        packets = Packets.of(Packet(at, row, 100, 10, row == 0) for row, at in enumerate(pts))
        return Table(packets, complete=complete, located=True)

    found = untimed.counted("mxf", table(0, 1, 2, 3), Fraction(1, 25))
    assert found is not None
    assert ([packet.pts for packet in found[0].packets], found[1]) == (
        [0, 1, 2, 3],
        Fraction(1, 25),
    )
    for told in (table(0, 3, 1, 2), table(0, 1, 2, 3, complete=False)):
        assert untimed.ordered("mxf", told)
        assert untimed.counted("mxf", told, Fraction(1, 25)) is None


@pytest.mark.parametrize(
    ("format", "codec", "reordered", "doubtful"),
    [
        ("mxf", "h264", True, True),
        ("mxf", "h264", False, False),
        ("mxf", "mpeg2video", True, False),
        ("avi", "mpeg2video", True, True),
        ("avi", "mpeg4", True, False),
        ("mov", "h264", True, False),
    ],
)
def test_only_reordered_pictures_in_containers_without_times_are_doubted(
    format: str, codec: str, reordered: bool, doubtful: bool
) -> None:
    said = {"codec_type": "video", "codec_name": codec, "time_base": "1/25", "index": 0}
    answer = json.dumps({"streams": [said | {"has_b_frames": int(reordered)}]}).encode()
    assert untimed.doubtful(format, probe.read_streams(answer).video[0]) == doubtful
