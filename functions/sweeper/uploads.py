"""Uploads that nobody told of: objects that are sources and have no job.

A tick looks through so many keys and no more, however large a bucket grows; the next goes on where
it stopped, and around the end. So a bucket of up to that many objects is seen whole on every tick,
and one of n times as many in n ticks.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice, takewhile
from typing import Final

from eventing.contract import ObjectCreated
from functions.jobs import layout, naming, record
from functions.jobs.manifest import SourceObject
from functions.ports import ObjectInfo, ObjectStore
from functions.sweeper.share import share

_log = logging.getLogger(__name__)

_FRESH_S: Final = 3600.0
"""What is younger is looked at first: that is where notifications get lost."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cursor:
    """How far a bucket was looked through, `work/sweeps/<bucket>`; lost, it begins anew."""

    after: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Uploads:
    """The buckets that sources are dropped in, one tick's share of them."""

    store: ObjectStore
    buckets: Sequence[str]
    now_s: float
    settle_s: float
    """What changed within this time may still be being written, or be told of in this moment."""
    listed: int
    """Keys that are looked through, at most, in all buckets together."""
    limit: int
    """Objects that are looked up, at most: so many fresh ones, and so many others."""
    seed: str
    _versioned: set[str] = field(default_factory=set, init=False)
    """Buckets whose objects have versions, as far as was seen."""

    def unheard(self) -> Iterator[ObjectCreated]:
        """The events that are missing."""
        fresh: list[ObjectInfo] = []
        older: list[ObjectInfo] = []
        for bucket in self.buckets:
            for info in self._walk(bucket, max(1, self.listed // len(self.buckets))):
                age_s = self.now_s - info.modified_s
                if age_s >= self.settle_s and naming.is_source(info.key.partition("/")[2]):
                    (fresh if age_s < _FRESH_S else older).append(info)
        for infos in (fresh, older):
            for info in share(infos, limit=self.limit, seed=self.seed):
                event = self._missing(info)
                if event is not None:
                    yield event

    def _walk(self, bucket: str, most: int) -> list[ObjectInfo]:
        """The next `most` objects from where the last tick stopped, and around the end.

        The place is written down before anything is told: what cannot be told now is come back to,
        and never keeps the rest from its turn.
        """
        prefix, at = f"{bucket}/", layout.sweep(bucket)
        began = self._cursor(at)
        found = list(islice(self.store.list(prefix, after=began), most))
        if began and len(found) < most:
            again = takewhile(lambda info: info.key <= began, self.store.list(prefix))
            found += islice(again, most - len(found))
        after = found[-1].key if len(found) == most else ""
        if after:
            self.store.put(at, record.dump(Cursor(after=after)), content_type=record.JSON)
        elif began:
            self.store.delete(at)
        return found

    def _cursor(self, at: str) -> str:
        try:
            cursor = record.read(self.store, at, Cursor)
        except ValueError:
            _log.exception("a sweep begins anew", extra={"facts": {"key": at}})
            return ""
        return cursor.after if cursor else ""

    def _missing(self, listed: ObjectInfo) -> ObjectCreated | None:
        """What is to be told of the object, None if it has its job or is gone."""
        bucket = listed.key.partition("/")[0]
        event = SourceObject.of(listed).created
        if bucket not in self._versioned and self._has_job(event):
            return None
        if not naming.is_addressable(listed.key):
            return event
        # A listing does not know the version, which is part of the job's name where there is one.
        there = self.store.head(listed.key)
        if there is None:
            return None
        if there.version:
            self._versioned.add(bucket)
        event = SourceObject.of(there).created
        return None if self._has_job(event) else event

    def _has_job(self, event: ObjectCreated) -> bool:
        """True also for a job that was only begun: its open marker is swept by itself."""
        return any(
            self.store.head(key) is not None
            for key in (layout.manifest(event.job), layout.open_marker(event.job))
        )
