"""A source without a usable index is copied, once, into a container that has one.

Packets are copied as they are; what is wrong with them shows when they are decoded. Only sound that
changes its format where the copy can say but one is decoded, and stored without loss.
"""

from __future__ import annotations

import mmap
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from eventing import telemetry
from functions.encoder import outcome
from functions.encoder.attempt import SPARE_BYTES, Attempt
from functions.encoder.outcome import Failed
from functions.jobs import layout
from functions.jobs.plan import MezzanineTask
from functions.media.cutting import cost
from functions.media.encoding import argv as words
from functions.media.encoding import remux
from functions.media.encoding.rendition import CHANNELS
from functions.media.source import adts, framecrc, guard

PACKED_FORMATS: Final = frozenset(("avi",))
"""Containers in which MPEG-4 comes with packed B-frames."""
MUXERS: Final = ("mov", "mp4", "matroska")
"""The first that takes every codec of the source: QuickTime has the older ones, MP4 the newer,
Matroska takes the rest but has no index, so that every task will read all of it."""
GROWTH: Final = 2
"""How much larger than the source a copy may be."""
SAMPLE_BYTES: Final = 2
"""Of sound that is stored without loss, before it is made smaller."""


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
    sound = _sound(attempt, task, source, most_bytes)
    last: Failed | None = None
    with telemetry.span("encode", bytes=attempt.plan.source.size_bytes):
        for muxer, unpack in _ways(source.format):
            argv = remux.argv(
                attempt.ffmpeg,
                source=source,
                muxer=muxer,
                unpack=unpack,
                evened=sound.evened,
                tracks=sound.tracks,
            )
            try:
                finished = attempt.run(
                    argv, task.cost_ms + sound.cost_ms, most_bytes + sound.most_bytes
                )
                outcome.check(finished, "file")
            except Failed as failed:
                if failed.code != "decode_failed":
                    raise
                last = failed
                continue
            if (attempt.folder / words.output(0)).exists():
                return
    raise last or Failed("decode_failed", kind="file", problem="it has nothing to copy")


@dataclass(frozen=True, slots=True)
class _Sound:
    """What of it cannot be copied, and what that adds to the copy and its cost."""

    evened: tuple[remux.Evened, ...] = ()
    tracks: int = 0
    """Of sound, all together."""

    @property
    def most_bytes(self) -> int:
        # Headers may claim months; beyond this nobody has the disk.
        sizes = (
            GROWTH * SAMPLE_BYTES * CHANNELS[each.layout] * round(each.seconds * each.rate)
            for each in self.evened
        )
        return min(guard.MAX_WHOLE_BYTES, sum(sizes))

    @property
    def cost_ms(self) -> int:
        return round(
            sum(cost.sound_ms(each.seconds, CHANNELS[each.layout]) for each in self.evened)
        )


def _sound(attempt: Attempt, task: MezzanineTask, source: words.Source, most_bytes: int) -> _Sound:
    """Look for it in the headers of packets. Raises like `Attempt.video`."""
    if source.format not in remux.SELF_TELLING:
        return _Sound()
    argv = remux.telling(attempt.ffmpeg, source=source)
    try:
        outcome.check(attempt.run(argv, task.cost_ms, most_bytes), "file")
    except Failed as failed:
        # Without sound; and what is wrong with the file, the copy will tell.
        if failed.code != "decode_failed":
            raise
    found = [_headers(attempt, number) for number in range(guard.MAX_STREAMS)]
    tracks = _tracks(attempt)
    evened = []
    for number, (track, headers) in enumerate(zip(tracks, found, strict=False)):
        told: framecrc.Track | adts.Track | None = None
        if track.codec in remux.UNTOLD and track.rate:
            told = track
        elif headers is not None and headers.changes:
            told = headers
        if told is not None:
            evened.append(
                remux.Evened(
                    number=number, rate=told.rate, layout=told.layout, seconds=told.seconds
                )
            )
    return _Sound(tuple(evened), len(tracks))


def _tracks(attempt: Attempt) -> list[framecrc.Track]:
    """All of sound, in order; none where ffmpeg did not get so far as to list them."""
    try:
        with (attempt.folder / remux.TRACKS).open(encoding="ascii") as lines:
            return framecrc.read(lines)
    except (FileNotFoundError, ValueError, LookupError):
        return []


def _headers(attempt: Attempt, number: int) -> adts.Track | None:
    """What the n-th track of sound says; its file is not kept."""
    attempt.watch.beat()
    file = attempt.folder / remux.headers(number)
    try:
        with (
            file.open("rb") as opened,
            mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ) as data,
        ):
            return adts.read(data)
    except (FileNotFoundError, ValueError):
        # Python maps no file that is empty.
        return None
    finally:
        file.unlink(missing_ok=True)


def _ways(format: str) -> Iterator[tuple[str, bool]]:
    for muxer in MUXERS:
        if format in PACKED_FORMATS:
            yield muxer, True
        yield muxer, False
