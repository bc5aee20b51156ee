from __future__ import annotations

from fractions import Fraction

import pytest

from functions.media.cutting import timeline
from functions.media.cutting.framerate import MAX_TIMESCALE, timescale_for
from functions.media.cutting.timeline import Timeline


def plan(presented: list[int], timebase: Fraction, **given: object) -> Timeline:
    rate = given.get("nominal_rate")
    assert rate is None or isinstance(rate, Fraction)
    return timeline.plan(presented, timebase, segment_s=4, nominal_rate=rate)


def grid(rate: Fraction, timebase: Fraction, frames: int, origin: int = 0) -> list[int]:
    return [origin + round(n / rate / timebase) for n in range(frames)]


MILLISECONDS = Fraction(1, 1000)
MPEG = Fraction(1, 90_000)


@pytest.mark.parametrize(
    "rate",
    [Fraction(24000, 1001), Fraction(24), Fraction(25), Fraction(30000, 1001), Fraction(30),
     Fraction(50), Fraction(60000, 1001), Fraction(60), Fraction(25, 2)],
)  # fmt: skip
@pytest.mark.parametrize("timebase", [MILLISECONDS, MPEG, Fraction(1, 16_000)])
def test_a_standard_rate_is_found_behind_any_rounding(rate: Fraction, timebase: Fraction) -> None:
    found = plan(grid(rate, timebase, 500, origin=1500), timebase)
    assert (found.rate, found.constant, found.frames) == (rate, True, 500)
    assert found.origin == 1500


@pytest.mark.parametrize(
    ("delta", "timebase"),
    [(767_849, Fraction(1, 23_040_000)), (3001, MPEG), (1, Fraction(1, 17))],
)
def test_an_odd_constant_rate_is_kept_exactly(delta: int, timebase: Fraction) -> None:
    found = plan([n * delta for n in range(512)], timebase)
    assert found.rate == 1 / (delta * timebase)
    assert found.constant
    assert found.frame_ticks * found.rate == found.timescale


def test_an_odd_rate_that_ticks_cannot_say_is_kept_on_average() -> None:
    found = plan([n * 5985 // 2 for n in range(1000)], MPEG)
    assert found.constant
    assert abs(found.rate - 90_000 / Fraction(5985, 2)) < Fraction(1, 1000)


def test_faster_sources_are_halved_to_what_players_know() -> None:
    for fast, slow in ((120, 60), (240, 60), (100, 50), (Fraction(120_000, 1001), None)):
        found = plan(grid(Fraction(fast), Fraction(1, 120_000), 1000), Fraction(1, 120_000))
        assert found.rate == (slow or Fraction(60_000, 1001))
        assert not found.constant
        assert abs(found.frames - 1000 * found.rate / fast) <= 1


def test_a_camera_that_jitters_less_than_half_a_frame_passes_through() -> None:
    found = plan([0, 1498, 2997, 4495, 5994, 7546, 8992, 10_544, 11_989], MPEG)
    assert found.rate in (60, Fraction(60_000, 1001))
    assert (found.constant, found.frames) == (True, 9)


def test_missing_frames_are_filled() -> None:
    found = plan([0, *range(3, 98)], Fraction(1001, 24_000))
    assert (found.rate, found.constant, found.frames) == (Fraction(24000, 1001), False, 98)
    source = timeline.source_frames(found, [0, *range(3, 98)])
    assert [source(n) for n in range(5)] == [0, 0, 0, 1, 2]
    assert source(97) == 95


def test_slides_are_resampled_to_a_rate_that_segments_can_have() -> None:
    found = plan([0, 10_000, 20_000], MILLISECONDS)
    assert found.rate == 5
    assert (found.frames, found.constant) == (150, False)


def test_a_single_frame_lasts_what_its_container_claims() -> None:
    assert plan([7], MPEG, nominal_rate=Fraction(30)).rate == 30
    assert plan([7], MPEG, nominal_rate=Fraction(90_000)).rate == 60
    assert plan([7], MPEG).rate == 25
    assert plan([7], MPEG).frames == 1


def test_nothing_presented_is_no_timeline() -> None:
    with pytest.raises(timeline.NoFrames):
        plan([], MPEG)


@pytest.mark.parametrize(
    ("rate", "timescale"),
    [
        (Fraction(25), 90_000),
        (Fraction(30000, 1001), 90_000),
        (Fraction(24000, 1001), 96_000),
        (Fraction(60000, 1001), 120_000),
        (Fraction(23_040_000, 767_849), 23_040_000),
        (Fraction(25, 2), 90_000),
    ],
)
def test_a_frame_is_a_whole_number_of_ticks(rate: Fraction, timescale: int) -> None:
    assert timescale_for(rate) == timescale
    assert (timescale / rate).denominator == 1


def test_a_rate_beyond_every_timescale_is_refused() -> None:
    with pytest.raises(ValueError, match="timescale"):
        timescale_for(Fraction(MAX_TIMESCALE + 2, 2))


def test_segments_are_four_seconds_to_the_nearest_frame() -> None:
    assert plan(grid(Fraction(30000, 1001), MPEG, 300), MPEG).segment_frames == 120
    assert plan(grid(Fraction(25), MPEG, 300), MPEG).segment_frames == 100


def test_a_picture_that_stands_still_for_years_does_not_become_frames_without_limit() -> None:
    years = 50 * 365 * 86_400_000
    line = timeline.plan([0, 40, 90, years], MILLISECONDS, segment_s=4, variable=True)
    assert not line.variable
