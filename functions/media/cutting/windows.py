"""Windows: which packets of the source decode to exactly one chunk's frames, and how they are cut.

Positions are rows of the packet index, ticks of the source and output frames; all integers.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import accumulate, pairwise
from typing import Final

from functions.media.cutting import presentation
from functions.media.cutting.framerate import median_delta
from functions.media.cutting.presentation import Presentation
from functions.media.cutting.timeline import Timeline, repeats, source_frames
from functions.media.source.index import Packets
from functions.media.source.keyframes import MOST_LEADING

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
    two frames: no rounding can move a frame over the edge. Resampled: output frames. Variable:
    output ticks."""
    pre_roll: int
    """Packets that are decoded before the first frame that is wanted."""
    repeats: tuple[tuple[int, int], ...] = ()
    """Variable: runs of whole seconds of the output, first and last, at which the picture that is
    seen then is shown again."""


class Windows:
    """The packets of one track, ready to be asked for any chunk's share of them."""

    def __init__(self, packets: Packets, timeline: Timeline, *, beside: int = 0) -> None:
        """`beside`: how many frames on either side of each a filter looks at before the cut."""
        shown = presentation.of(packets)
        self._presented = shown.ticks
        self._count = len(packets)
        self._timeline = timeline
        self._beside = beside
        self._source_frame = source_frames(timeline, self._presented)
        # Of frame n and all later ones the earliest row, of frame n and all earlier the latest.
        self._earliest = array("I", accumulate(reversed(shown.rows), min))
        self._earliest.reverse()
        self._latest = array("I", accumulate(shown.rows, max))
        self._margin = _FLUSH_PACKETS + 2 * min(_MAX_DELAY, _delay(packets, shown))
        self._sync = array("I", (row for row, packet in enumerate(packets) if packet.sync))
        self._sync_pts = array("q", (packet.pts for packet in packets if packet.sync))
        self._open = self._open_groups(packets)
        self._bytes = array("Q", accumulate((packet.size for packet in packets), initial=0))
        self._median = median_delta(self._presented)
        self._repeats = repeats(timeline, self._presented) if timeline.variable else []

    @property
    def presented(self) -> Sequence[int]:
        """Ticks of the presented frames, ascending."""
        return self._presented

    def _open_groups(self, packets: Packets) -> bytearray:
        """For each sync sample, whether frames that follow it are presented before it."""
        groups = bytearray()
        for first, stop in pairwise([*self._sync, self._count]):
            pts = packets[first].pts
            leading = range(first + 1, min(stop, first + MOST_LEADING))
            groups.append(any(packets[row].pts < pts for row in leading))
        return groups

    def of(self, chunk: Chunk) -> Window:
        """The window of these output frames."""
        first = self._source_frame(chunk.start)
        last = self._source_frame(chunk.stop - 1)
        if not self._timeline.constant:
            # The filter repeats a frame until it has seen the next one.
            last += 1
        first = max(0, first - self._beside)
        last = min(last + self._beside, len(self._presented) - 1)
        wanted = self._earliest[first]
        start = self._sync_row(wanted, self._presented[first])
        stop = min(self._count, self._latest[last] + 1 + self._margin)
        trim_start, trim_stop = self._trim(chunk)
        return Window(start, stop, trim_start, trim_stop, wanted - start, self._repeated(chunk))

    def _sync_row(self, wanted: int, ticks: int) -> int:
        """The last sync sample from which everything that is wanted decodes."""
        at = bisect_right(self._sync, wanted) - 1
        while at > 0 and self._sync_pts[at] > ticks:
            at -= 1
        if at > 0 and self._open[at]:
            # Demuxers start at the keyframe before an open group; so do we.
            at -= 1
        return self._sync[at] if at >= 0 else 0

    def _repeated(self, chunk: Chunk) -> tuple[tuple[int, int], ...]:
        if not self._repeats:
            return ()
        line = self._timeline
        first = bisect_left(self._repeats, Fraction(line.ticks_of(chunk.start), line.timescale))
        stop = bisect_left(self._repeats, Fraction(line.ticks_of(chunk.stop), line.timescale))
        runs: list[tuple[int, int]] = []
        for second in self._repeats[first:stop]:
            if runs and runs[-1][1] == second - 1:
                runs[-1] = runs[-1][0], second
            else:
                runs.append((second, second))
        return tuple(runs)

    def _trim(self, chunk: Chunk) -> tuple[int, int]:
        if self._timeline.variable:
            return self._timeline.ticks_of(chunk.start), self._timeline.ticks_of(chunk.stop)
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


def _delay(packets: Packets, shown: Presentation) -> int:
    """How many pictures that are shown later are decoded before one, at most."""
    decoded = array("I", accumulate(packet.shown for packet in packets))
    return max((decoded[row] - 1 - at for at, row in enumerate(shown.rows)), default=0)
