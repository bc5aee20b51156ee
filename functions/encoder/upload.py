"""An encoder's output becomes immutable objects whose names carry their content's hash."""

from __future__ import annotations

import hashlib
import mmap
from collections.abc import Callable
from pathlib import Path
from typing import Final

from eventing import telemetry
from functions.jobs import layout
from functions.jobs.receipt import Receipt
from functions.media.streams.fragmented import Fragmented
from functions.media.streams.segment import Segment, Stored, Track
from functions.ports import ObjectStore

INIT_TYPE: Final = "video/mp4"
SEGMENT_TYPE: Final = "video/iso.segment"


def track(
    store: ObjectStore,
    job: str,
    rendition: str,
    output: Fragmented,
    file: Path,
    *,
    first_segment: int,
    beat: Callable[[], None],
) -> Track:
    """Put the init and every segment of `file`; what is there already is the same bytes.

    Attempts that race write the same names or different ones, never over each other.
    """
    with (
        telemetry.span("put", rendition=rendition, segments=len(output.fragments)),
        file.open("rb") as opened,
        mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ) as data,
    ):
        init = _Body(data[output.init.start : output.init.stop])
        stored = init.put(store, layout.init_segment(job, rendition, init.sha256), INIT_TYPE)
        segments = []
        for number, fragment in enumerate(output.fragments, first_segment):
            beat()
            body = _Body(data[fragment.start : fragment.stop])
            key = layout.media_segment(job, rendition, number, body.sha256)
            segments.append(
                Segment(
                    number=number,
                    stored=body.put(store, key, SEGMENT_TYPE),
                    start_ticks=fragment.decode_time,
                    duration_ticks=fragment.duration,
                    frames=fragment.samples,
                )
            )
    return Track(
        rendition=rendition,
        codecs=output.init.codecs,
        timescale=output.init.timescale,
        init=stored,
        segments=tuple(segments),
    )


def left_over(store: ObjectStore, receipt: Receipt) -> list[str]:
    """Keys of the segments of the same numbers that the receipt does not name."""
    named = {segment.stored.key for track in receipt.tracks for segment in track.segments}
    keys = []
    for track in receipt.tracks:
        numbers = {segment.number for segment in track.segments}
        prefix = layout.media(receipt.job, f"{track.rendition}/")
        for found in store.list(prefix):
            number, dash, _ = found.key.removeprefix(prefix).partition("-")
            ours = dash and number.isdigit() and int(number) in numbers
            if ours and found.key not in named:
                keys.append(found.key)
    return keys


class _Body:
    """Bytes and their digest."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self.sha256 = hashlib.sha256(data).hexdigest()

    def put(self, store: ObjectStore, key: str, content_type: str) -> Stored:
        store.create(key, self._data, content_type=content_type)
        return Stored(key=key, size_bytes=len(self._data), sha256=self.sha256)
