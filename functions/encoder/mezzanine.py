"""A source without a usable index is copied, once, into a container that has one.

Packets are copied as they are; what is wrong with them shows when they are decoded. Only sound that
changes its format where the copy can say but one is decoded, and stored without loss.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from typing import Final

from eventing import telemetry
from functions.encoder import evened, outcome
from functions.encoder.attempt import SPARE_BYTES, Attempt
from functions.encoder.outcome import Failed
from functions.jobs import layout
from functions.jobs.plan import MezzanineTask
from functions.media.encoding import argv as words
from functions.media.encoding import remux
from functions.media.encoding.remux import Evened

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
    sound = _sound(attempt, task, source)
    found: tuple[Evened, ...] | None = None if sound else ()
    failed: Failed | None = None
    with telemetry.span("encode", bytes=attempt.plan.source.size_bytes):
        for muxer, unpack in _ways(source.format):
            copy = functools.partial(
                remux.argv,
                attempt.ffmpeg,
                source=source,
                muxer=muxer,
                unpack=unpack,
                sound=sound,
            )
            failed = _tried(attempt, task, copy(evened=found), found or ())
            if found is None:
                if failed is not None:
                    # Perhaps because of sound that cannot be copied.
                    inspection = remux.inspection(attempt.ffmpeg, source=source, sound=sound)
                    _tried(attempt, task, inspection)
                found = evened.look(attempt.folder, attempt.watch.beat)
                if found:
                    failed = _tried(attempt, task, copy(evened=found), found)
            if failed is None and (attempt.folder / words.output(0)).exists():
                return
    raise failed or Failed("decode_failed", kind="file", problem="it has nothing to copy")


def _sound(attempt: Attempt, task: MezzanineTask, source: words.Source) -> list[str]:
    """The codecs of its tracks, where there may be some that are not to be copied."""
    if source.format not in remux.CHANGING_FORMATS:
        return []
    # It fails without sound; and what is wrong with the file, the copy will tell.
    _tried(attempt, task, remux.listing(attempt.ffmpeg, source=source))
    codecs = [track.codec for track in evened.tracks(attempt.folder)]
    return codecs if {*codecs} & {remux.CHANGING_CODEC, *remux.UNNAMED} else []


def _tried(
    attempt: Attempt, task: MezzanineTask, argv: Sequence[str], found: Sequence[Evened] = ()
) -> Failed | None:
    """Why ffmpeg could not; raises any other reason."""
    cost_ms = task.cost_ms + evened.cost_ms(found)
    most_bytes = GROWTH * attempt.plan.source.size_bytes + SPARE_BYTES + evened.most_bytes(found)
    try:
        outcome.check(attempt.run(argv, cost_ms, most_bytes), "file")
    except Failed as failed:
        if failed.code != "decode_failed":
            raise
        return failed
    return None


def _ways(format: str) -> Iterator[tuple[str, bool]]:
    for muxer in MUXERS:
        if format in PACKED_FORMATS:
            yield muxer, True
        yield muxer, False
