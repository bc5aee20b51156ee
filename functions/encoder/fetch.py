"""The local copy of what a task reads: a few byte ranges where the index says which, else all."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence, Set
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import chain
from pathlib import Path
from typing import Final

from eventing import telemetry
from functions.adapters import sparse
from functions.jobs.plan import AudioTask, Plan, VideoTask
from functions.media.encoding import argv as words
from functions.media.source import byterange, excerpt, index
from functions.media.source.byterange import ByteRange, union
from functions.ports import ObjectStore

PIECE_BYTES: Final = 8 << 20
"""How much of the source is in memory at once."""


@dataclass(slots=True)
class Copy:
    """The source in a task's folder, as far as it was fetched."""

    store: ObjectStore
    plan: Plan
    folder: Path
    beat: Callable[[], None]
    """Called now and then while reading; what it raises ends it."""
    bytes_read: int = 0
    """Of the source object, at the port."""
    presented: array[int] = field(default_factory=lambda: array("q"))
    """Source ticks of the pictures among the chunk's packets, in decode order; empty where there
    is no index."""

    def chunk(self, task: VideoTask) -> Iterator[words.Source]:
        """The chunk's packets, one way after the other until one leads to the planned frames: as an
        excerpt, with the source's headers, and within the whole source.

        Each is slower and goes by less than the one before. Raises Rejected (source_gone) when the
        source is not what was planned any more.
        """
        if self.plan.index and task.stop_packet:
            header = self._header()
            track = header.track(self.plan.video_track)
            packets = self._packets(header, track.stream, task.first_packet, task.stop_packet)
            self.presented = array("q", (packet.pts for packet in packets if packet.shown))
            if self._is_within(task, track) and self._excerpt(track, packets):
                yield words.Source(format=self.plan.format, excerpt=True)
                self._file.unlink()
            self._fetch(union([*header.head, *index.wanted(packets)]))
            seeks = task.first_packet > 0
            seek_us = index.seek_us(packets, track.timebase) if seeks else None
            yield words.Source(format=self.plan.format, seek_us=seek_us)
        yield self.fetch_whole()

    def fetch_sound(self, task: AudioTask, streams: Set[int]) -> words.Source:
        """The headers and all packets of these streams. Raises like `chunk`."""
        if not self.plan.index or task.spare_bytes is None:
            return self.fetch_whole()
        header = self._header()
        tables = [
            self._packets(header, stream, 0, count)
            for stream in sorted(streams)
            if (count := header.track(stream).count)
        ]
        size_bytes = sum(packet.size for table in tables for packet in table)
        if not size_bytes:
            return self.fetch_whole()
        budget = Fraction(task.spare_bytes, size_bytes)
        self._fetch(union([*header.head, *index.wanted(chain(*tables), budget=budget)]))
        return words.Source(format=self.plan.format)

    def fetch_whole(self) -> words.Source:
        """Every byte. Raises like `chunk`."""
        self._fetch([ByteRange(0, self.plan.source.size_bytes)])
        return words.Source(format=self.plan.format)

    @property
    def _file(self) -> Path:
        return self.folder / words.SOURCE

    def _is_within(self, task: VideoTask, track: index.TrackEntry) -> bool:
        """Whether nothing is asked of the track but these packets: how long the last one of all
        is shown only its headers say, and where it counts the rate is not the source's."""
        constant = self.plan.timeline is not None and self.plan.timeline.constant
        return task.first_packet > 0 and (constant or task.stop_packet < track.count)

    def _excerpt(self, track: index.TrackEntry, packets: index.Packets) -> bool:
        """Make an excerpt of these packets, where that can be."""
        if track.description is None:
            return False
        described = b"".join(self.store.read(self.plan.index, [track.description]))
        made = excerpt.of(described, packets)
        if made is None:
            return False
        self._file.write_bytes(made.head)
        self._fetch(index.wanted(packets), made.places)
        return True

    def _header(self) -> index.IndexHeader:
        start = ByteRange(0, index.HEADER_BYTES)
        return index.decode_header(b"".join(self.store.read(self.plan.index, [start])))

    def _packets(
        self, header: index.IndexHeader, stream: int, first: int, stop: int
    ) -> index.Packets:
        rows = header.table_range(stream, first, stop)
        return index.decode_packets(b"".join(self.store.read(self.plan.index, [rows])))

    def _fetch(self, ranges: Sequence[ByteRange], places: sparse.Places | None = None) -> None:
        """Into the file, where they lie in the source or to these places."""
        source = self.plan.source
        with telemetry.span("fetch", ranges=len(ranges)) as span:
            for some in _batches(byterange.pieces(ranges, PIECE_BYTES)):
                self.beat()
                what = self.store, source.address, some, self._file
                if places is None:
                    self.bytes_read += sparse.fetch(
                        *what, size_bytes=source.size_bytes, etag=source.etag
                    )
                else:
                    self.bytes_read += sparse.collect(*what, places=places, etag=source.etag)
            span.set(bytes=self.bytes_read)


def _batches(pieces: Iterable[ByteRange]) -> Iterator[list[ByteRange]]:
    """Calls of the store, none of more than a few pieces' bytes: between them somebody looks up."""
    batch: list[ByteRange] = []
    size_bytes = 0
    for each in pieces:
        batch.append(each)
        size_bytes += each.size_bytes
        if size_bytes >= 4 * PIECE_BYTES:
            yield batch
            batch, size_bytes = [], 0
    if batch:
        yield batch
