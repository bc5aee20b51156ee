"""What a resampled chunk lacks, told from the pictures that it shows."""

from __future__ import annotations

from fractions import Fraction

import pytest

from functions.media.cutting import loss
from functions.media.cutting.loss import Loss
from functions.media.cutting.timeline import Timeline

LINE = Timeline(
    timebase=Fraction(1, 1000),
    origin=500,
    rate=Fraction(10),
    frames=20,
    constant=False,
    timescale=90_000,
    segment_frames=10,
)
PRESENTED = (700, 500, 1000, 1020, 1300, 1500, 1700, 2400)
"""In slots 2, 0, 5, 5, 8, 10, 12 and 19."""


def lines(*numbers: int | str) -> str:
    return "".join(f"{number}\n" for number in numbers)


@pytest.mark.parametrize(
    ("numbers", "shown"),
    [
        ((0, 0, 1, 1, 1, 3, 3, 3, 4, 4), 4),
        ((0, 0, 1, 1, 1, 1, 1, 1, 4, 4), 3),
        ((0,) * 10, 1),
    ],
)
def test_a_picture_that_stands_in_for_another_is_a_loss(
    numbers: tuple[int, ...], shown: int
) -> None:
    found = loss.of(LINE, PRESENTED, 0, 10, lines(*numbers))
    assert found == Loss(shown, 4)
    assert found.lost == 4 - shown


def test_a_chunk_begins_with_the_picture_that_is_seen_then() -> None:
    still = loss.of(LINE, PRESENTED, 15, 20, lines(6, 6, 6, 6, 7))
    assert (still.planned, still.lost) == (2, 0)


def test_without_numbers_or_packets_nobody_knows_of_a_loss() -> None:
    for listed in ("", lines(*[0] * 9), lines(*[-1] * 10), lines("N/A", *[1] * 9), "\xff" * 20):
        assert loss.of(LINE, PRESENTED, 0, 10, listed).lost == 0
    unknown = loss.of(LINE, (), 0, 10, lines(*[0] * 10))
    assert (unknown.lost, unknown.tolerable) == (0, True)


def test_half_of_the_pictures_may_be_lost() -> None:
    assert Loss(shown=2, planned=4).tolerable
    assert not Loss(shown=1, planned=4).tolerable
