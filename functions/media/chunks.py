"""Chunks: where the output is cut, and which packets decode to exactly one chunk's frames.

Edges lie on the segment grid. The first chunk is short, so that something plays soon; the others
are sized in a simulation of the workers, so that they finish together. Where it costs little an
edge moves to just behind a keyframe of the source: less is decoded only to be thrown away.
"""

from __future__ import annotations

import heapq
import math
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import accumulate, pairwise
from typing import Final

from functions.media.index import Packets
from functions.media.timeline import Timeline, median_delta, source_frames

MAX_TASK_MS: Final = 120_000.0
"""Of estimated work: several of them must fit into the time that a request may take."""
MAX_PRE_ROLL: Final = Fraction(15, 100)
"""Of the video's bytes, over all chunks: what may be read twice for better balance."""
_SHARES: Final = (Fraction(1, 2), Fraction(2, 3), Fraction(5, 6), Fraction(1))
"""Of what is fairly a worker's, taken at once: small shares even out wrong estimates, large ones
read less twice."""
_DOUBT: Final = 0.15
"""How much longer a task may take than it was estimated: scenes differ."""
_LAST_SEGMENTS: Final = 2
"""A worker whose fair rest is no more than this takes all of it."""

_FLUSH_PACKETS: Final = 4
"""Beyond the last one needed, so that the decoder gives out what it holds back."""
_MAX_DELAY: Final = 16
"""Pictures that a decoder of H.264 or HEVC may hold back for reordering."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """Output frames [start, stop)."""

    start: int
    stop: int

    @property
    def frames(self) -> int:
        return self.stop - self.start


@dataclass(frozen=True, slots=True)
class Window:
    """Which packets a chunk needs, and how to cut exactly its frames out of what they decode to."""

    first_packet: int
    stop_packet: int
    """Rows in decode order; the first is a sync sample."""
    trim_start: int
    trim_stop: int
    """Passthrough: keep frames with PTS in [start, stop), in source ticks, each half way between
    two frames: no rounding can move a frame over the edge. Resampled: output frames."""
    pre_roll: int
    """Packets that are decoded before the first frame that is wanted."""


class Windows:
    """The packets of one track, ready to be asked for any chunk's share of them."""

    def __init__(self, packets: Packets, timeline: Timeline) -> None:
        shown = sorted((packet.pts, row) for row, packet in enumerate(packets) if packet.shown)
        self._presented = [pts for pts, _ in shown]
        rows = [row for _, row in shown]
        self._count = len(packets)
        self._timeline = timeline
        self._source_frame = source_frames(timeline, self._presented)
        # Of frame n and all later ones the earliest row, of frame n and all earlier the latest.
        self._earliest = list(accumulate(reversed(rows), min))[::-1]
        self._latest = list(accumulate(rows, max))
        decoded = {row: rank for rank, row in enumerate(sorted(rows))}
        delay = max((decoded[row] - rank for rank, row in enumerate(rows)), default=0)
        self._margin = _FLUSH_PACKETS + 2 * min(_MAX_DELAY, delay)
        self._sync = [row for row, packet in enumerate(packets) if packet.sync]
        self._sync_pts = [packets[row].pts for row in self._sync]
        self._open = self._open_groups(packets)
        self._bytes = [0, *accumulate(packet.size for packet in packets)]
        self._median = median_delta(self._presented)

    @property
    def presented(self) -> list[int]:
        """Ticks of the presented frames, ascending."""
        return self._presented

    def _open_groups(self, packets: Packets) -> list[bool]:
        """For each sync sample, whether frames that follow it are presented before it."""
        groups = []
        for first, stop in pairwise([*self._sync, self._count]):
            pts = packets[first].pts
            # Leading pictures follow their keyframe at once; 64 is more than any encoder delays.
            leading = range(first + 1, min(stop, first + 64))
            groups.append(any(packets[row].pts < pts for row in leading))
        return groups

    def of(self, chunk: Chunk) -> Window:
        """The window of these output frames."""
        first = self._source_frame(chunk.start)
        last = self._source_frame(chunk.stop - 1)
        if not self._timeline.constant:
            # The filter repeats a frame until it has seen the next one.
            last = min(last + 1, len(self._presented) - 1)
        wanted = self._earliest[first]
        start = self._sync_row(wanted, self._presented[first])
        stop = min(self._count, self._latest[last] + 1 + self._margin)
        trim_start, trim_stop = self._trim(chunk)
        return Window(start, stop, trim_start, trim_stop, wanted - start)

    def _sync_row(self, wanted: int, ticks: int) -> int:
        """The last sync sample from which everything that is wanted decodes."""
        at = bisect_right(self._sync, wanted) - 1
        while at > 0 and self._sync_pts[at] > ticks:
            at -= 1
        if at > 0 and self._open[at]:
            # Demuxers start at the keyframe before an open group; so do we.
            at -= 1
        return self._sync[at] if at >= 0 else 0

    def _trim(self, chunk: Chunk) -> tuple[int, int]:
        if not self._timeline.constant:
            return chunk.start, chunk.stop
        presented = self._presented
        if chunk.start:
            before, after = presented[chunk.start - 1], presented[chunk.start]
            start = (before + after + 1) // 2
        else:
            start = presented[0] - (self._median - 1) // 2
        if chunk.stop < len(presented):
            before, after = presented[chunk.stop - 1], presented[chunk.stop]
            return start, (before + after + 1) // 2
        return start, presented[-1] + self._median + 1

    def bytes_of(self, window: Window) -> int:
        """Of the packets of a window."""
        return self._bytes[window.stop_packet] - self._bytes[window.first_packet]

    @property
    def bytes(self) -> int:
        return self._bytes[-1]


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
        self._segments = math.ceil(Fraction(timeline.frames, timeline.segment_frames))
        self._segment_ms = timeline.segment_frames * costs.frame_ms
        by_time = int(chunk_s * timeline.rate) // timeline.segment_frames
        by_work = int((max_task_ms - costs.start_ms) / max(self._segment_ms, 1e-9))
        self._longest = max(1, min(by_time, by_work))

    def _chunk(self, first: int, stop: int) -> Chunk:
        """Of segments [first, stop)."""
        size = self._timeline.segment_frames
        return Chunk(first * size, min(stop * size, self._timeline.frames))

    def equal(self, segments: int) -> list[Chunk]:
        return [
            self._chunk(first, min(first + segments, self._segments))
            for first in range(0, self._segments, segments)
        ]

    def balanced(self, share: Fraction) -> list[Chunk]:
        """Simulate the workers: whoever is free takes `share` of what is fairly left to it."""
        costs = self._costs
        first_size = 1 if self._timeline.segment_frames >= 3 * self._timeline.rate else 2
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
