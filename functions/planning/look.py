"""One look at a file: what is in it, by as few of its bytes as its container allows.

MP4 and QuickTime tell in their headers where every packet lies: a sparse copy of the headers
alone gives the whole table, and the index object that every task reads. Of other containers the
start is looked at, to refuse what can be refused; a task remuxes them first.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction
from itertools import chain
from pathlib import Path
from typing import Final

from eventing.errors import Rejected
from functions.jobs import layout
from functions.jobs.manifest import SourceObject
from functions.jobs.refusal import refuse
from functions.jobs.source import container_of
from functions.media.source import (
    container,
    ending,
    excerpt,
    guard,
    index,
    keyframes,
    sniff,
    untimed,
)
from functions.media.source.byterange import ByteRange, union
from functions.media.source.probe import Table
from functions.media.source.stream import Media, VideoStream
from functions.planning import scan
from functions.planning.copy import Copy
from functions.planning.glance import Glance
from functions.planning.lister import Lister
from functions.planning.survey import Survey
from functions.ports import ObjectStore, Process

START_BYTES: Final = 16 * 2**20
END_BYTES: Final = 2**20
"""Of a source without an index: what is enough to know its streams."""
FEW_PACKETS: Final = 64
"""In as many, pictures that are shown in another order than they are stored are out of order."""


@dataclass(slots=True, kw_only=True)
class Look:
    """One look at one file, with a local copy of as much of it as is needed.

    Methods raise Rejected for what will never become streams, and for a file that is gone or is
    another one by now; `torn` and `languages` do not.
    """

    store: ObjectStore
    process: Process
    ffprobe: Callable[[], Path]
    ffmpeg: Callable[[], Path]
    """Raises Unavailable where there is none: then no picture is looked at."""
    bounds: guard.Bounds
    source: SourceObject
    """The file: what was brought, or its mezzanine."""
    beat: Callable[[], None]
    """Called between steps; what it raises ends the look."""
    folder: Path
    """Empty, and nobody else's: for the copy, and for what programs write."""
    _copy: Copy = field(init=False)
    _lister: Lister = field(init=False)

    def __post_init__(self) -> None:
        self._copy = Copy(self.store, self.source, self.folder / "source", self.beat)
        self._lister = Lister(
            process=self.process,
            ffprobe=self.ffprobe,
            copy=self._copy.path,
            pixels=self.bounds.pixels,
            beat=self.beat,
        )

    def original(self) -> Survey:
        """Of what was brought. Prepared where its headers tell every packet, of which the index
        object is stored, and where it has no times, so that its pictures are counted."""
        kind = self._sniff()
        if kind in sniff.RAW:
            return self._raw(kind)
        if kind.indexed:
            boxes = self._boxes()
            if not boxes.fragmented and len(boxes.head) <= index.MAX_HEAD_RANGES:
                survey = self._indexed(kind, boxes, layout.index(self.source.digest))
                if survey is not None:
                    return survey
        media = self._by_its_ends(kind)
        size = self.source.size_bytes
        if missing_bytes := ending.missing_bytes(kind, self._copy.read, size):
            raise refuse("source_truncated", problem=f"its last {missing_bytes} bytes are missing")
        if media.video and untimed.doubtful(kind.format, media.video[0]):
            survey = self._untimed(kind, media, media.video[0])
            if survey is not None:
                return replace(survey, torn=self.torn())
        return replace(self._survey(kind, media, {}, "", prepared=False), torn=self.torn())

    def mezzanine(self, index_key: str) -> Survey:
        """Of a mezzanine: always prepared. Where its headers tell every packet its index object is
        stored as `index_key`."""
        kind = self._sniff()
        if kind.indexed:
            survey = self._indexed(kind, self._boxes(), index_key)
            if survey is not None:
                return survey
        self._copy.fetch_whole(self.bounds.whole_bytes)
        media = self._lister.streams(kind.format)
        tables = self._lister.packets(kind.format)
        return self._survey(kind, media, tables, "", prepared=True)

    def torn(self) -> bool:
        """Whether the file stops within a packet; False for one that is refused."""
        try:
            return ending.torn(self._sniff(), self._copy.read, self.source.size_bytes)
        except Rejected:
            return False

    def languages(self) -> tuple[str, ...]:
        """Of each stream of sound, in the file's order; none of a file that is refused."""
        try:
            media = self._by_its_ends(self._sniff())
        except Rejected:
            return ()
        return tuple(stream.language for stream in media.audio)

    def _by_its_ends(self, kind: sniff.Container) -> Media:
        size = self.source.size_bytes
        ends = [ByteRange(0, min(size, START_BYTES)), ByteRange(max(0, size - END_BYTES), size)]
        self._copy.fetch(union(ends))
        return self._lister.streams(kind.format)

    def _raw(self, kind: sniff.Container) -> Survey:
        """The survey of pictures without a container: every one is counted."""
        self._copy.fetch_whole(self.bounds.whole_bytes)
        media = self._lister.streams(kind.format)
        if not media.video:
            raise refuse("no_streams")
        table, frame_s = self._lister.pictures(kind.format, media.video[0].timebase)
        why = "no container: pictures have no times and are"
        return self._counted(kind, media, table, frame_s, {}, why)

    def _untimed(self, kind: sniff.Container, media: Media, film: VideoStream) -> Survey | None:
        """The survey of a container that does not say in which order pictures are shown."""
        if kind.format == "mxf":
            # Its first packets tell mostly; else all of the file has to be here for a look.
            some = self._lister.packets(kind.format, filled=True, most=FEW_PACKETS)
            if film.index in some and untimed.ordered(kind.format, some[film.index]):
                return None
        self._copy.fetch_whole(self.bounds.whole_bytes)
        tables = self._lister.packets(kind.format, filled=True)
        found = film.index in tables and untimed.counted(
            kind.format, tables[film.index], film.timebase
        )
        if not found:
            return None
        why = f"{film.codec} in {kind.name}: pictures have no times of their own and are"
        return self._counted(kind, media, *found, tables, why)

    def _counted(
        self,
        kind: sniff.Container,
        media: Media,
        table: Table,
        frame_s: Fraction,
        others: Mapping[int, Table],
        why: str,
    ) -> Survey:
        """Of the first film's `table`, and the tables of `others`."""
        film = replace(media.video[0], timebase=frame_s, nominal_rate=1 / frame_s)
        media = replace(media, video=(film, *media.video[1:]))
        return Survey(
            source=self.source,
            format=kind.format,
            media=media,
            tables={**others, film.index: table},
            index="",
            seen=self._seen(kind.format, media, {film.index: table}),
            counted=True,
            notes=(f"{why} shown {1 / frame_s} a second",),
            prepared=True,
        )

    def _survey(
        self,
        kind: sniff.Container,
        media: Media,
        tables: Mapping[int, Table],
        index_key: str,
        *,
        prepared: bool,
    ) -> Survey:
        return Survey(
            source=self.source,
            format=kind.format,
            media=media,
            tables=tables,
            index=index_key,
            seen=self._seen(kind.format, media, tables) if prepared else {},
            prepared=prepared,
        )

    def _indexed(
        self, kind: sniff.Container, boxes: container.Boxes, index_key: str
    ) -> Survey | None:
        """The survey of a source from its headers; None where they do not tell enough."""
        self._copy.fetch(boxes.head)
        media = self._lister.streams(kind.format)
        # ffprobe lists packets up to the end of the file; those that are cut off shall show.
        self._copy.lengthen(boxes.missing_bytes)
        tables = self._lister.packets(kind.format)
        streams = [stream.index for stream in media.video]
        streams += [stream.index for stream in media.audio]
        used = [tables[stream] for stream in streams if stream in tables]
        if not used or not all(table.complete and table.located for table in used):
            return None
        self._refuse_truncated(tables)
        # Headers alone say little of a picture's format, and for DV the wrong size.
        self._copy.fetch_first(tables.values())
        media = self._lister.streams(kind.format)
        tables = keyframes.entered(tables, media.video)
        self._store_index(boxes, media, tables, index_key)
        return self._survey(kind, media, tables, index_key, prepared=True)

    def _sniff(self) -> sniff.Container:
        return container_of(self._copy.read(0, sniff.SNIFF_BYTES))

    def _boxes(self) -> container.Boxes:
        try:
            boxes = container.walk(self._copy.read, self.source.size_bytes)
        except container.Truncated as error:
            raise refuse("source_truncated", problem=error) from None
        except container.Damaged as error:
            raise refuse("source_unreadable", problem=error) from None
        if boxes.encrypted:
            raise refuse("source_encrypted")
        return boxes

    def _seen(
        self, format: str, media: Media, tables: Mapping[int, Table]
    ) -> Mapping[int, scan.Seen]:
        glance = Glance(self.process, self.ffmpeg, self.folder, self.bounds.pixels)
        return glance.at(self._copy.path, format, media, tables, self._copy.fetch, self.beat)

    def _refuse_truncated(self, tables: Mapping[int, Table]) -> None:
        size = self.source.size_bytes
        packets = chain.from_iterable(table.packets for table in tables.values())
        beyond = sum(packet.position + packet.size > size for packet in packets)
        if beyond:
            count = sum(len(table.packets) for table in tables.values())
            problem = f"{beyond} of its {count} packets are missing"
            raise refuse("source_truncated", problem=problem)

    def _store_index(
        self,
        boxes: container.Boxes,
        media: Media,
        tables: Mapping[int, Table],
        key: str,
    ) -> None:
        """Write it once; who comes second finds the same."""
        timebases = {stream.index: stream.timebase for stream in media.video} | {
            stream.index: stream.timebase for stream in media.audio
        }
        described = self._described(boxes, media)
        tracks = tuple(
            index.TrackTable(stream, timebase, tables[stream].packets, described.get(stream, b""))
            for stream, timebase in sorted(timebases.items())
            if stream in tables
        )
        self.store.create(key, index.encode(index.Index(boxes.head, tracks)))

    def _described(self, boxes: container.Boxes, media: Media) -> dict[int, bytes]:
        """What excerpts of each film begin with."""
        with self._copy.mapped() as data:
            brands = data[boxes.brands.start : boxes.brands.stop] if boxes.brands else b""
            return {
                film.index: excerpt.description(
                    data,
                    boxes.movie,
                    brands,
                    number=film.track,
                    timescale=film.timebase.denominator,
                )
                for film in media.video
            }
