"""The rate of pictures: which one their times follow, and which one they are given.

A rate is a fraction of pictures a second, a time a number of ticks.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise
from typing import Final

STANDARD_RATES: Final = tuple(
    Fraction(numerator, denominator)
    for numerator, denominator in (
        (5, 1), (10, 1), (25, 2), (15, 1), (20, 1), (24000, 1001), (24, 1), (25, 1),
        (30000, 1001), (30, 1), (50, 1), (60000, 1001), (60, 1),
    )
)  # fmt: skip
MAX_RATE: Final = Fraction(60)
MIN_RATE: Final = Fraction(1)
"""Slower sources (slides) are resampled, or a segment would hold less than a frame."""
MAX_TIMESCALE: Final = 2**31 - 1
_JITTER_S: Final = Fraction(1, 1000)
"""What containers with millisecond clocks, and their remuxes, do to a constant rate."""
_FINE_TICKS: Final = 1000
"""From this many ticks a frame on, equal deltas are a rate and not its rounding."""


def median_delta(presented: Sequence[int]) -> int:
    """How long the last frame lasts: the lower median of the others' durations, at least 1."""
    if len(presented) < 2:
        return 1
    return max(1, statistics.median_low(after - before for before, after in pairwise(presented)))


def exact_rate(presented: Sequence[int], timebase: Fraction) -> Fraction | None:
    """The constant rate of these frames, or None where there is none."""
    if len(presented) < 2 or presented[-1] <= presented[0]:
        return None
    first = presented[1] - presented[0]
    equal = all(after - before == first for before, after in pairwise(presented))
    if rate := _fitting(STANDARD_RATES, presented, timebase, timebase):
        return rate
    if equal and first >= _FINE_TICKS:
        return 1 / (first * timebase)
    if rate := _fitting(STANDARD_RATES, presented, timebase, max(timebase, _JITTER_S)):
        return rate
    if equal:
        return 1 / (first * timebase)
    mean = (len(presented) - 1) / ((presented[-1] - presented[0]) * timebase)
    simple = [mean.limit_denominator(limit) for limit in (1, 1001, 10_000, 100_000)]
    for tolerance in (timebase, max(timebase, _JITTER_S)):
        for rate in simple:
            if rate > 0 and _fitting((rate,), presented, timebase, tolerance):
                return rate
    return None


def _fitting(
    rates: Sequence[Fraction], presented: Sequence[int], timebase: Fraction, tolerance_s: Fraction
) -> Fraction | None:
    """The rate whose grid every frame meets within the tolerance, and most closely."""
    found: tuple[Fraction, Fraction] | None = None
    for rate in rates:
        # Never as much as would make two frames of the grid look alike.
        allowed = min(tolerance_s, 1 / (4 * rate))
        span_s = (presented[-1] - presented[0]) * timebase
        if abs(span_s - (len(presented) - 1) / rate) > allowed:
            continue
        # In units of 1 / (denominator of timebase and frame duration together): integers.
        ticks, frame = timebase, 1 / rate
        unit = math.lcm(ticks.denominator, frame.denominator)
        a, b = int(ticks * unit), int(frame * unit)
        worst = max(abs((at - presented[0]) * a - n * b) for n, at in enumerate(presented))
        deviation = Fraction(worst, unit)
        if deviation <= allowed and (found is None or deviation < found[0]):
            found = (deviation, rate)
    return found[1] if found else None


def median_rate(presented: Sequence[int], timebase: Fraction) -> Fraction | None:
    if len(presented) < 2:
        return None
    return 1 / (median_delta(presented) * timebase)


def nearest_standard(rate: Fraction | None) -> Fraction:
    """The standard rate next to `rate`; of faster ones next to the largest even share of it."""
    if rate is None:
        return Fraction(25)
    # Up to 75: a median of 60 frames a second may come out so in milliseconds.
    share = rate / math.ceil(rate / (MAX_RATE * Fraction(5, 4)))
    nearest = min(STANDARD_RATES, key=lambda standard: abs(standard - share))
    if rate > MAX_RATE and abs(nearest - share) > share / 100:
        return MAX_RATE
    return nearest


def timescale_for(rate: Fraction) -> int:
    """Ticks per second of which a frame is a whole number, 90000 where that will do.

    Raises ValueError for a rate that no timescale can have.
    """
    if rate.numerator > MAX_TIMESCALE:
        raise ValueError(f"no timescale for {rate} frames a second")
    if 90_000 % rate.numerator == 0 or (90_000 / rate).denominator == 1:
        return 90_000
    return rate.numerator * max(1, math.ceil(Fraction(90_000, rate.numerator)))
