from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.media.streams.join import join
from functions.media.streams.segment import Segment, Stored, Track


def stored(name: str) -> Stored:
    return Stored(key=f"media/job/720p/{name}", size_bytes=1000, sha256=name * 8)


def segment(number: int, *, frames: int = 100) -> Segment:
    return Segment(
        number=number,
        stored=stored(f"{number:05d}"),
        start_ticks=number * 100_000,
        duration_ticks=frames * 1000,
        frames=frames,
    )


def track(*numbers: int, last_frames: int = 100) -> Track:
    segments = [segment(number) for number in numbers]
    if last_frames != 100:
        segments[-1] = segment(numbers[-1], frames=last_frames)
    return Track(
        rendition="720p",
        codecs="avc1.64001f",
        timescale=25_000,
        init=stored("init"),
        segments=tuple(segments),
    )


def with_segment(which: Track, index: int, **changes: int) -> Track:
    segments = list(which.segments)
    segments[index] = replace(segments[index], **changes)  # type: ignore[arg-type]
    return replace(which, segments=tuple(segments))


def test_tracks_become_one() -> None:
    joined = join([track(0, 1), track(2), track(3, 4, last_frames=7)], frames=407)
    assert joined == track(0, 1, 2, 3, 4, last_frames=7)


@given(order=st.permutations(range(5)))
def test_the_order_in_which_tracks_come_does_not_matter(order: list[int]) -> None:
    tracks = [track(n) for n in range(5)]
    assert join([tracks[n] for n in order], frames=500) == track(0, 1, 2, 3, 4)


def test_frames_that_were_not_planned_are_not_counted() -> None:
    assert join([track(0)], frames=None).frames == 100


@pytest.mark.parametrize(
    ("tracks", "frames", "rule"),
    [
        ([], 0, "no track"),
        ([replace(track(0), segments=())], 0, "no segment"),
        ([track(0), replace(track(1), rendition="480p")], 200, "a track of 480p"),
        ([track(0), replace(track(1), init=stored("other"))], 200, "one init segment a rendition"),
        ([track(0), replace(track(1), timescale=90_000)], 200, "codecs or timescale"),
        ([track(0), replace(track(1), codecs="avc1.640028")], 200, "codecs or timescale"),
        ([track(1)], 100, "segment 0 is missing"),
        ([track(0), track(2)], 200, "segment 1 is missing"),
        ([track(0, 1), track(1, 2)], 400, "segment 1 is twice"),
        ([track(0), track(0)], 200, "segment 0 is twice"),
        ([with_segment(track(0), 0, start_ticks=1024)], 100, "time starts at 1024"),
        ([with_segment(track(0, 1), 1, start_ticks=100_001)], 200, "segment 1 starts at 100001"),
        ([with_segment(track(0, 1), 1, start_ticks=99_999)], 200, "ends at 100000"),
        ([with_segment(track(0, 1), 0, duration_ticks=99_000)], 200, "ends at 99000"),
        ([with_segment(track(0, 1), 1, duration_ticks=0)], 200, "segment 1 is empty"),
        ([with_segment(track(0, 1), 1, frames=0)], 100, "segment 1 is empty"),
        ([track(0, 1)], 199, "200 frames, planned 199"),
        ([track(0, 1)], 201, "200 frames, planned 201"),
    ],
)
def test_what_does_not_fit_is_refused_by_the_name_of_the_rule(
    tracks: list[Track], frames: int, rule: str
) -> None:
    with pytest.raises(ValueError, match=rule):
        join(tracks, frames=frames)


def _drop(tracks: list[Track], at: int) -> list[Track]:
    return tracks[:at] + tracks[at + 1 :]


def _double(tracks: list[Track], at: int) -> list[Track]:
    return [*tracks, tracks[at]]


def _shift(tracks: list[Track], at: int) -> list[Track]:
    shifted = with_segment(tracks[at], 0, start_ticks=tracks[at].segments[0].start_ticks + 1)
    return [*tracks[:at], shifted, *tracks[at + 1 :]]


@given(
    count=st.integers(2, 8),
    at=st.integers(0, 7),
    harm=st.sampled_from([_drop, _double, _shift]),
)
def test_no_single_harm_passes(
    count: int, at: int, harm: Callable[[list[Track], int], list[Track]]
) -> None:
    tracks = [track(n) for n in range(count)]
    with pytest.raises(ValueError):
        join(harm(tracks, at % count), frames=100 * count)
