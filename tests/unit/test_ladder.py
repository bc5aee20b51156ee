from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from functions.media.encoding.ladder import Step, rungs
from functions.media.encoding.rendition import VideoRendition

STEPS = tuple(
    Step(short_side=short, maxrate_bps=short * 5000, bufsize_bits=short * 10_000)
    for short in (1080, 720, 480, 360, 240)
)


def sizes(width: Fraction | int, height: Fraction | int) -> list[tuple[str, int, int]]:
    return [(each.name, each.width, each.height) for each in _rungs(width, height)]


def _rungs(width: Fraction | int, height: Fraction | int) -> tuple[VideoRendition, ...]:
    return rungs(
        STEPS,
        display_width=Fraction(width),
        display_height=Fraction(height),
        preset="medium",
        crf=23,
    )


def test_a_film_gets_every_step_up_to_its_own_size() -> None:
    assert sizes(1280, 720) == [
        ("720p", 1280, 720),
        ("480p", 854, 480),
        ("360p", 640, 360),
        ("240p", 426, 240),
    ]


def test_a_portrait_counts_by_its_short_side() -> None:
    assert sizes(1080, 1920)[:2] == [("1080p", 1080, 1920), ("720p", 720, 1280)]


def test_a_picture_below_the_lowest_step_keeps_its_own_even_size() -> None:
    assert sizes(321, 181) == [("180p", 320, 180)]
    assert sizes(64, 48) == [("48p", 64, 48)]


def test_a_picture_well_above_a_step_gets_its_own_too() -> None:
    assert sizes(1276, 718)[0] == ("718p", 1276, 718)
    assert sizes(Fraction(720 * 59, 54), 576)[0] == ("576p", 786, 576)


def test_a_wide_picture_loses_no_rung_for_its_shape() -> None:
    assert sizes(1920, 816)[:3] == [("1080p", 1920, 816), ("720p", 1280, 544), ("480p", 854, 362)]
    assert sizes(640, 272) == [("360p", 640, 272), ("240p", 426, 182)]
    assert sizes(816, 1920)[0] == ("1080p", 816, 1920)


def test_a_picture_that_is_not_wide_is_as_high_as_its_rung() -> None:
    assert sizes(1440, 1080)[:2] == [("1080p", 1440, 1080), ("720p", 960, 720)]
    assert sizes(1080, 1080)[1] == ("720p", 720, 720)


def test_its_rates_lie_below_those_of_the_step_above() -> None:
    own = _rungs(1276, 718)[0]
    assert STEPS[2].maxrate_bps < own.maxrate_bps < STEPS[1].maxrate_bps


def test_odd_sizes_become_even() -> None:
    assert sizes(853, 481)[0] == ("480p", 852, 480)


@settings(deadline=None)
@given(st.fractions(16, 8192), st.fractions(16, 8192))
def test_no_rung_is_enlarged_odd_or_bent(width: Fraction, height: Fraction) -> None:
    found = _rungs(width, height)
    assert found
    assert len({each.name for each in found}) == len(found)
    assert [each.width for each in found] == sorted((each.width for each in found), reverse=True)
    for each in found:
        assert each.width % 2 == each.height % 2 == 0
        assert 2 <= each.width <= width
        assert 2 <= each.height <= height
        scale = Fraction(max(each.width, each.height)) / max(width, height)
        assert abs(each.width - width * scale) <= 2
        assert abs(each.height - height * scale) <= 2


def test_a_step_named_twice_counts_once() -> None:
    found = rungs(
        (STEPS[4], STEPS[4]),
        display_width=Fraction(640),
        display_height=Fraction(240),
        preset="fast",
        crf=20,
    )
    assert [each.name for each in found] == ["240p"]


@pytest.mark.parametrize(("width", "height"), [(1, 1), (3, 1000)])
def test_even_the_smallest_picture_has_a_rung(width: int, height: int) -> None:
    assert all(each.width >= 2 and each.height >= 2 for each in _rungs(width, height))
