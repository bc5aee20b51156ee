"""The grid of segments that chunks are cut from: how much work and reading each stretch is."""

from __future__ import annotations

from bisect import bisect_right

from functions.media.cutting.effort import Effort
from functions.media.cutting.timeline import Timeline
from functions.media.cutting.windows import Chunk, Windows

Segments = tuple[int, int]
"""Segments [first, stop)."""


class Grid:
    """Work is counted in ordinary frames."""

    def __init__(
        self,
        timeline: Timeline,
        windows: Windows | None,
        effort: Effort | None,
        *,
        longest_s: int,
        most_frames: float,
    ) -> None:
        """A chunk has at most so many seconds and so much work, but always a segment."""
        self.segments = timeline.segments
        self._timeline = timeline
        self._windows = windows
        self._before = (effort or Effort(timeline)).before
        self._most = max(1, int(longest_s / timeline.longest_segment_s))
        self._most_frames = most_frames
        self._found: dict[Segments, tuple[int, int]] = {}

    @property
    def frames(self) -> float:
        """Of the whole film."""
        return self._before[-1]

    @property
    def is_read_in_parts(self) -> bool:
        return self._windows is not None and self._windows.bytes > 0

    @property
    def is_ragged(self) -> bool:
        """Whether the last segment is less than half of an ordinary one."""
        line = self._timeline
        last = line.frames - line.start_of(self.segments - 1)
        return self.segments > 1 and 2 * last < line.segment_frames

    def chunk(self, segments: Segments) -> Chunk:
        return Chunk(self._timeline.start_of(segments[0]), self._timeline.start_of(segments[1]))

    def work(self, segments: Segments) -> float:
        return self._before[segments[1]] - self._before[segments[0]]

    def within(self, first: int, frames: float) -> float:
        """How many segments from this one on are so much work."""
        if frames <= 0:
            return 0.0
        until = self._before[first] + frames
        stop = bisect_right(self._before, until) - 1
        if stop >= self.segments:
            return float(self.segments - first)
        next_one = self._before[stop + 1] - self._before[stop]
        return stop - first + (until - self._before[stop]) / max(next_one, 1e-9)

    def longest(self, first: int) -> int:
        """Where a chunk from this segment on has to stop."""
        by_work = bisect_right(self._before, self._before[first] + self._most_frames) - 1
        return min(self.segments, first + self._most, max(first + 1, by_work))

    def pre_roll(self, segments: Segments) -> int:
        """Frames that are decoded before the first that is wanted."""
        return self._window(segments)[0]

    def twice(self, read: list[Segments]) -> float:
        """Of the video's bytes, what reading all these stretches reads beyond them."""
        if self._windows is None or not self._windows.bytes:
            return 0.0
        return sum(self._window(each)[1] for each in read) / self._windows.bytes - 1

    def _window(self, segments: Segments) -> tuple[int, int]:
        """Pre-roll and bytes."""
        if self._windows is None:
            return 0, 0
        found = self._found.get(segments)
        if found is None:
            window = self._windows.of(self.chunk(segments))
            found = self._found[segments] = window.pre_roll, self._windows.bytes_of(window)
        return found
