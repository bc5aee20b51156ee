"""What is in a local copy of a source, as ffprobe lists it within limits."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Final

from functions.jobs.refusal import refuse
from functions.media.source import guard, probe, untimed
from functions.media.source.probe import Table
from functions.media.source.stream import Media
from functions.ports import Finished, Limits, Process

LIMITS: Final = Limits(wall_s=240.0, cpu_s=240.0, memory_bytes=2 * 2**30, output_bytes=512 * 2**20)
_log = logging.getLogger(__name__)


@dataclass(slots=True, kw_only=True)
class Lister:
    """Asks ffprobe. Every method raises Rejected for what it does not get an answer to."""

    process: Process
    ffprobe: Callable[[], Path]
    copy: Path
    """Of the source, or of a part of it, in a folder of its own."""
    pixels: int
    """More than that in a picture are not decoded."""
    beat: Callable[[], None]
    """Called before and after each run."""
    _refused: tuple[str, ...] = ()
    """Decoders that ffprobe was not allowed to open."""

    def streams(self, format: str) -> Media:
        """The streams that the copy has for the demuxer `format`."""
        finished = self._listed(format)
        # The decoders that are refused show one after the other.
        for _ in range(guard.MAX_STREAMS):
            refused = probe.refused_codecs(finished.stderr)
            if not finished.returncode or set(refused) <= set(self._refused):
                break
            self._refused = tuple(dict.fromkeys((*self._refused, *refused)))
            finished = self._listed(format)
        if size := probe.too_large(finished.stderr):
            raise refuse("picture_too_large", width=size[0], height=size[1], limit=self.pixels)
        if "max_streams" in finished.stderr:
            limit = guard.MAX_STREAMS
            raise refuse("too_many_streams", count=f"more than {limit}", limit=limit)
        if finished.returncode:
            raise refuse("source_unreadable", problem="its streams cannot be opened")
        try:
            media = probe.read_streams(finished.stdout)
        except probe.Unreadable as error:
            raise refuse("source_unreadable", problem=error) from None
        if media.encrypted:
            raise refuse("source_encrypted")
        return media

    def packets(self, format: str, *, filled: bool = False, most: int = 0) -> Mapping[int, Table]:
        """The packets of each stream; `filled` and `most` as `probe.packets_argv` has them."""
        answer = self.copy.with_name("packets")
        self._run(
            probe.packets_argv(
                self.ffprobe(),
                format,
                self.copy,
                pixels=self.pixels,
                refused=self._refused,
                filled=filled,
                most=most,
                answer=answer.name,
            )
        )
        if not answer.exists():
            return {}
        try:
            with answer.open("rb") as lines:
                return probe.read_packets(lines)
        except probe.Unreadable as error:
            raise refuse("source_unreadable", problem=error) from None
        finally:
            answer.unlink()

    def pictures(self, format: str, timebase: Fraction) -> tuple[Table, Fraction]:
        """Those of a stream without a container, and how long each lasts in seconds."""
        finished = self._run(untimed.argv(self.ffprobe(), format, self.copy, pixels=self.pixels))
        try:
            return untimed.read(finished.stdout, timebase)
        except probe.Unreadable as error:
            raise refuse("source_unreadable", problem=error) from None

    def _listed(self, format: str) -> Finished:
        return self._run(
            probe.streams_argv(
                self.ffprobe(), format, self.copy, pixels=self.pixels, refused=self._refused
            )
        )

    def _run(self, argv: Sequence[str]) -> Finished:
        self.beat()
        finished = self.process(argv, limits=LIMITS, cwd=self.copy.parent)
        self.beat()
        if finished.stopped or finished.returncode < 0:
            # What takes minutes to list, or crashes the lister, is made to do so.
            why = finished.stopped or f"signal {-finished.returncode}"
            _log.warning("ffprobe was ended: %s; %s", why, finished.stderr[-500:])
            raise refuse("source_unreadable", problem="looking at its structure does not end well")
        return finished
