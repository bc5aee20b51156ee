"""Chunks: where the output is cut, for so many workers.

Edges lie on the segment grid. The first chunk is short, and its lowest rung may be a task of its
own before everything else, so that something plays soon; the others are sized in a simulation of
the workers, so that they finish together; where segments are too large for that, some of the last
are shared out by renditions. Where it costs little an edge moves to just behind a
keyframe of the source: less is decoded only to be thrown away.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Final

from functions.media.cutting import lastround, schedule
from functions.media.cutting.cut import Costs, Cut
from functions.media.cutting.effort import Effort
from functions.media.cutting.grid import Grid, Segments
from functions.media.cutting.lastround import WHOLE, Parts
from functions.media.cutting.timeline import Timeline
from functions.media.cutting.windows import Windows

MAX_TASK_MS: Final = 120_000.0
"""Of estimated work: several of them must fit into the time that a request may take."""
MAX_TWICE: Final = 0.11
"""Of the video's bytes, over all tasks: what may be read twice for better balance. With the heads
and the gaps that ranges bridge, all reads stay below 1.15 of the track, where nothing is shared
out."""
_TWICE: Final = 0.1
_TOO_MUCH: Final = 1.5
"""How much longer a wall that is as good: for each byte of the track that is read twice, and for
each beyond what may be."""
MAX_EARLY: Final = 0.01
"""Of all work: what it may cost that the first chunk is decoded once more for its lowest rung."""
MAX_SHARED: Final = 0.015
"""Of all work: what it may cost that chunks of the last round are decoded once more."""
MAX_IDLE: Final = 0.03
"""Of the wall: where the first worker waits no longer for the last one, nothing is shared out."""
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
    folds: bool = True,
) -> Cut:
    """Cut the timeline for so many workers. `chunk_segments` forces every chunk's length.

    `effort` says which segments take more work than others; None: all take as much. `folds`:
    whether a last chunk that is only the rest of a segment may become part of the one before.
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
    most_ms = (1 + MAX_SHARED) * planner.work_ms(lastround.whole(best))
    if folds:
        best = planner.folded(best)
    made = planner.schedule(best)
    if workers > 1 and costs.shared_ms and made.idle_ms > MAX_IDLE * made.wall_ms:
        return planner.shared_out(made, [best, *found], most_ms)
    return made


class _Planner:
    def __init__(self, grid: Grid, costs: Costs, workers: int, first: int) -> None:
        """`first`: how many segments the first chunk has."""
        self._grid = grid
        self._costs = costs
        self.workers = workers
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
        if work_ms >= longest_ms * (self.workers - 1):
            return [self.workers]
        return [self.workers, math.ceil(work_ms / longest_ms) + 1]

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

    def folded(self, made: list[Segments]) -> list[Segments]:
        """With the rest of a segment at the end in the chunk before, where nobody waits for it."""
        other = lastround.folded(made)
        grid = self._grid
        if len(other) == len(made) or not grid.is_ragged or made[-1][0] < grid.segments - 1:
            return made
        if grid.longest(other[-1][0]) < grid.segments:
            return made
        longer = self.schedule(other).wall_ms > self.schedule(made).wall_ms
        return made if longer else other

    def shared_out(self, plain: Cut, found: Sequence[list[Segments]], most_ms: float) -> Cut:
        """With chunks of the last round shared out by renditions, where the wall becomes shorter
        by more than its share of that work, and all is no more than `most_ms`."""
        plans = [lastround.whole(each) for each in found if len(each) <= _FEW_CHUNKS]
        ways = len(self._costs.shared_ms)
        parts = lastround.best(plans, ways, self, most_ms, ragged=self._grid.is_ragged)
        if parts is None:
            return plain
        cut = self.schedule_parts(parts)
        more_ms = max(0.0, self.work_ms(parts) - most_ms / (1 + MAX_SHARED))
        return cut if plain.wall_ms - cut.wall_ms > more_ms / self.workers else plain

    def fits(self, parts: Parts) -> bool:
        """Whether none of the chunks is too long."""
        return all(part.stop <= self._grid.longest(part.first) for part in parts)

    def twice(self, parts: Parts) -> float:
        """Of the video's bytes, what is read beyond them."""
        read = [(first, stop) for first, stop, way in parts for _ in range(1 + (way != WHOLE))]
        return self._grid.twice([*read, *[self._first] * self._early])

    def schedule_parts(self, parts: Parts) -> Cut:
        """When each task starts, of chunks that may be shared out."""
        shared = {at: part.grouping for at, part in enumerate(parts) if part.grouping != WHOLE}
        return self.schedule([(part.first, part.stop) for part in parts], shared=shared)

    def work_ms(self, parts: Parts) -> float:
        """Of all tasks."""
        return sum(self._costs.others_ms) + sum(
            sum(self._costs_of((first, stop), early=self._early and not first, shared=way))
            for first, stop, way in parts
        )

    def _costs_of(
        self, segments: Segments, *, early: bool = False, shared: int = WHOLE
    ) -> list[float]:
        """Of each task of a chunk."""
        grid, costs = self._grid, self._costs
        once_ms = costs.start_ms + grid.pre_roll(segments) * costs.pre_roll_ms
        frame_ms = costs.early_ms if early and costs.early_ms else costs.chunk_ms
        if shared != WHOLE:
            frame_ms = costs.shared_ms[shared]
        return [once_ms + grid.work(segments) * each for each in frame_ms]

    def badness(self, made: Sequence[Segments], cut: Cut) -> float:
        """The wall if the last task takes longer, and worse for what is read twice."""
        read = [*made] * len(self._costs.chunk_ms) + [self._first] * self._early
        twice = self._grid.twice(read)
        beyond = max(0.0, twice - MAX_TWICE)
        return (cut.wall_ms + _DOUBT * cut.last_ms) * (1 + _TWICE * twice + _TOO_MUCH * beyond)

    def schedule(
        self,
        made: Sequence[Segments],
        *,
        early: bool = True,
        shared: Mapping[int, int] | None = None,
    ) -> Cut:
        """Give the work to the workers in order: the first chunk (where it is split its lowest
        rung), what cannot be cut, the rest of the first chunk, the others, those that are shared
        out at the end. Others by number, unless the longest first ends sooner."""
        early, shared = early and self._early, shared or {}
        others = sorted(
            range(len(self._costs.others_ms)), key=lambda at: -self._costs.others_ms[at]
        )
        first = [-1 - other for other in others]
        low, *rest = self._costs_of(made[0], early=early)
        work = {
            number: self._costs_of(made[number])
            for number in range(1, len(made))
            if number not in shared
        }
        start = [low, *([] if early else rest), *(self._costs.others_ms[at] for at in others)]
        start += rest if early else []
        last = sorted(
            ((ms, at) for at in shared for ms in self._costs_of(made[at], shared=shared[at])),
            reverse=True,
        )
        orders = [list(work), sorted(work, key=lambda number: -sum(work[number]))]
        runs = [
            schedule.run(
                [
                    *start,
                    *(ms for number in order for ms in work[number]),
                    *(ms for ms, _ in last),
                ],
                self.workers,
            )
            for order in orders
        ]
        best = 1 if runs[1].wall_ms < _WORTH * runs[0].wall_ms else 0
        return Cut(
            chunks=tuple(map(self._grid.chunk, made)),
            order=(0, *first, *([0] if early else []), *orders[best], *(at for _, at in last)),
            wall_ms=runs[best].wall_ms,
            idle_ms=runs[best].idle_ms,
            last_ms=runs[best].last_ms,
            shared=shared,
        )
