"""A local copy of an object that holds only the bytes that are needed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

from functions.jobs.refusal import refuse
from functions.media.source.byterange import ByteRange
from functions.ports import Absent, ObjectStore

Places = Callable[[int, bytes], Iterable[tuple[int, memoryview]]]
"""Where bytes of the object from a position on go: parts of them, each with its place."""


def read(
    store: ObjectStore, key: str, ranges: Sequence[ByteRange], *, etag: str
) -> Iterator[tuple[ByteRange, bytes]]:
    """Each range of the object and what is there.

    Raises Rejected (source_gone) when the object is no longer there, or no longer the one with this
    `etag`.
    """
    try:
        yield from zip(ranges, store.read(key, ranges, etag=etag), strict=True)
    except Absent as error:
        raise refuse("source_gone") from error


def fetch(
    store: ObjectStore,
    key: str,
    ranges: Sequence[ByteRange],
    path: Path,
    *,
    size_bytes: int,
    etag: str,
) -> int:
    """Write `ranges` of the object into `path` (made where there is none), as long as the object,
    each where it lies there; the rest are holes.

    What an earlier call wrote there stays. Returns the bytes read. Raises like `read`.
    """
    fetched = 0
    with path.open("r+b" if path.exists() else "w+b") as copy:
        copy.truncate(size_bytes)
        for each, body in read(store, key, ranges, etag=etag):
            copy.seek(each.start)
            copy.write(body)
            fetched += len(body)
    return fetched


def collect(
    store: ObjectStore,
    key: str,
    ranges: Sequence[ByteRange],
    path: Path,
    *,
    places: Places,
    etag: str,
) -> int:
    """Write what `places` says of `ranges` of the object to where it says in `path`, which is
    there. Returns and raises like `fetch`."""
    fetched = 0
    with path.open("r+b") as copy:
        for each, body in read(store, key, ranges, etag=etag):
            fetched += len(body)
            for place, part in places(each.start, body):
                copy.seek(place)
                copy.write(part)
    return fetched
