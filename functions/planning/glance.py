"""Some pictures of a source are decoded, within limits, to see what its flags do not tell."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from eventing.errors import Unavailable
from functions.media.source import guard, index
from functions.media.source.byterange import ByteRange, union
from functions.media.source.probe import Table
from functions.media.source.stream import Media
from functions.planning import scan
from functions.ports import Limits, Process

LIMITS: Final = Limits(wall_s=60.0, cpu_s=60.0, memory_bytes=2 * 2**30, output_bytes=2**20)
"""Of some dozens of pictures, the largest of which have 1152 lines, or of a few that have more."""
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Glance:
    """Looks at pictures with ffmpeg."""

    process: Process
    ffmpeg: Callable[[], Path]
    folder: Path
    """Where it runs and may write; nobody else does."""
    pixels: int
    """More than that in a picture are not decoded."""

    def at(
        self,
        copy: Path,
        format: str,
        media: Media,
        tables: Mapping[int, Table],
        fetch: Callable[[Sequence[ByteRange]], None],
        beat: Callable[[], None],
    ) -> Mapping[int, scan.Seen]:
        """What the first film looks like, by stream. `fetch` brings bytes into the local `copy`.

        A look that fails has seen nothing, or what it saw until then: encoders judge a source.
        """
        for video in media.video:
            table = tables.get(video.index)
            if video.codec not in guard.VIDEO_DECODERS or table is None or not table.complete:
                continue
            windows = scan.windows(video, table.packets)
            if not windows:
                return {}
            try:
                ffmpeg = self.ffmpeg()
            except Unavailable:
                # The gateway's image has none: what it says of a job before there is one goes
                # without.
                return {}
            if table.located:
                rows = [table.packets[each.start : each.stop] for each in windows]
                fetch(union([part for some in rows for part in index.wanted(some)]))
            argv = scan.argv(ffmpeg, format, copy, video, windows, pixels=self.pixels)
            beat()
            finished = self.process(argv, limits=LIMITS, cwd=self.folder)
            beat()
            if finished.stopped or finished.returncode:
                why = finished.stopped or f"code {finished.returncode}"
                _log.warning("a look at pictures ended early: %s", why)
            return {video.index: scan.read(self._answer, finished.stderr, video, windows)}
        return {}

    def _answer(self, name: str) -> bytes:
        file = self.folder / name
        return file.read_bytes() if file.is_file() else b""
