"""Pictures that a resampled chunk should show and does not: they did not come out of the decoder.

`fps` repeats the picture before over any hole, so that the number of output frames says nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from functions.media.cutting.timeline import Timeline


@dataclass(frozen=True, slots=True)
class Loss:
    """How many different source pictures a chunk shows, and how many it should."""

    shown: int
    planned: int

    @property
    def lost(self) -> int:
        return max(0, self.planned - self.shown)

    @property
    def tolerable(self) -> bool:
        """Half of them may be lost, as half of the packets may fail."""
        return 2 * self.shown >= self.planned


def of(timeline: Timeline, presented: Iterable[int], start: int, stop: int, listed: str) -> Loss:
    """What output frames [start, stop) lack of the pictures presented at these source ticks, in
    any order: those of the chunk's packets.

    `listed` has a line for each output frame, the number of the decoded picture that it shows.
    Where there are no such numbers nothing is lost, as far as anybody knows. A picture that would
    be the chunk's first one is not missed where an earlier one stands in for it; one that shares
    its slot with a later one is not seen in any case.
    """
    slots = timeline.slots
    planned = len({max(start, slot) for slot in map(slots.of, presented) if slot < stop})
    numbers = listed.split()
    if len(numbers) != stop - start or not all(number.isdecimal() for number in numbers):
        return Loss(planned, planned)
    return Loss(len({*numbers}), planned)
