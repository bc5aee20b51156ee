"""Chunks: where the output is cut, for so many workers.

Edges lie on the segment grid. The first chunk is short, so that something plays soon; the others
are sized in a simulation of the workers, so that they finish together. Where it costs little an
edge moves to just behind a keyframe of the source: less is decoded only to be thrown away.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from functions.media.cutting.timeline import Timeline
from functions.media.cutting.windows import Chunk, Windows

MAX_TASK_MS: Final = 120_000.0
"""Of estimated work: several of them must fit into the time that a request may take."""
MAX_PRE_ROLL: Final = Fraction(10, 100)
"""Of the video's bytes, over all chunks: what may be read twice for better balance. With the
heads and the gaps that ranges bridge, all reads stay below 1.2 of the track."""
_SHARES: Final = (Fraction(1, 2), Fraction(2, 3), Fraction(5, 6), Fraction(1))
"""Of what is fairly a worker's, taken at once: small shares even out wrong estimates, large ones
read less twice."""
_DOUBT: Final = 0.15
"""How much longer a task may take than it was estimated: scenes differ."""
_LAST_SEGMENTS: Final = 2
"""A worker whose fair rest is no more than this takes all of it."""


@dataclass(frozen=True, slots=True)
class Costs:
    """What work costs on one worker, in milliseconds of CPU."""

    frame_ms: float
    """Decoding and encoding one output frame in all renditions."""
    pre_roll_ms: float
    """Decoding one source frame only to get to the next."""
    start_ms: float
    """Of every task."""
    others_ms: tuple[float, ...] = ()
    """Tasks that cannot be cut (sound); they start as early as may be."""


@dataclass(frozen=True, slots=True)
class Cut:
    """A plan's chunks, and when each task starts in the model."""

    chunks: tuple[Chunk, ...]
    order: tuple[int, ...]
    """Tasks in the order in which they should start: chunks by number, others as -1, -2, …"""
    wall_ms: float
    idle_ms: float
    """How long the worker that is done first waits for the one that is done last."""
    last_ms: float
    """The longest of the tasks that end a worker's work: a wrong estimate of it is not evened
    out by anything after it."""


def cut(
    timeline: Timeline,
    costs: Costs,
    *,
    workers: int,
    chunk_s: int,
    windows: Windows | None = None,
    chunk_segments: int | None = None,
    max_task_ms: float = MAX_TASK_MS,
) -> Cut:
    """Cut the timeline for so many workers. `chunk_segments` forces every chunk's length."""
    planner = _Planner(timeline, costs, workers, chunk_s, windows, max_task_ms)
    if chunk_segments is not None:
        return planner.schedule(planner.equal(chunk_segments))
    shares = _SHARES if workers > 1 else _SHARES[-1:]
    cuts = [planner.schedule(planner.balanced(share)) for share in shares]
    return min(cuts, key=planner.badness)


class _Planner:
    def __init__(
        self,
        timeline: Timeline,
        costs: Costs,
        workers: int,
        chunk_s: int,
        windows: Windows | None,
        max_task_ms: float,
    ) -> None:
        self._timeline = timeline
        self._costs = costs
        self._workers = max(1, workers)
        self._windows = windows
        self._segments = timeline.segments
        self._segment_ms = timeline.segment_frames * costs.frame_ms
        by_time = int(chunk_s / timeline.longest_segment_s)
        by_work = int((max_task_ms - costs.start_ms) / max(self._segment_ms, 1e-9))
        self._longest = max(1, min(by_time, by_work))

    def _chunk(self, first: int, stop: int) -> Chunk:
        """Of segments [first, stop)."""
        return Chunk(self._timeline.start_of(first), self._timeline.start_of(stop))

    def equal(self, segments: int) -> list[Chunk]:
        return [
            self._chunk(first, min(first + segments, self._segments))
            for first in range(0, self._segments, segments)
        ]

    def balanced(self, share: Fraction) -> list[Chunk]:
        """Simulate the workers: whoever is free takes `share` of what is fairly left to it."""
        costs = self._costs
        first_size = 1 if self._timeline.longest_segment_s >= 3 else 2
        first_stop = min(first_size, self._segments, self._longest)
        chunks = [self._chunk(0, first_stop)]
        free = [0.0] * self._workers
        heapq.heapreplace(free, free[0] + self._cost_of(chunks[0]))
        for other in sorted(costs.others_ms, reverse=True):
            heapq.heapreplace(free, free[0] + other)
        at = first_stop
        while at < self._segments:
            left = self._segments - at
            now = free[0]
            ends = self._fair_end(free, left * self._segment_ms)
            fair = (ends - now - costs.start_ms) / max(self._segment_ms, 1e-9)
            size = fair if fair <= _LAST_SEGMENTS else max(_LAST_SEGMENTS, fair * float(share))
            stop = at + max(1, min(round(size), self._longest, left))
            # An edge moves only as far as what this worker does later can make good.
            later = max(0.0, fair - (stop - at))
            stop = self._near_keyframe(at, stop, int(min((stop - at) / 4, later / 2)))
            chunks.append(self._chunk(at, stop))
            heapq.heapreplace(free, now + self._cost_of(chunks[-1]))
            at = stop
        return chunks

    def _fair_end(self, free: list[float], work_ms: float) -> float:
        """When all would be done if the rest could be poured over the workers like water."""
        level = 0.0
        for count, (busy, more) in enumerate(
            zip(sorted(free), [*sorted(free)[1:], math.inf], strict=True), start=1
        ):
            level = busy + work_ms / count
            if level <= more:
                break
            work_ms -= (more - busy) * count
        return level

    def _near_keyframe(self, first: int, stop: int, reach: int) -> int:
        """The edge up to `reach` segments from `stop` that needs the least pre-roll."""
        if self._windows is None or not reach:
            return stop
        windows = self._windows
        candidates = range(
            max(first + 1, stop - reach),
            min(self._segments - 1, first + self._longest, stop + reach) + 1,
        )
        if not candidates:
            return stop
        return min(
            candidates,
            key=lambda edge: (windows.of(self._chunk(edge, edge + 1)).pre_roll, abs(edge - stop)),
        )

    def _cost_of(self, chunk: Chunk) -> float:
        pre_roll = self._windows.of(chunk).pre_roll if self._windows else 0
        costs = self._costs
        return costs.start_ms + chunk.frames * costs.frame_ms + pre_roll * costs.pre_roll_ms

    def badness(self, cut: Cut) -> float:
        """The wall if the last task takes longer, and worse for what is read beyond the limit."""
        beyond = max(Fraction(0), self.pre_roll_share(cut.chunks) - MAX_PRE_ROLL)
        return (cut.wall_ms + _DOUBT * cut.last_ms) * (1 + 2 * float(beyond))

    def pre_roll_share(self, chunks: Sequence[Chunk]) -> Fraction:
        """Of the video's bytes, what all chunks together read beyond them."""
        if self._windows is None or not self._windows.bytes:
            return Fraction(0)
        read = sum(self._windows.bytes_of(self._windows.of(chunk)) for chunk in chunks)
        return Fraction(read, self._windows.bytes) - 1

    def schedule(self, chunks: Sequence[Chunk]) -> Cut:
        """Give the tasks to the workers in order: the first chunk, what cannot be cut, the rest."""
        others = sorted(
            range(len(self._costs.others_ms)), key=lambda at: -self._costs.others_ms[at]
        )
        order = [0, *(-1 - other for other in others), *range(1, len(chunks))]
        free = [(0.0, 0.0)] * self._workers  # done when, and with how long a task
        for task in order:
            cost = self._costs.others_ms[-1 - task] if task < 0 else self._cost_of(chunks[task])
            heapq.heapreplace(free, (free[0][0] + cost, cost))
        ends = [end for end, _ in free]
        last_ms = max(cost for _, cost in free)
        return Cut(tuple(chunks), tuple(order), max(ends), max(ends) - min(ends), last_ms)
