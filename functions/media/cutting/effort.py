"""Effort: which parts of a film are harder to encode than others, by what they took before.

The pictures between keyframes are differences: where a source needed many bits for them much
moves, and our encoder has to look for it as well. Measured over windows of a second of three
films, the logarithm of an encode's time spreads by 0.19, 0.36 and 0.16 where every frame is taken
to cost the same, and by 0.12, 0.29 and 0.15 by the square root of those bits; by all bits, with
those of keyframes, it is hardly better than not to look.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate
from typing import Final

from functions.media.cutting import presentation
from functions.media.cutting.timeline import Timeline
from functions.media.cutting.windows import Chunk
from functions.media.source.index import Packets

LEAST: Final = 0.5
MOST: Final = 2.0
"""How much easier or harder a segment is taken for, at most."""
_FEW: Final = 4
"""Differences in a segment: fewer say nothing."""


class Effort:
    """The work of frames, in ordinary frames: that of the whole film is as many as it has."""

    def __init__(self, timeline: Timeline, weights: Sequence[float] = ()) -> None:
        """`weights`, one for each segment: how much a frame of it takes beside others."""
        self._timeline = timeline
        frames = [
            timeline.start_of(number + 1) - timeline.start_of(number)
            for number in range(timeline.segments)
        ]
        shares = weights or [1.0] * len(frames)
        total = sum(count * share for count, share in zip(frames, shares, strict=True))
        scale = timeline.frames / total
        weighed = (count * share * scale for count, share in zip(frames, shares, strict=True))
        self.before: list[float] = [0.0, *accumulate(weighed)]
        """Of all segments before each one, and at the end of all."""

    def of(self, chunk: Chunk) -> float:
        """Of a chunk on the grid of segments."""
        first = self._timeline.segment_of(chunk.start)
        stop = self._timeline.segment_of(chunk.stop - 1) + 1
        return self.before[stop] - self.before[first]


def weights(packets: Packets, timeline: Timeline) -> tuple[float, ...]:
    """What the sizes of a track's packets tell of each segment; none where they tell nothing."""
    sizes, counts = [0] * timeline.segments, [0] * timeline.segments
    slots = timeline.slots
    for number, row in enumerate(presentation.of(packets).rows):
        packet = packets[row]
        if not packet.sync:
            if timeline.variable:
                # By time: pictures that stand still are several frames.
                segment = timeline.segment_at(packet.pts)
            else:
                frame = number if timeline.constant else slots.of(packet.pts)
                segment = timeline.segment_of(min(max(frame, 0), timeline.frames - 1))
            sizes[segment] += packet.size
            counts[segment] += 1
    if sum(counts) < _FEW or not sum(sizes):
        return ()
    mean = sum(sizes) / sum(counts)
    return tuple(
        min(MOST, max(LEAST, float(size / count / mean) ** 0.5)) if count >= _FEW else 1.0
        for size, count in zip(sizes, counts, strict=True)
    )
