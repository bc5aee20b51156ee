"""A source without a usable index is copied, once, into a container that has one.

Packets are copied as they are; what is wrong with them shows when they are decoded.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from eventing import telemetry
from functions.encoder import outcome
from functions.encoder.attempt import SPARE_BYTES, Attempt
from functions.encoder.outcome import Failed
from functions.jobs import layout
from functions.jobs.plan import MezzanineTask
from functions.media.encoding import argv as words
from functions.media.encoding import remux

PACKED_FORMATS: Final = frozenset(("avi",))
"""Containers in which MPEG-4 comes with packed B-frames."""
MUXERS: Final = ("mov", "mp4", "matroska")
"""The first that takes every codec of the source: QuickTime has the older ones, MP4 the newer,
Matroska takes the rest but has no index, so that every task will read all of it."""
GROWTH: Final = 2
"""How much larger than the source a copy may be."""


def make(attempt: Attempt, task: MezzanineTask) -> None:
    """Write the mezzanine of the plan's source; who plans the next generation indexes it.

    It is shared by all jobs that read the source, so it may be there already. Raises like
    `Attempt.video`.
    """
    digest = attempt.plan.source.digest
    if attempt.store.head(layout.mezzanine(digest)) is not None:
        return
    source = attempt.copy.fetch_whole()
    _remux(attempt, task, source)
    file = attempt.folder / words.output(0)
    with telemetry.span("put", bytes=file.stat().st_size):
        attempt.watch.beat()
        attempt.store.create(layout.mezzanine(digest), file, content_type="video/quicktime")


def _remux(attempt: Attempt, task: MezzanineTask, source: words.Source) -> None:
    """Try one muxer after the other. Those that cannot fail at once."""
    most_bytes = GROWTH * attempt.plan.source.size_bytes + SPARE_BYTES
    last: Failed | None = None
    with telemetry.span("encode", bytes=attempt.plan.source.size_bytes):
        for muxer, unpack in _ways(source.format):
            argv = remux.argv(attempt.ffmpeg, source=source, muxer=muxer, unpack=unpack)
            try:
                outcome.check(attempt.run(argv, task.cost_ms, most_bytes), "file")
            except Failed as failed:
                if failed.code != "decode_failed":
                    raise
                last = failed
                continue
            if (attempt.folder / words.output(0)).exists():
                return
    raise last or Failed("decode_failed", kind="file", problem="it has nothing to copy")


def _ways(format: str) -> Iterator[tuple[str, bool]]:
    for muxer in MUXERS:
        if format in PACKED_FORMATS:
            yield muxer, True
        yield muxer, False
