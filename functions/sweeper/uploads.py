"""Uploads that nobody told of: objects that are sources and have no job."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from eventing.contract import ObjectCreated
from functions.jobs import layout, naming
from functions.ports import ObjectInfo, ObjectStore
from functions.sweeper.share import share

_FRESH_S: Final = 3600.0
"""What is younger is looked at first: that is where notifications get lost."""


def unheard(
    store: ObjectStore,
    buckets: Sequence[str],
    *,
    now_s: float,
    settle_s: float,
    limit: int,
    seed: str,
) -> Iterator[ObjectCreated]:
    """The events that are missing. What changed within `settle_s` may still be being written."""
    fresh: list[ObjectInfo] = []
    older: list[ObjectInfo] = []
    for bucket in buckets:
        for info in store.list(f"{bucket}/"):
            age_s = now_s - info.modified_s
            if age_s >= settle_s and naming.is_source(info.key.partition("/")[2]):
                (fresh if age_s < _FRESH_S else older).append(info)
    looked_at = [
        *share(fresh, limit=limit, seed=seed),
        *share(older, limit=limit, seed=seed),
    ]
    for listed in looked_at:
        if _has_job(store, _event_of(listed)):
            continue
        # A listing does not know the version, which is part of the job's name where there is one.
        there = store.head(listed.key)
        if there is not None and not _has_job(store, _event_of(there)):
            yield _event_of(there)


def _event_of(info: ObjectInfo) -> ObjectCreated:
    bucket, _, key = info.key.partition("/")
    return ObjectCreated(
        bucket=bucket, key=key, etag=info.etag, version=info.version, size_bytes=info.size_bytes
    )


def _has_job(store: ObjectStore, event: ObjectCreated) -> bool:
    """True also for a job that was only begun: its open marker is swept by itself."""
    return any(
        store.head(key) is not None
        for key in (layout.manifest(event.job), layout.open_marker(event.job))
    )
