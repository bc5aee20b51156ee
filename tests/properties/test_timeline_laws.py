"""The map from output frames to source frames, by two routes that share nothing."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from functions.media.cutting import timeline
from functions.media.cutting.framerate import (
    MAX_RATE,
    MAX_TIMESCALE,
    MIN_RATE,
    STANDARD_RATES,
    median_delta,
)
from functions.media.cutting.slots import Slots
from functions.media.cutting.timeline import Timeline

TIMEBASES = st.sampled_from(
    [Fraction(1, 1000), Fraction(1, 90_000), Fraction(1, 600), Fraction(1001, 24_000),
     Fraction(1, 15_360), Fraction(1, 25)]
)  # fmt: skip
PRESENTED = st.builds(
    lambda origin, deltas: [origin + sum(deltas[:n]) for n in range(len(deltas) + 1)],
    st.integers(-5000, 200_000),
    st.lists(st.integers(1, 4000), max_size=30),
)


def nearest(time: Fraction) -> int:
    """To the nearest integer, halves away from zero: said in another way than the code says it."""
    below = time.numerator // time.denominator
    rest = time - below
    if rest == Fraction(1, 2):
        return below + 1 if time > 0 else below
    return below + 1 if rest > Fraction(1, 2) else below


def played(presented: list[int], line: Timeline) -> list[int]:
    """Play the source to a screen that changes its picture once a slot: frame by frame."""
    shown: list[int] = []
    for frame, ticks in enumerate(presented):
        slot = nearest((ticks - line.origin) * line.timebase * line.rate)
        while len(shown) < slot:
            shown.append(frame - 1)
        del shown[slot:]
    while len(shown) < line.frames:
        shown.append(len(presented) - 1)
    return shown[: line.frames]


@settings(deadline=None)
@given(PRESENTED, TIMEBASES)
def test_each_output_frame_shows_what_a_screen_would_show(
    presented: list[int], timebase: Fraction
) -> None:
    line = timeline.plan(presented, timebase, segment_s=4)
    of_source = timeline.source_frames(line, presented)
    assert [of_source(frame) for frame in range(line.frames)] == played(presented, line)


@settings(deadline=None)
@given(PRESENTED, TIMEBASES)
def test_a_timeline_keeps_its_promises(presented: list[int], timebase: Fraction) -> None:
    line = timeline.plan(presented, timebase, segment_s=4)
    assert line.origin == presented[0]
    assert line.frames >= 1
    assert MIN_RATE <= line.rate <= MAX_RATE
    assert (line.timescale / line.rate).denominator == 1
    assert 0 < line.timescale <= MAX_TIMESCALE
    assert line.segment_frames >= 1
    assert abs(line.segment_frames - 4 * line.rate) <= Fraction(1, 2)
    if line.constant:
        assert line.frames == len(presented)
        for frame, ticks in enumerate(presented):
            off = (ticks - line.origin) * timebase - frame / line.rate
            assert abs(off) <= 1 / (2 * line.rate)
    else:
        assert line.rate in STANDARD_RATES
        lasts = presented[-1] - line.origin + median_delta(presented)
        assert abs(line.duration_s - lasts * timebase) <= max(
            1 / (2 * line.rate), 1 / line.rate if line.frames == 1 else Fraction(0)
        )


@settings(deadline=None)
@given(st.integers(-(10**6), 10**6), TIMEBASES, st.sampled_from(STANDARD_RATES))
def test_slots_round_as_defined(ticks: int, timebase: Fraction, rate: Fraction) -> None:
    assert Slots(0, timebase, rate).of(ticks) == nearest(ticks * timebase * rate)


ASCENDING = st.builds(
    lambda origin, deltas: [origin + sum(deltas[:n]) for n in range(len(deltas) + 1)],
    st.integers(-5000, 200_000),
    st.lists(st.one_of(st.integers(1, 400), st.integers(1, 400_000)), min_size=1, max_size=30),
)
SEGMENTS = st.integers(1, 6)


def seen(presented: list[int], timebase: Fraction) -> list[tuple[Fraction, int]]:
    """When a variable stream shows which source frame, by seconds: each at its own time, and at
    every whole second in between as long as it lasts more than one."""
    last = presented[-1] + median_delta(presented)
    shown = []
    for frame, (start, end) in enumerate(zip(presented, [*presented[1:], last], strict=True)):
        at, stop = ((ticks - presented[0]) * timebase for ticks in (start, end))
        shown.append((at, frame))
        if stop - at > 1:
            shown += [(Fraction(k), frame) for k in range(int(at) + 1, -int(-stop // 1))]
    return shown


@settings(deadline=None)
@given(ASCENDING, TIMEBASES, SEGMENTS)
def test_a_variable_timeline_shows_every_frame_at_its_own_time(
    presented: list[int], timebase: Fraction, segment_s: int
) -> None:
    line = timeline.plan(presented, timebase, segment_s=segment_s, variable=True)
    assume(line.variable)
    shown = seen(presented, timebase)
    of_source = timeline.source_frames(line, presented)
    assert line.frames == len(shown)
    assert [of_source(frame) for frame in range(line.frames)] == [frame for _, frame in shown]
    again = [at for (at, frame), (_, before) in zip(shown[1:], shown, strict=False)
             if frame == before]  # fmt: skip
    assert timeline.repeats(line, presented) == again
    times = [at for at, _ in shown] + [line.duration_s]
    assert all(0 < after - before <= 1 for before, after in pairwise(times))
    for segment in range(line.segments):
        first = line.start_of(segment)
        assert times[first] == Fraction(line.ticks_of(first), line.timescale)
        assert segment * segment_s <= times[first] < segment * segment_s + 1
    assert line.longest_segment_s < segment_s + 1


@settings(deadline=None)
@given(PRESENTED, TIMEBASES, SEGMENTS, st.booleans())
def test_segments_share_out_all_frames_and_all_time(
    presented: list[int], timebase: Fraction, segment_s: int, variable: bool
) -> None:
    line = timeline.plan(presented, timebase, segment_s=segment_s, variable=variable)
    assert line.start_of(0) == 0
    assert line.start_of(line.segments) == line.frames
    assert sum(map(line.segment_ticks, range(line.segments))) == line.end_ticks
    assert line.duration_s == Fraction(line.end_ticks, line.timescale)
    for segment in range(line.segments):
        first, stop = line.start_of(segment), line.start_of(segment + 1)
        assert 0 < stop - first <= line.segment_frames
        assert {line.segment_of(frame) for frame in range(first, stop)} == {segment}
        assert [frame for frame in range(first, stop) if line.starts(frame)] == [first]
        assert line.segment_ticks(segment) > 0
        assert Fraction(line.segment_ticks(segment), line.timescale) <= line.longest_segment_s


@settings(deadline=None)
@given(PRESENTED, TIMEBASES)
def test_a_constant_source_is_the_same_whatever_is_asked_for(
    presented: list[int], timebase: Fraction
) -> None:
    line = timeline.plan(presented, timebase, segment_s=4)
    assume(line.constant)
    assert timeline.plan(presented, timebase, segment_s=4, variable=True) == line


@given(st.integers(1, 10**6), st.sampled_from([1, 1000, 90_000]))
def test_stillness_does_not_become_frames_without_limit(hours: int, ticks_a_second: int) -> None:
    presented = [0, ticks_a_second // 25 + 1, hours * 3600 * ticks_a_second]
    line = timeline.plan(presented, Fraction(1, ticks_a_second), segment_s=4)
    slowest = line.rate == min(STANDARD_RATES)
    assert line.frames <= timeline.most_frames(presented) or slowest
