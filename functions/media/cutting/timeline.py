"""Time as integer ticks and rational rates: which source frame each output frame shows.

A position is a number of ticks or of frames, never a float of seconds.
"""

from __future__ import annotations

import math
import statistics
from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from typing import Final


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeline:
    """The output's time, decided before any encode; every gate and report speaks of it."""

    timebase: Fraction
    """Seconds per tick of the source's video track."""
    origin: int
    """Source ticks of the first presented frame: output time zero, for sound as well."""
    rate: Fraction
    """Output frames per second."""
    frames: int
    """Output frames of every rendition, N."""
    constant: bool
    """True: output frame n is source frame n (passthrough). False: resampled to `rate`."""
    timescale: int
    """Output ticks per second; `rate` divides it exactly."""
    segment_frames: int
    """Frames of every segment but the last; variable: of the segment that has most."""
    variable: bool = False
    """True: frames are presented at times of their own, not at those of `rate`."""
    marks: tuple[tuple[int, int], ...] = ()
    """Variable: first frame of each segment and its output ticks; behind them the end."""

    @property
    def frame_ticks(self) -> int:
        """Output ticks of one frame. Raises ValueError where frames differ."""
        if self.variable:
            raise ValueError("frames of a variable timeline last differently")
        return int(self.timescale / self.rate)

    @property
    def end_ticks(self) -> int:
        """Output ticks at which the last frame ends."""
        return self.marks[-1][1] if self.variable else self.frames * self.frame_ticks

    @property
    def duration_s(self) -> Fraction:
        return Fraction(self.end_ticks, self.timescale)

    @property
    def segments(self) -> int:
        """How many there are."""
        return len(self.marks) - 1 if self.variable else -(-self.frames // self.segment_frames)

    def segment_of(self, frame: int) -> int:
        """The segment that holds the frame."""
        if self.variable:
            return bisect_right(self.marks, frame, key=lambda mark: mark[0]) - 1
        return frame // self.segment_frames

    def start_of(self, segment: int) -> int:
        """Its first frame; that of the one behind the last is the number of frames."""
        if self.variable:
            return self.marks[segment][0]
        return min(segment * self.segment_frames, self.frames)

    def starts(self, frame: int) -> bool:
        """Whether a segment starts with the frame, or all end before it."""
        return frame == self.frames or self.start_of(self.segment_of(frame)) == frame

    def ticks_of(self, frame: int) -> int:
        """Output ticks at which the frame is presented, `frames` standing for the end.

        Raises ValueError in a variable timeline for a frame that starts no segment.
        """
        if not self.variable:
            return frame * self.frame_ticks
        if not self.starts(frame):
            raise ValueError(f"frame {frame} does not start a segment")
        return self.marks[self.segment_of(frame)][1]

    def segment_ticks(self, segment: int) -> int:
        """How long it lasts."""
        return self.ticks_of(self.start_of(segment + 1)) - self.ticks_of(self.start_of(segment))

    @property
    def longest_segment_s(self) -> Fraction:
        """Of all but the last one of a constant timeline, which may be shorter."""
        if not self.variable:
            return self.segment_frames / self.rate
        most = max(after - before for (_, before), (_, after) in pairwise(self.marks))
        return Fraction(most, self.timescale)


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


class NoFrames(ValueError):
    """Nothing is presented."""


def plan(
    presented: Sequence[int],
    timebase: Fraction,
    *,
    segment_s: int,
    nominal_rate: Fraction | None = None,
) -> Timeline:
    """The output's timeline for frames presented at these ticks (ascending).

    A source is constant when frame n belongs into slot n of its rate: those keep their exact rate
    up to MAX_RATE. Everything else is resampled to the nearest standard rate. `nominal_rate` is
    used where a single frame leaves nothing to measure. Raises NoFrames.
    """
    if not presented:
        raise NoFrames("no frame is presented")
    rate = exact_rate(presented, timebase)
    if rate is None or not MIN_RATE <= rate <= MAX_RATE:
        rate = _nearest_standard(_median_rate(presented, timebase) or nominal_rate)
    if len(presented) == 1 and nominal_rate and MIN_RATE <= nominal_rate <= MAX_RATE:
        rate = nominal_rate.limit_denominator(1001)
    origin = presented[0]
    slots = Slots(origin, timebase, rate)
    constant = all(slots.of(ticks) == frame for frame, ticks in enumerate(presented))
    frames = len(presented)
    if not constant:
        frames = max(1, slots.of(presented[-1] + median_delta(presented)))
    return Timeline(
        timebase=timebase,
        origin=origin,
        rate=rate,
        frames=frames,
        constant=constant,
        timescale=timescale_for(rate),
        segment_frames=max(1, math.floor(segment_s * rate + Fraction(1, 2))),
    )


@dataclass(frozen=True, slots=True)
class Slots:
    """ffmpeg's `fps` filter as arithmetic: which output frame a source time belongs to.

    Its default rounds to the nearest slot, halves away from zero; a slot shows the last source
    frame that belongs to it or to an earlier one. It is fed times from which `origin` is
    subtracted, so its grid starts there.
    """

    origin: int
    timebase: Fraction
    rate: Fraction

    def of(self, ticks: int) -> int:
        """The output frame whose time is nearest to `ticks`."""
        scaled = self.timebase * self.rate
        doubled = 2 * (ticks - self.origin) * scaled.numerator
        half = scaled.denominator
        if doubled < 0:
            return -((-doubled + half) // (2 * half))
        return (doubled + half) // (2 * half)


def source_frames(timeline: Timeline, presented: Sequence[int]) -> Callable[[int], int]:
    """The map from output frame to source frame, the n-th of `presented`.

    An encode follows it when its filters are `setpts` (minus `origin`), `fps`, then a repetition
    of the last frame as long as one is missing, then `trim` to the output frames.
    """
    if timeline.constant:
        return lambda frame: frame
    slots = Slots(timeline.origin, timeline.timebase, timeline.rate)
    return lambda frame: max(0, bisect_right(presented, frame, key=slots.of) - 1)


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


def _median_rate(presented: Sequence[int], timebase: Fraction) -> Fraction | None:
    if len(presented) < 2:
        return None
    return 1 / (median_delta(presented) * timebase)


def _nearest_standard(rate: Fraction | None) -> Fraction:
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
