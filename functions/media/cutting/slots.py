"""ffmpeg's `fps` filter as arithmetic: which output frame a source time belongs to.

Its default rounds to the nearest slot, halves away from zero; a slot shows the last source frame
that belongs to it or to an earlier one. It is fed times from which the origin is subtracted, so its
grid starts there.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction


@dataclass(frozen=True, slots=True)
class Slots:
    """The grid of `rate`, which starts at `origin`."""

    origin: int
    """Source ticks."""
    timebase: Fraction
    """Seconds per tick of the source."""
    rate: Fraction
    """Slots per second."""

    def of(self, ticks: int) -> int:
        """The output frame whose time is nearest to `ticks`."""
        scaled = self.timebase * self.rate
        doubled = 2 * (ticks - self.origin) * scaled.numerator
        half = scaled.denominator
        if doubled < 0:
            return -((-doubled + half) // (2 * half))
        return (doubled + half) // (2 * half)
