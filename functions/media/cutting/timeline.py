"""Time as integer ticks and rational rates: which source frame each output frame shows.

A position is a number of ticks or of frames, never a float of seconds.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from typing import Final

from functions.media.cutting.framerate import (
    MAX_RATE,
    MIN_RATE,
    STANDARD_RATES,
    exact_rate,
    median_delta,
    median_rate,
    nearest_standard,
    timescale_for,
)
from functions.media.cutting.slots import Slots


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
    """True: output frame n is source frame n (passthrough). False: resampled, or variable."""
    timescale: int
    """Output ticks per second; `rate` divides it exactly."""
    segment_frames: int
    """Frames of every segment but the last; variable: of the segment that has most."""
    counted: bool = False
    """True: the source has no times. Frame n is the n-th one decoded, and shown at tick n."""
    variable: bool = False
    """True: frames are presented at times of their own, not at those of `rate`."""
    marks: tuple[tuple[int, int], ...] = ()
    """Variable: first frame of each segment and its output ticks; behind them the end."""

    @property
    def resampled(self) -> bool:
        """Whether output frame n shows the source's picture of slot n, see `slots`: pictures may be
        shown more than once, or not at all."""
        return not self.constant and not self.variable

    @property
    def slots(self) -> Slots:
        """Where source frames belong when it is."""
        return Slots(self.origin, self.timebase, self.rate)

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

    def segment_at(self, ticks: int) -> int:
        """Variable: the segment that shows what the source presents at its `ticks`."""
        at = (ticks - self.origin) * int(self.timescale * self.timebase)
        return bisect_right(self.marks, at, hi=self.segments, key=lambda mark: mark[1]) - 1

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


HOLD_S: Final = 1
"""Variable: a picture that lasts longer is shown again at each whole second, so that segments
start within a second of where they should and none is longer than players expect."""
MOST_TICKS: Final = 500_000
"""A second. Frames are merged with repeated ones by a clock of microseconds: up to here no tick
is lost on the way."""
STILL_FRAMES: Final = 500_000
STILL_SHARE: Final = 4
"""A source without a constant rate may become so many times as many frames, and so many more. Two
pictures a year apart are few bytes and would be millions of frames."""


class NoFrames(ValueError):
    """Nothing is presented."""


def plan(
    presented: Sequence[int],
    timebase: Fraction,
    *,
    segment_s: int,
    nominal_rate: Fraction | None = None,
    variable: bool = False,
    counted: bool = False,
) -> Timeline:
    """The output's timeline for frames presented at these ticks (ascending).

    A source is constant when frame n belongs into slot n of its rate: those keep their exact rate
    up to MAX_RATE. Everything else is resampled to the nearest standard rate, or keeps its times
    where `variable` is asked for and `keeps_times` allows it. `nominal_rate` is used where a
    single frame leaves nothing to measure; `counted` where there are numbers instead of times.
    Raises NoFrames.
    """
    if not presented:
        raise NoFrames("no frame is presented")
    rate = plan_rate(presented, timebase, nominal_rate)
    if len(presented) == 1 and nominal_rate and MIN_RATE <= nominal_rate <= MAX_RATE:
        rate = nominal_rate.limit_denominator(1001)
    origin = presented[0]
    slots = Slots(origin, timebase, rate)
    constant = all(slots.of(ticks) == frame for frame, ticks in enumerate(presented))
    if not constant and variable and not counted and keeps_times(presented, timebase):
        return _variable(presented, timebase, rate, segment_s)
    frames = len(presented)
    if not constant:
        end = presented[-1] + median_delta(presented)
        for slower in (rate, *(each for each in reversed(STANDARD_RATES) if each < rate)):
            rate, frames = slower, max(1, Slots(origin, timebase, slower).of(end))
            if frames <= most_frames(presented):
                break
    return Timeline(
        timebase=timebase,
        origin=origin,
        rate=rate,
        frames=frames,
        constant=constant,
        timescale=timescale_for(rate),
        segment_frames=max(1, math.floor(segment_s * rate + Fraction(1, 2))),
        counted=counted,
    )


def plan_rate(
    presented: Sequence[int], timebase: Fraction, nominal_rate: Fraction | None = None
) -> Fraction:
    """The rate of their times, or the standard rate next to what most of them are apart."""
    rate = exact_rate(presented, timebase)
    if rate is None or not MIN_RATE <= rate <= MAX_RATE:
        rate = nearest_standard(median_rate(presented, timebase) or nominal_rate)
    return rate


def most_frames(presented: Sequence[int]) -> int:
    """How many a source may become that has no constant rate."""
    return STILL_SHARE * len(presented) + STILL_FRAMES


def keeps_times(presented: Sequence[int], timebase: Fraction) -> bool:
    """Whether a variable timeline can have these times: no faster than MAX_RATE in the middle, no
    two of them the same, in ticks that are not too fine, and not still for so long that pictures
    shown again would be millions."""
    rate = median_rate(presented, timebase)
    held_s = (presented[-1] - presented[0]) * timebase
    return (
        rate is not None
        and rate <= MAX_RATE * Fraction(5, 4)
        and all(before < after for before, after in pairwise(presented))
        and _ticks_for(timebase) <= MOST_TICKS
        and len(presented) + held_s / HOLD_S <= most_frames(presented)
    )


def _ticks_for(timebase: Fraction) -> int:
    """Output ticks a second, a whole number in each of the source's."""
    fine = timebase.denominator
    return fine * (90_000 // fine if 90_000 % fine == 0 else math.ceil(Fraction(90_000, fine)))


def _variable(
    presented: Sequence[int], timebase: Fraction, rate: Fraction, segment_s: int
) -> Timeline:
    timescale = _ticks_for(timebase)
    scale = int(timescale * timebase)
    times = [ticks for ticks, _ in _shown(presented, scale, timescale)]
    end = (presented[-1] + median_delta(presented) - presented[0]) * scale
    marks: list[tuple[int, int]] = []
    for frame, ticks in enumerate(times):
        if ticks >= len(marks) * segment_s * timescale:
            marks.append((frame, ticks))
    marks.append((len(times), end))
    return Timeline(
        timebase=timebase,
        origin=presented[0],
        rate=rate,
        frames=len(times),
        constant=False,
        timescale=timescale,
        segment_frames=max(after - before for (before, _), (after, _) in pairwise(marks)),
        variable=True,
        marks=tuple(marks),
    )


def _shown(presented: Sequence[int], scale: int, timescale: int) -> Iterator[tuple[int, int]]:
    """Output ticks and source frame of each output frame of a variable timeline."""
    hold = HOLD_S * timescale
    ends = [*presented[1:], presented[-1] + median_delta(presented)]
    for frame, (start, end) in enumerate(zip(presented, ends, strict=True)):
        at, stop = (start - presented[0]) * scale, (end - presented[0]) * scale
        yield at, frame
        if stop - at > hold:
            for again in range((at // hold + 1) * hold, stop, hold):
                yield again, frame


def repeats(timeline: Timeline, presented: Sequence[int]) -> list[int]:
    """Variable: the seconds at which a picture is shown again, ascending."""
    scale = int(timeline.timescale * timeline.timebase)
    shown = list(_shown(presented, scale, timeline.timescale))
    return [
        ticks // timeline.timescale
        for (_, before), (ticks, frame) in pairwise(shown)
        if frame == before
    ]


def source_frames(timeline: Timeline, presented: Sequence[int]) -> Callable[[int], int]:
    """The map from output frame to source frame, the n-th of `presented`.

    A resampling encode follows it when its filters are `setpts` (minus `origin`), `fps`, then a
    repetition of the last frame as long as one is missing, then `trim` to the output frames.
    """
    if timeline.constant:
        return lambda frame: frame
    if timeline.variable:
        scale = int(timeline.timescale * timeline.timebase)
        return [frame for _, frame in _shown(presented, scale, timeline.timescale)].__getitem__
    slots = timeline.slots
    return lambda frame: max(0, bisect_right(presented, frame, key=slots.of) - 1)
