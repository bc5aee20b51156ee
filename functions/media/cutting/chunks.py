"""Chunks: where the output is cut, for so many workers.

Edges lie on the segment grid. The first chunk is short, and its lowest rung may be a task of its
own before everything else, so that something plays soon; the others are sized in a simulation of
the workers, so that they finish together. Where it costs little an edge moves to just behind a
keyframe of the source: less is decoded only to be thrown away.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from functions.media.cutting import schedule
from functions.media.cutting.effort import Effort
from functions.media.cutting.grid import Grid, Segments
from functions.media.cutting.timeline import Timeline
from functions.media.cutting.windows import Chunk, Windows

MAX_TASK_MS: Final = 120_000.0
"""Of estimated work: several of them must fit into the time that a request may take."""
MAX_TWICE: Final = 0.11
"""Of the video's bytes, over all tasks: what may be read twice for better balance. With the heads
and the gaps that ranges bridge, all reads stay below 1.15 of the track."""
_TWICE: Final = 0.1
_TOO_MUCH: Final = 1.5
"""How much longer a wall that is as good: for each byte of the track that is read twice, and for
each beyond what may be."""
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
_FEW_CHUNKS: Final = 24
_MOVES: Final = (-1, 1, -2, 2, -3, 3)
"""Of so few chunks each edge is tried some segments to either side."""
_LONG_SEGMENT_S: Final = 3
"""One that is so long is a first chunk by itself; of shorter ones it takes two."""


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
    by_work = (max_task_ms - costs.start_ms) / max(*costs.chunk_ms, 1e-9)
    grid = Grid(timeline, windows, effort, longest_s=chunk_s, most_frames=by_work)
    first = 1 if timeline.longest_segment_s >= _LONG_SEGMENT_S else 2
    planner = _Planner(grid, costs, max(1, workers), min(first, grid.longest(0)))
    if chunk_segments is not None:
        return planner.schedule(planner.equal(chunk_segments), early=False)
    shares = _SHARES if workers > 1 else _SHARES[-1:]
    found = [
        planner.shifted(planner.balanced(share, busy))
        for busy in planner.worth_having()
        for share in shares
    ]
    best = min(found, key=lambda made: planner.badness(made, planner.schedule(made)))
    return planner.schedule(best)


class _Planner:
    def __init__(self, grid: Grid, costs: Costs, workers: int, first: int) -> None:
        """`first`: how many segments the first chunk has."""
        self._grid = grid
        self._costs = costs
        self._workers = workers
        self._first: Segments = (0, first)
        self._early = self._is_worth_it()

    def _is_worth_it(self) -> bool:
        """Whether the lowest rung of the first chunk is better done alone, before all others."""
        costs = self._costs
        if costs.early_ms is None:
            return False
        more_ms = sum(costs.early_ms) - costs.frame_ms
        more_ms = self._grid.work(self._first) * more_ms + costs.start_ms
        return more_ms <= MAX_EARLY * self._grid.frames * costs.frame_ms

    def worth_having(self) -> list[int]:
        """How many workers to cut for: all, and as many as are done with the pictures when all
        are with the longest of what cannot be cut."""
        longest_ms = max(self._costs.others_ms, default=0.0)
        work_ms = self._grid.frames * self._costs.frame_ms + sum(self._costs.others_ms)
        if work_ms >= longest_ms * (self._workers - 1):
            return [self._workers]
        return [self._workers, math.ceil(work_ms / longest_ms) + 1]

    def equal(self, segments: int) -> list[Segments]:
        count = self._grid.segments
        return [(first, min(first + segments, count)) for first in range(0, count, segments)]

    def balanced(self, share: Fraction, workers: int) -> list[Segments]:
        """Simulate so many workers: whoever is free takes `share` of what is fairly left to it."""
        grid, costs = self._grid, self._costs
        made = [self._first]
        free = [0.0] * workers
        low, *rest = self._costs_of(self._first, early=self._early)
        for cost_ms in (low, *sorted(costs.others_ms, reverse=True), *rest):
            heapq.heapreplace(free, free[0] + cost_ms)
        at = self._first[1]
        while at < grid.segments:
            left_ms = grid.work((at, grid.segments)) * costs.frame_ms
            fair_ms = schedule.level(free, left_ms) - free[0] - costs.start_ms
            fair = taken = self._within(at, fair_ms)
            if fair > _LAST_SEGMENTS:
                taken = max(_LAST_SEGMENTS, self._within(at, fair_ms * float(share)))
            stop = min(at + max(1, round(taken)), grid.longest(at))
            # An edge moves only as far as what this worker does later can make good.
            later = max(0.0, fair - (stop - at))
            stop = self._near_keyframe(at, stop, int(min((stop - at) / 4, later / 2)))
            made.append((at, stop))
            for cost_ms in self._costs_of(made[-1]):
                heapq.heapreplace(free, free[0] + cost_ms)
            at = stop
        return made

    def _within(self, first: int, work_ms: float) -> float:
        return self._grid.within(first, work_ms / max(self._costs.frame_ms, 1e-9))

    def _near_keyframe(self, first: int, stop: int, reach: int) -> int:
        """The edge up to `reach` segments from `stop` that needs the least pre-roll."""
        grid = self._grid
        most = min(grid.segments - 1, grid.longest(first), stop + reach)
        candidates = range(max(first + 1, stop - reach), most + 1)
        if not grid.is_read_in_parts or not reach or not candidates:
            return stop
        return min(candidates, key=lambda edge: (grid.pre_roll((edge, edge + 1)), abs(edge - stop)))

    def shifted(self, made: list[Segments]) -> list[Segments]:
        """The same chunks with some edges a little elsewhere, where that is better."""
        if not self._grid.is_read_in_parts or len(made) > _FEW_CHUNKS:
            return made
        best = self.badness(made, self.schedule(made))
        for at in range(len(made) - 1, 1, -1):
            for move in _MOVES:
                first, edge, stop = made[at - 1][0], made[at][0] + move, made[at][1]
                if not first < edge < stop or edge > self._grid.longest(first):
                    continue
                if stop > self._grid.longest(edge):
                    continue
                other = [*made[: at - 1], (first, edge), (edge, stop), *made[at + 1 :]]
                badness = self.badness(other, self.schedule(other))
                if badness < best:
                    made, best = other, badness
        return made

    def _costs_of(self, segments: Segments, *, early: bool = False) -> list[float]:
        """Of each task of a chunk."""
        grid, costs = self._grid, self._costs
        once_ms = costs.start_ms + grid.pre_roll(segments) * costs.pre_roll_ms
        frame_ms = costs.early_ms if early and costs.early_ms else costs.chunk_ms
        return [once_ms + grid.work(segments) * each for each in frame_ms]

    def badness(self, made: Sequence[Segments], cut: Cut) -> float:
        """The wall if the last task takes longer, and worse for what is read twice."""
        read = [*made] * len(self._costs.chunk_ms) + [self._first] * self._early
        twice = self._grid.twice(read)
        beyond = max(0.0, twice - MAX_TWICE)
        return (cut.wall_ms + _DOUBT * cut.last_ms) * (1 + _TWICE * twice + _TOO_MUCH * beyond)

    def schedule(self, made: Sequence[Segments], *, early: bool = True) -> Cut:
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
            chunks=tuple(map(self._grid.chunk, made)),
            order=(0, *first, *([0] if early else []), *orders[best]),
            wall_ms=runs[best].wall_ms,
            idle_ms=runs[best].idle_ms,
            last_ms=runs[best].last_ms,
        )
