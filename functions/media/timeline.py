"""Time as integer ticks and rational rates: which source frame each output frame shows.

A position is a number of ticks or of frames, never a float of seconds.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction


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
    """Frames of every segment but the last."""

    @property
    def frame_ticks(self) -> int:
        """Output ticks of one frame."""
        return int(self.timescale / self.rate)

    @property
    def duration_s(self) -> Fraction:
        return self.frames / self.rate
