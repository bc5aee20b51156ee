"""The local copy of a source while it is looked at: as much of it as was asked for."""

from __future__ import annotations

import mmap
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Final

from functions.adapters import sparse
from functions.jobs.manifest import SourceObject
from functions.jobs.refusal import in_units, refuse
from functions.media.source import byterange
from functions.media.source.byterange import ByteRange
from functions.media.source.probe import Table
from functions.ports import ObjectStore

PIECE_BYTES: Final = 16 * 2**20
"""How much of the source is in memory at once."""
FIRST_PACKETS: Final = 12
FIRST_BYTES: Final = 4 * 2**20
"""Of each track: what decoders need to tell a picture's format."""
MOST_MISSING_BYTES: Final = 2**38
"""However much a header claims."""


@dataclass(frozen=True, slots=True)
class Copy:
    """A file that is as long as the source and has holes. Everything that reads the source raises
    Rejected (source_gone) where it is not what it was any more."""

    store: ObjectStore
    source: SourceObject
    path: Path
    beat: Callable[[], None]
    """Called before each piece; what it raises ends it."""

    def read(self, offset: int, size: int) -> bytes:
        """From the source itself; fewer bytes at its end."""
        stop = min(offset + size, self.source.size_bytes)
        if stop <= offset:
            return b""
        wanted = [ByteRange(offset, stop)]
        found = sparse.read(self.store, self.source.address, wanted, etag=self.source.etag)
        return b"".join(body for _, body in found)

    def fetch(self, ranges: Sequence[ByteRange]) -> None:
        for piece in byterange.pieces(ranges, PIECE_BYTES):
            self.beat()
            sparse.fetch(
                self.store,
                self.source.address,
                [piece],
                self.path,
                size_bytes=self.source.size_bytes,
                etag=self.source.etag,
            )

    def fetch_first(self, tables: Iterable[Table]) -> None:
        """The first packets of each track."""
        ranges = []
        for table in tables:
            size_bytes = 0
            for packet in islice(table.packets, FIRST_PACKETS):
                if packet.size and size_bytes < FIRST_BYTES:
                    stop = packet.position + min(packet.size, FIRST_BYTES)
                    ranges.append(ByteRange(packet.position, stop))
                    size_bytes += packet.size
        self.fetch(byterange.union(ranges))

    def fetch_whole(self, limit_bytes: int) -> None:
        """Raises Rejected (index_missing) for more than may be."""
        size = self.source.size_bytes
        if size > limit_bytes:
            raise refuse("index_missing", size=in_units(size), limit=in_units(limit_bytes))
        self.fetch([ByteRange(0, size)])

    def lengthen(self, missing_bytes: int) -> None:
        """As if what the source lacks at its end were there."""
        with self.path.open("r+b") as copy:
            copy.truncate(self.source.size_bytes + min(missing_bytes, MOST_MISSING_BYTES))

    @contextmanager
    def mapped(self) -> Iterator[mmap.mmap]:
        """What was fetched so far, without a copy in memory."""
        with (
            self.path.open("rb") as copy,
            mmap.mmap(copy.fileno(), 0, access=mmap.ACCESS_READ) as data,
        ):
            yield data
