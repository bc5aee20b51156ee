"""The last round: who is done early takes renditions of a chunk that another has begun.

A film of few and large segments cannot be cut so that workers finish together. A chunk at its end
whose renditions are two tasks can: that is decoded once more, and read once more, but renditions
differ so much in work that some way to share them out fits what is missing.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Final, NamedTuple, Protocol

from functions.media.cutting.cut import Cut
from functions.media.cutting.grid import Segments

WHOLE: Final = -1
_STARTS: Final = 6
"""So many of the best plans are looked at closer."""
_ROUNDS: Final = 12
_MOVES: Final = (-1, 1, -2, 2)
_MOST: Final = 4
"""So many chunks are shared out at first."""
_DOUBT: Final = 0.02
"""How much longer a task may take than it was estimated: these are short."""
_TWICE: Final = 0.05
"""How much longer a wall that is as good, for each byte of the track that is read twice: a film of
so few segments is small."""
_TOO_MUCH: Final = 4.0
"""For each millisecond of work beyond what may be."""


class Part(NamedTuple):
    """A chunk."""

    first: int
    stop: int
    """Segments [first, stop)."""
    grouping: int = WHOLE
    """Which of the ways to share out its renditions; WHOLE: one task."""


Parts = tuple[Part, ...]


class Planner(Protocol):
    """Who knows what a plan comes to."""

    @property
    def workers(self) -> int: ...

    def fits(self, parts: Parts) -> bool:
        """Whether it may be, for the length of its chunks."""
        ...

    def twice(self, parts: Parts) -> float:
        """Of the video's bytes, what is read beyond them."""
        ...

    def work_ms(self, parts: Parts) -> float:
        """Of all its tasks."""
        ...

    def schedule_parts(self, parts: Parts) -> Cut:
        """When each task starts."""
        ...


def whole(made: Sequence[Segments]) -> Parts:
    return tuple(Part(*segments) for segments in made)


def best(
    plans: Sequence[Parts], groupings: int, planner: Planner, most_ms: float, *, ragged: bool
) -> Parts | None:
    """The best that is found from these plans which is no more than so much work.

    The first chunk stays as it is. `ragged`: the last segment is only the rest of one.
    """
    judged: dict[Parts, float] = {}

    def judge(parts: Parts) -> float:
        if parts not in judged:
            judged[parts] = _badness(parts, planner, most_ms)
        return judged[parts]

    begun = sorted(
        {other for plan in plans for other in _begun(plan, groupings, ragged)}, key=judge
    )
    nearest: dict[tuple[int, ...], Parts] = {}  # one for each way to cut
    for plan in begun:
        nearest.setdefault(tuple(part.first for part in plan), plan)
    for plan in [*nearest.values()][:_STARTS]:
        _descend(plan, groupings, judge)
    # The way there may lead over plans that are too much work.
    allowed = [each for each in judged if planner.work_ms(each) <= most_ms]
    return min(allowed, key=judge, default=None)


def _badness(parts: Parts, planner: Planner, most_ms: float) -> float:
    """The wall, and what work is of it, so that more of that has to be worth it."""
    if not planner.fits(parts):
        return math.inf
    cut = planner.schedule_parts(parts)
    work_ms = planner.work_ms(parts)
    wall_ms = cut.wall_ms + _DOUBT * cut.last_ms
    return (
        wall_ms * (1 + _TWICE * planner.twice(parts))
        + work_ms / planner.workers
        + _TOO_MUCH * max(0.0, work_ms - most_ms)
    )


def _begun(plan: Parts, groupings: int, ragged: bool) -> Iterator[Parts]:
    """The plan, and with its last few chunks shared out, as they are or of a segment each."""
    yield plan
    stop = plan[-1].stop
    last = stop - ragged
    for count in range(1, _MOST + 1):
        edge = last - count
        if edge <= plan[0].stop:
            return
        front = tuple(
            part._replace(stop=min(part.stop, edge)) for part in plan if part.first < edge
        )
        for grouping in range(groupings):
            ones = (Part(at, at + 1, grouping) for at in range(edge, last - 1))
            yield *front, *ones, Part(last - 1, stop, grouping)
            if count < len(plan):
                shared = (part._replace(grouping=grouping) for part in plan[-count:])
                yield *plan[:-count], *shared


def _descend(plan: Parts, groupings: int, judge: Callable[[Parts], float]) -> None:
    """Judge what differs a little from the plan, and from the best of that, as long as it helps."""
    for _ in range(_ROUNDS):
        other = min(_changed(plan, groupings), key=judge, default=plan)
        if judge(other) >= judge(plan):
            break
        plan = other


def _changed(plan: Parts, groupings: int) -> Iterator[Parts]:
    """Plans that differ in one edge, or in how one chunk is shared out."""
    for at in range(1, len(plan)):
        part, before, after = plan[at], plan[:at], plan[at + 1 :]
        shared = part.grouping != WHOLE
        if shared or at == len(plan) - 1:
            for grouping in range(WHOLE, groupings):
                yield *before, part._replace(grouping=grouping), *after
        if at == 1:
            continue
        one, others = plan[at - 1], plan[: at - 1]
        yield *others, one._replace(stop=part.stop), *after
        for move in _MOVES:
            edge = part.first + move
            if one.first < edge < part.stop:
                for grouping in range(groupings) if shared else (WHOLE,):
                    moved = part._replace(first=edge, grouping=grouping)
                    yield *others, one._replace(stop=edge), moved, *after


def folded(made: Sequence[Segments]) -> list[Segments]:
    """With the last chunk in its neighbour, if that is not the first."""
    if len(made) < 3:
        return [*made]
    return [*made[:-2], (made[-2][0], made[-1][1])]
