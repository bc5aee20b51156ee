"""The map from output frames to source frames, by two routes that share nothing."""

from __future__ import annotations

from fractions import Fraction

from hypothesis import given, settings
from hypothesis import strategies as st

from functions.media.cutting import timeline
from functions.media.cutting.framerate import (
    MAX_RATE,
    MAX_TIMESCALE,
    MIN_RATE,
    STANDARD_RATES,
    median_delta,
)
from functions.media.cutting.timeline import Slots, Timeline

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
