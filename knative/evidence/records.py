"""A job as its records tell it: also without a runtime, a broker or a cluster."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import msgspec

from eventing.errors import Unavailable
from functions.jobs import history, layout
from functions.ports import Absent, ObjectStore
from knative.evidence.exhibit import Exhibit, Gap, Piece

_LARGEST_BYTES: Final = 20_000_000


def of_job(store: ObjectStore, job: str) -> Iterator[Piece]:
    """Its records, what is parked of it, and what follows from them."""
    for prefix in (layout.records_prefix(job), f"{layout.PARKED_PREFIX}{job}/"):
        yield from below(store, prefix, f"job/{prefix.removeprefix('work/').rstrip('/')}")
    try:
        facts = history.read(store, job)
    except (Unavailable, ValueError) as error:
        yield Gap("job/history.json", str(error))
        return
    yield Exhibit.of_json("job/history.json", [_told(fact) for fact in facts])


def parked(store: ObjectStore) -> Iterator[Piece]:
    """Every event that could not be delivered."""
    yield from below(store, layout.PARKED_PREFIX, "parked")


def open_jobs(store: ObjectStore) -> Iterator[Piece]:
    """Which jobs have no verdict yet."""
    try:
        names = [
            each.key.removeprefix(layout.OPEN_PREFIX) for each in store.list(layout.OPEN_PREFIX)
        ]
    except Unavailable as error:
        yield Gap("open-jobs.json", str(error))
        return
    yield Exhibit.of_json("open-jobs.json", names)


def below(store: ObjectStore, prefix: str, folder: str) -> Iterator[Piece]:
    """Every object whose key begins so, below a folder of the archive."""
    try:
        for each in store.list(prefix):
            path = f"{folder}/{each.key.removeprefix(prefix)}"
            if each.size_bytes > _LARGEST_BYTES:
                yield Gap(path, f"{each.size_bytes} bytes are too many")
            else:
                yield from one(store, each.key, path)
    except Unavailable as error:
        yield Gap(folder, str(error))


def one(store: ObjectStore, key: str, path: str) -> Iterator[Piece]:
    """An object, if there is one."""
    try:
        yield Exhibit(path, store.get(key).decode(errors="replace"))
    except Absent:
        return  # it never was, or went meanwhile
    except Unavailable as error:
        yield Gap(path, str(error))


def _told(fact: history.Fact) -> dict[str, Any]:
    return {
        "id": fact.id,
        "type": fact.event.type,
        "time_s": fact.time_s,
        "producer": fact.producer,
        "cause": fact.cause,
        "data": msgspec.to_builtins(fact.event),
    }
