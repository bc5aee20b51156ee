"""Records that change: read with the etag they had, and replaced only if they still have it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from eventing.errors import Unavailable
from functions.jobs import record
from functions.ports import Absent, ByteRange, ObjectStore

T = TypeVar("T")

_TRIES: Final = 8
"""Others that are faster, before it is left to a later time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found(Generic[T]):
    """A record as it was when it was read."""

    record: T
    etag: str


def read(store: ObjectStore, key: str, kind: type[T]) -> Found[T] | None:
    """The record at `key`, None where there is none. Raises ValueError like `record.load`."""
    for _ in range(_TRIES):
        info = store.head(key)
        if info is None:
            return None
        try:
            data = b"".join(store.read(key, [ByteRange(0, info.size_bytes)], etag=info.etag))
        except Absent:
            continue  # replaced or removed between the two requests
        return Found(record=record.load(data, kind), etag=info.etag)
    raise Unavailable(f"{key} changes faster than it can be read")


def replace(store: ObjectStore, key: str, found: Found[T], new: T) -> bool:
    """Write `new` where `found` still is. False, and nothing changed, where it is not.

    A reply that was lost may make the winner see False: whoever loses reads what is there.
    """
    return store.put(key, record.dump(new), content_type=record.JSON, match=found.etag)


def change(store: ObjectStore, key: str, kind: type[T], changed: Callable[[T], T]) -> T | None:
    """Replace the record by what `changed` makes of it, and return that; None where there is none.

    `changed` may be called several times, the last time with a record that has its result
    already (a lost reply): it must be harmless then. An equal record is not written.
    """
    for _ in range(_TRIES):
        found = read(store, key, kind)
        if found is None:
            return None
        new = changed(found.record)
        if new == found.record or replace(store, key, found, new):
            return new
    raise Unavailable(f"{key} changes faster than it can be replaced")
