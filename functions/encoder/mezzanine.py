"""A source without a usable index is copied, once, into a container that has one.

Packets are copied as they are; what is wrong with them shows when they are decoded.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

from eventing import telemetry
from eventing.errors import Unavailable
from functions.encoder import outcome
from functions.encoder.attempt import SPARE_BYTES, Attempt
from functions.encoder.outcome import Failed
from functions.jobs import layout
from functions.jobs.plan import MezzanineTask
from functions.media import container, index, probe, recipe
from functions.media.guard import MAX_PIXELS
from functions.ports import Limits

PACKED_FORMATS: Final = frozenset(("avi",))
"""Containers in which MPEG-4 comes with packed B-frames."""
MUXERS: Final = ("mov", "mp4", "matroska")
"""The first that takes every codec of the source: QuickTime has the older ones, MP4 the newer,
Matroska takes the rest but has no index, so that every task will read all of it."""
INDEXED: Final = frozenset(("mov", "mp4"))
GROWTH: Final = 2
"""How much larger than the source a copy may be."""
PROBE_BYTES: Final = 2 << 30
PROBE_S: Final = 120.0

_log = logging.getLogger(__name__)


def make(attempt: Attempt, task: MezzanineTask, *, ffprobe: Path) -> None:
    """Write the mezzanine of the plan's source, and its index where there can be one.

    The index comes first: whoever finds a mezzanine finds its index too. Both are shared by all
    jobs that read the source, so they may be there already. Raises like `Attempt.video`.
    """
    digest = attempt.plan.source.digest
    if attempt.store.head(layout.mezzanine(digest)) is not None:
        return
    source = attempt.copy.fetch_whole()
    muxer = _remux(attempt, task, source)
    file = attempt.folder / recipe.output(0)
    if muxer in INDEXED and (found := _index(attempt, file, ffprobe)) is not None:
        attempt.store.create(layout.index(digest), index.encode(found))
    with telemetry.span("put", bytes=file.stat().st_size):
        attempt.watch.beat()
        attempt.store.create(layout.mezzanine(digest), file, content_type="video/quicktime")


def _remux(attempt: Attempt, task: MezzanineTask, source: recipe.Source) -> str:
    """Try one muxer after the other; the one that worked. Those that cannot fail at once."""
    most_bytes = GROWTH * attempt.plan.source.size_bytes + SPARE_BYTES
    last: Failed | None = None
    with telemetry.span("encode", bytes=attempt.plan.source.size_bytes):
        for muxer, unpack in _ways(source.format):
            argv = recipe.mezzanine(attempt.ffmpeg, source=source, muxer=muxer, unpack=unpack)
            try:
                outcome.check(attempt.run(argv, task.cost_ms, most_bytes), "file")
            except Failed as failed:
                if failed.code != "decode_failed":
                    raise
                last = failed
                continue
            if (attempt.folder / recipe.output(0)).exists():
                return muxer
    raise last or Failed("decode_failed", kind="file", problem="it has nothing to copy")


def _ways(format: str) -> Iterator[tuple[str, bool]]:
    for muxer in MUXERS:
        if format in PACKED_FORMATS:
            yield muxer, True
        yield muxer, False


def _index(attempt: Attempt, file: Path, ffprobe: Path) -> index.Index | None:
    """The packet index of the copy, or None where it is not to be had."""
    with file.open("rb") as opened:

        def read(offset: int, size: int) -> bytes:
            opened.seek(offset)
            return opened.read(size)

        with suppress(container.Damaged, container.Truncated):
            boxes = container.walk(read, file.stat().st_size)
            if not boxes.fragmented:
                return _table(attempt, file, ffprobe, boxes)
    return None


def _table(
    attempt: Attempt, file: Path, ffprobe: Path, boxes: container.Boxes
) -> index.Index | None:
    try:
        streams = probe.read_streams(
            _ask(attempt, probe.streams_argv(ffprobe, "mov", file, pixels=MAX_PIXELS))
        )
        tables = probe.read_packets(
            _ask(attempt, probe.packets_argv(ffprobe, "mov", file, pixels=MAX_PIXELS))
        )
        tracks = []
        timebases = {each.index: each.timebase for each in streams.video} | {
            each.index: each.timebase for each in streams.audio
        }
        for stream, timebase in timebases.items():
            table = tables.get(stream)
            if table is None:
                continue
            if not table.complete or not table.located:
                return None
            tracks.append(index.TrackTable(stream, timebase, table.packets))
        return index.Index(boxes.head, tuple(sorted(tracks, key=lambda track: track.stream)))
    except ValueError as error:
        _log.warning("no index of the mezzanine: %s", error)
        return None


def _ask(attempt: Attempt, argv: list[str]) -> bytes:
    finished = attempt.process(
        argv,
        limits=Limits(
            wall_s=PROBE_S,
            cpu_s=PROBE_S,
            memory_bytes=attempt.memory_bytes,
            output_bytes=PROBE_BYTES,
        ),
        cwd=attempt.folder,
    )
    if finished.returncode != 0:
        raise Unavailable("the mezzanine could not be probed")
    return finished.stdout
