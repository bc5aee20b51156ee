"""One MP4 of segments that are all there: fetched, copied by ffmpeg, held against the plan, put.

Nothing is encoded. What the file must have is known from the receipts, to the sample.
"""

from __future__ import annotations

import hashlib
import mmap
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Final

from eventing import telemetry
from eventing.errors import Unavailable
from functions.encoder import outcome
from functions.encoder.attempt import SPARE_BYTES, Attempt
from functions.encoder.outcome import Failed
from functions.jobs import layout, record
from functions.jobs.plan import ProgressiveTask
from functions.jobs.receipt import Receipt
from functions.media.encoding import aac, faststart
from functions.media.encoding import argv as words
from functions.media.streams import faststart as gate
from functions.media.streams.faststart import FileTrack
from functions.media.streams.join import join
from functions.media.streams.segment import Stored, Track
from functions.ports import Absent

FILE_TYPE: Final = "video/mp4"
SLOWEST_BYTES_S: Final = 10 << 20
"""Of a scratch disk: slower ones count as stuck."""
_PIECE_BYTES: Final = 1 << 20


def make(attempt: Attempt, task: ProgressiveTask) -> Stored:
    """Write the file of the task's renditions, and say what it is. Raises like `Attempt.video`."""
    found = dict(_tracks(attempt, task))
    size_bytes = sum(_fetch(attempt, name, track) for name, track in found.items())
    argv = faststart.argv(
        attempt.ffmpeg, inputs=tuple(found), timescale=next(iter(found.values())).timescale
    )
    # ffmpeg says nothing while it moves the media behind their header.
    attempt.stall_s = max(attempt.stall_s, 2 * size_bytes / SLOWEST_BYTES_S)
    with telemetry.span("encode", bytes=size_bytes):
        # The index alone is larger than that of the segments, and far below twice all of it.
        outcome.check(attempt.run(argv, task.cost_ms, 2 * size_bytes + SPARE_BYTES), "file")
    file = attempt.folder / words.output(0)
    _check(file, tuple(_planned(name, track) for name, track in found.items()))
    with telemetry.span("put", bytes=file.stat().st_size):
        attempt.watch.beat()
        sha256 = _digest(file)
        key = layout.progressive(attempt.plan.job, sha256)
        attempt.store.create(key, file, content_type=FILE_TYPE)
    return Stored(key=key, size_bytes=file.stat().st_size, sha256=sha256)


def _tracks(attempt: Attempt, task: ProgressiveTask) -> Iterator[tuple[str, Track]]:
    plan = attempt.plan
    try:
        if task.video and plan.timeline:
            yield faststart.PICTURES, _whole(attempt, task.video, plan.timeline.frames)
        if task.audio:
            yield faststart.SOUND, _whole(attempt, task.audio, None)
    except ValueError as error:
        raise Failed("output_invalid", problem=str(error)) from error


def _whole(attempt: Attempt, rendition: str, frames: int | None) -> Track:
    """The rendition as its tasks' receipts have it."""
    parts = []
    for part in attempt.plan.parts_of(rendition):
        attempt.watch.beat()
        generation = attempt.plan.generation_of(part)
        key = layout.receipt(attempt.plan.job, generation, part.id)
        receipt = record.read(attempt.store, key, Receipt)
        if receipt is None:
            raise Unavailable(f"no receipt of {part.id} to be seen")
        parts += [track for track in receipt.tracks if track.rendition == rendition]
    return join(parts, frames=frames)


def _fetch(attempt: Attempt, name: str, track: Track) -> int:
    """Put the init segment and the segments into one local file; how large it is."""
    size_bytes = 0
    with (attempt.folder / name).open("wb") as file:
        for stored in (track.init, *(segment.stored for segment in track.segments)):
            attempt.watch.beat()
            try:
                data = attempt.store.get(stored.key)
            except Absent:
                # It was there when its receipt was written: the job was called off.
                raise Unavailable(f"{stored.key} is not there") from None
            if len(data) != stored.size_bytes:
                raise Unavailable(f"{stored.key} is not whole")
            size_bytes += file.write(data)
    return size_bytes


def _planned(name: str, track: Track) -> FileTrack:
    """What the file must have of it."""
    ticks = sum(segment.duration_ticks for segment in track.segments)
    sound = name == faststart.SOUND
    priming = aac.FRAME_SAMPLES if sound else 0
    return FileTrack(
        kind="audio" if sound else "video",
        samples=track.frames,
        duration_s=Fraction(ticks, track.timescale),
        starts_s=Fraction(-priming, track.timescale),
        presented_s=Fraction(ticks - priming, track.timescale),
        sync=True,
    )


def _check(file: Path, planned: tuple[FileTrack, ...]) -> None:
    if not file.exists() or file.stat().st_size == 0:
        raise Failed("output_invalid", problem="no file was written")
    try:
        with (
            file.open("rb") as opened,
            mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ) as data,
        ):
            gate.check(data, planned=planned)
    except ValueError as error:
        raise Failed("output_invalid", problem=str(error)) from error


def _digest(file: Path) -> str:
    sha256 = hashlib.sha256()
    with file.open("rb") as opened:
        while piece := opened.read(_PIECE_BYTES):
            sha256.update(piece)
    return sha256.hexdigest()
