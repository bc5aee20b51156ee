"""A cut of the timeline, and the costs that it is made by."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from functions.media.cutting.windows import Chunk


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
    shared_ms: tuple[tuple[float, ...], ...] = ()
    """Ways to share out the renditions of a chunk: of one output frame in each task."""

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
    the first chunk is there twice, first its lowest rung and then the rest of it, and where others
    are there several times, their longest task first."""
    wall_ms: float
    idle_ms: float
    """How long the worker that is done first waits for the one that is done last."""
    last_ms: float
    """The longest of the tasks that end a worker's work: a wrong estimate of it is not evened
    out by anything after it."""

    shared: Mapping[int, int] = field(default_factory=dict)
    """Which way the renditions of a chunk are shared out, for those that are."""

    @property
    def early(self) -> bool:
        """Whether the lowest rung of the first chunk is a task of its own."""
        return self.order.count(0) > 1
