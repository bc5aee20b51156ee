"""Chunks: where the output is cut, for so many workers.

Edges lie on the segment grid. The first chunk is short, and its lowest rung may be a task of its
own before everything else, so that something plays soon; the others are sized in a simulation of
the workers, so that they finish together. Where it costs little an edge moves to just behind a
keyframe of the source: less is decoded only to be thrown away.
"""

from __future__ import annotations

import heapq
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from functions.media.cutting import schedule
from functions.media.cutting.effort import Effort
from functions.media.cutting.timeline import Timeline
from functions.media.cutting.windows import Chunk, Windows

MAX_TASK_MS: Final = 120_000.0
"""Of estimated work: several of them must fit into the time that a request may take."""
MAX_PRE_ROLL: Final = Fraction(8, 100)
"""Of the video's bytes, over all chunks: what may be read twice for better balance. With the
heads and the gaps that ranges bridge, all reads stay below 1.15 of the track."""
MAX_EARLY: Final = 0.01
"""Of all work: what it may cost that the first chunk is decoded once more for its lowest rung."""
_SHARES: Final = (Fraction(1, 2), Fraction(2, 3), Fraction(5, 6), Fraction(1))
"""Of what is fairly a worker's, taken at once: small shares even out wrong estimates, large ones
read less twice."""
_DOUBT: Final = 0.15
"""How much longer a task may take than it was estimated: scenes differ."""
_LAST_SEGMENTS: Final = 2
"""A worker whose fair rest is no more than this takes all of it."""
_WORTH: Final = 0.995
"""Of the wall: what another order must stay below to be taken."""


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
    parts_ms: tuple[float, ...] = ()
    """Of one output frame in each task of a chunk, where that is several; none: `frame_ms`."""
    early_ms: tuple[float, float] | None = None
    """Of one output frame of the first chunk in its lowest rung alone, and in the others: two
    tasks, if that costs little. None: the first chunk is as the others."""

    @property
    def chunk_ms(self) -> tuple[float, ...]:
        """Of one output frame in each task of a chunk."""
        return self.parts_ms or (self.frame_ms,)


@dataclass(frozen=True, slots=True)
class Cut:
    """A plan's chunks, and when each task starts in the model."""

    chunks: tuple[Chunk, ...]
    order: tuple[int, ...]
    """Work in the order in which it should start: chunks by number, others as -1, -2, …; where
    the first chunk is there twice, first its lowest rung and then the rest of it."""
    wall_ms: float
    idle_ms: float
    """How long the worker that is done first waits for the one that is done last."""
    last_ms: float
    """The longest of the tasks that end a worker's work: a wrong estimate of it is not evened
    out by anything after it."""

    @property
    def early(self) -> bool:
        """Whether the lowest rung of the first chunk is a task of its own."""
        return self.order.count(0) > 1


def cut(
    timeline: Timeline,
    costs: Costs,
    *,
    workers: int,
    chunk_s: int,
    windows: Windows | None = None,
    chunk_segments: int | None = None,
    max_task_ms: float = MAX_TASK_MS,
    effort: Effort | None = None,
) -> Cut:
    """Cut the timeline for so many workers. `chunk_segments` forces every chunk's length.

    `effort` says which segments take more work than others; None: all take as much.
    """
    planner = _Planner(timeline, costs, workers, chunk_s, windows, max_task_ms, effort)
    if chunk_segments is not None:
        return planner.schedule(planner.equal(chunk_segments), early=False)
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
        effort: Effort | None,
    ) -> None:
        self._timeline = timeline
        self._costs = costs
        self._workers = max(1, workers)
        self._windows = windows
        self._segments = timeline.segments
        self._work = (effort or Effort(timeline)).before
        self._by_time = max(1, int(chunk_s / timeline.longest_segment_s))
        self._by_work = (max_task_ms - costs.start_ms) / max(*costs.chunk_ms, 1e-9)
        self._early = self._is_worth_it()

    def _is_worth_it(self) -> bool:
        """Whether the lowest rung of the first chunk is better done alone, before all others."""
        costs, first = self._costs, self._first_stop()
        if costs.early_ms is None:
            return False
        frames = self._timeline.start_of(first)
        more_ms = frames * (sum(costs.early_ms) - costs.frame_ms) + costs.start_ms
        return more_ms <= MAX_EARLY * self._work[-1] * costs.frame_ms

    def _first_stop(self) -> int:
        return min(1 if self._timeline.longest_segment_s >= 3 else 2, self._longest_from(0))

    def _longest_from(self, first: int) -> int:
        """Where a chunk from this segment on has to stop: by its time, and by its work."""
        by_work = bisect_right(self._work, self._work[first] + self._by_work) - 1
        return min(self._segments, first + self._by_time, max(first + 1, by_work))

    def _chunk(self, first: int, stop: int) -> Chunk:
        """Of segments [first, stop)."""
        return Chunk(self._timeline.start_of(first), self._timeline.start_of(stop))

    def equal(self, segments: int) -> list[tuple[int, int]]:
        return [
            (first, min(first + segments, self._segments))
            for first in range(0, self._segments, segments)
        ]

    def balanced(self, share: Fraction) -> list[tuple[int, int]]:
        """Simulate the workers: whoever is free takes `share` of what is fairly left to it.

        Returns each chunk as segments [first, stop).
        """
        costs = self._costs
        made = [(0, self._first_stop())]
        free = [0.0] * self._workers
        low, *rest = self._costs_of(made[0], early=self._early)
        for cost_ms in (low, *sorted(costs.others_ms, reverse=True), *rest):
            heapq.heapreplace(free, free[0] + cost_ms)
        at = made[0][1]
        while at < self._segments:
            now = free[0]
            left_ms = (self._work[-1] - self._work[at]) * costs.frame_ms
            fair_ms = schedule.level(free, left_ms) - now - costs.start_ms
            fair = self._within(at, fair_ms)
            taken = fair
            if fair > _LAST_SEGMENTS:
                taken = max(_LAST_SEGMENTS, self._within(at, fair_ms * float(share)))
            stop = min(at + max(1, round(taken)), self._longest_from(at))
            # An edge moves only as far as what this worker does later can make good.
            later = max(0.0, fair - (stop - at))
            stop = self._near_keyframe(at, stop, int(min((stop - at) / 4, later / 2)))
            made.append((at, stop))
            for cost_ms in self._costs_of(made[-1]):
                heapq.heapreplace(free, free[0] + cost_ms)
            at = stop
        return made

    def _within(self, first: int, work_ms: float) -> float:
        """How many segments from this one on are so much work."""
        if work_ms <= 0:
            return 0.0
        weight = self._work[first] + work_ms / max(self._costs.frame_ms, 1e-9)
        stop = bisect_right(self._work, weight) - 1
        if stop >= self._segments:
            return float(self._segments - first)
        next_one = self._work[stop + 1] - self._work[stop]
        return stop - first + (weight - self._work[stop]) / max(next_one, 1e-9)

    def _near_keyframe(self, first: int, stop: int, reach: int) -> int:
        """The edge up to `reach` segments from `stop` that needs the least pre-roll."""
        if self._windows is None or not reach:
            return stop
        windows = self._windows
        candidates = range(
            max(first + 1, stop - reach),
            min(self._segments - 1, self._longest_from(first), stop + reach) + 1,
        )
        if not candidates:
            return stop
        return min(
            candidates,
            key=lambda edge: (windows.of(self._chunk(edge, edge + 1)).pre_roll, abs(edge - stop)),
        )

    def _costs_of(self, segments: tuple[int, int], *, early: bool = False) -> list[float]:
        """Of each task of a chunk."""
        costs, chunk = self._costs, self._chunk(*segments)
        pre_roll = self._windows.of(chunk).pre_roll if self._windows else 0
        weight = self._work[segments[1]] - self._work[segments[0]]
        frame_ms = costs.early_ms if early and costs.early_ms else costs.chunk_ms
        return [costs.start_ms + weight * ms + pre_roll * costs.pre_roll_ms for ms in frame_ms]

    def badness(self, cut: Cut) -> float:
        """The wall if the last task takes longer, and worse for what is read beyond the limit."""
        beyond = max(Fraction(0), self.pre_roll_share(cut) - MAX_PRE_ROLL)
        return (cut.wall_ms + _DOUBT * cut.last_ms) * (1 + 2 * float(beyond))

    def pre_roll_share(self, cut: Cut) -> Fraction:
        """Of the video's bytes, what all tasks together read beyond them."""
        if self._windows is None or not self._windows.bytes:
            return Fraction(0)
        windows = self._windows
        read = sum(windows.bytes_of(windows.of(chunk)) for chunk in cut.chunks)
        return Fraction(read, windows.bytes) - 1

    def schedule(self, made: Sequence[tuple[int, int]], *, early: bool = True) -> Cut:
        """Give the work to the workers in order: the first chunk (where it is split its lowest
        rung), what cannot be cut, the rest of the first chunk, the others. Those by number, unless
        the longest first ends sooner."""
        early = early and self._early
        others = sorted(
            range(len(self._costs.others_ms)), key=lambda at: -self._costs.others_ms[at]
        )
        first = [-1 - other for other in others]
        low, *rest = self._costs_of(made[0], early=early)
        work = {number: self._costs_of(made[number]) for number in range(1, len(made))}
        start = [low, *([] if early else rest), *(self._costs.others_ms[at] for at in others)]
        start += rest if early else []
        orders = [list(work), sorted(work, key=lambda number: -sum(work[number]))]
        runs = [
            schedule.run([*start, *(ms for number in order for ms in work[number])], self._workers)
            for order in orders
        ]
        best = 1 if runs[1].wall_ms < _WORTH * runs[0].wall_ms else 0
        return Cut(
            chunks=tuple(self._chunk(*segments) for segments in made),
            order=(0, *first, *([0] if early else []), *orders[best]),
            wall_ms=runs[best].wall_ms,
            idle_ms=runs[best].idle_ms,
            last_ms=runs[best].last_ms,
        )
