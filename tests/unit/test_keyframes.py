from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from functions.media.source import keyframes, probe
from functions.media.source.index import Packet, Packets
from functions.media.source.probe import Table


def table(*pts: int, sync: int | None, hidden: int = -1) -> Packets:
    """Packets presented at these ticks, in decode order; `sync` is the row of the one keyframe,
    `hidden` of one that an edit list cuts away."""
    return Packets.of(
        Packet(ticks, row, 100 * row, 10, row == sync, row != hidden)
        for row, ticks in enumerate(pts)
    )


def rows(packets: Packets) -> list[int]:
    """Those that are shown."""
    return [row for row, packet in enumerate(packets) if packet.shown]


def test_what_is_decoded_before_the_first_keyframe_and_what_leads_it_is_not_shown() -> None:
    cut = table(1, 3, 2, 7, 5, 6, 8, 9, sync=3)
    assert rows(keyframes.shown(cut, strict=False)) == [3, 6, 7]
    assert rows(keyframes.shown(cut, strict=True)) == [3, 6, 7]
    assert keyframes.before(cut) == 3


def test_what_leads_a_film_hangs_on_nothing_in_a_closed_group() -> None:
    leads = table(3, 1, 2, 4, sync=0)
    assert rows(keyframes.shown(leads, strict=True)) == [0, 3]
    assert keyframes.shown(leads, strict=False) is leads


def test_what_an_edit_list_hides_stays_hidden() -> None:
    assert rows(keyframes.shown(table(0, 1, 2, 3, sync=1, hidden=1), strict=True)) == [2, 3]


def test_a_table_without_keyframes_or_that_begins_with_one_stays_as_it_is() -> None:
    for packets in (Packets(), table(0, 1, 2, sync=None), table(0, 1, 2, sync=0)):
        assert keyframes.shown(packets, strict=True) is packets


def test_a_keyframe_whose_own_time_is_wrong_hides_no_film() -> None:
    late = table(10_000, *range(300), sync=0)
    assert keyframes.shown(late, strict=True) is late


def test_only_of_codecs_whose_pictures_hang_on_others_is_anything_hidden() -> None:
    found = Table(table(0, 1, 2, sync=1), complete=True, located=True)
    said = [
        {"index": at, "codec_type": "video", "codec_name": codec, "time_base": "1/25"}
        for at, codec in enumerate(("h264", "mjpeg"))
    ]
    media = probe.read_streams(json.dumps({"streams": said}).encode())
    tables = keyframes.entered({0: found, 1: found, 2: found}, media.video)
    assert [rows(tables[at].packets) for at in range(3)] == [[1, 2], [0, 1, 2], [0, 1, 2]]


@given(
    st.lists(st.tuples(st.integers(0, 50), st.booleans(), st.booleans()), max_size=90),
    st.booleans(),
)
def test_nothing_but_what_is_shown_changes_and_nothing_hidden_comes_back(
    found: list[tuple[int, bool, bool]], strict: bool
) -> None:
    packets = Packets.of(
        Packet(pts, row, row, 1, sync, shown) for row, (pts, sync, shown) in enumerate(found)
    )
    made = keyframes.shown(packets, strict=strict)
    first = keyframes.before(packets)
    assert [packet._replace(shown=True) for packet in made] == [
        packet._replace(shown=True) for packet in packets
    ]
    assert all(was.shown or not now.shown for was, now in zip(packets, made, strict=True))
    assert not any(packet.shown for packet in made[:first])
    # What is decoded behind the leading ones stays as it was.
    assert [*made[first + keyframes.MOST_LEADING :]] == [*packets[first + keyframes.MOST_LEADING :]]
    assert keyframes.shown(made, strict=strict) == made
