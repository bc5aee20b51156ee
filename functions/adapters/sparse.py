"""A local copy of an object that holds only the bytes that are needed; the rest are holes."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from functions.jobs.refusal import refuse
from functions.media.source.byterange import ByteRange
from functions.ports import Absent, ObjectStore


def fetch(
    store: ObjectStore,
    key: str,
    ranges: Sequence[ByteRange],
    path: Path,
    *,
    size_bytes: int,
    etag: str,
) -> int:
    """Write `ranges` of the object into `path` (made where there is none), as long as the object.

    What an earlier call wrote there stays. Returns the bytes read. Raises Rejected (source_gone)
    when the object is no longer there, or no longer the one with this `etag`.
    """
    fetched = 0
    with path.open("r+b" if path.exists() else "w+b") as copy:
        copy.truncate(size_bytes)
        try:
            bodies = store.read(key, ranges, etag=etag)
            for each, body in zip(ranges, bodies, strict=True):
                copy.seek(each.start)
                copy.write(body)
                fetched += len(body)
        except Absent as error:
            raise refuse("source_gone") from error
    return fetched


def gather(copy: Path, pieces: Iterable[tuple[int, int]], path: Path, *, head: bytes) -> None:
    """Write `head` into `path` and behind it these pieces of `copy`, by position and size, one
    after the other. The copy is gone afterwards.
    """
    with copy.open("rb") as source, path.open("wb", buffering=0) as target:
        target.write(head)
        for position, size in pieces:
            stop = position + size
            while position < stop:
                sent = os.sendfile(target.fileno(), source.fileno(), position, stop - position)
                if not sent:
                    raise ValueError(f"a piece ends at {stop}, beyond the copy")
                position += sent
    copy.unlink()
