"""Uploads by the gateway that nobody goes on with: completed where all their bytes are there,
dropped with everything that was kept for them where their time is over."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from eventing.contract import ObjectCreated
from functions.jobs import layout, leases
from functions.jobs.intake import Incomplete, Intake, Lost
from functions.jobs.manifest import SourceObject
from functions.jobs.uploading import Uploading
from functions.ports import ObjectInfo, StateStore
from functions.sweeper.share import share

_log = logging.getLogger(__name__)

IDLE_S: Final = 600.0
"""A request that completes an upload has told of it by then."""
_KEEP_TAILS_S: Final = 2 * 86400.0
"""Longer than an upload may take: what is older and has no record is nobody's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Begun:
    """A look at what was begun, at `now_s`."""

    intake: Intake
    state: StateStore
    now_s: float
    limit: int
    """Of uploads that are looked at."""
    seed: str

    def ended(self) -> Iterator[ObjectCreated]:
        """What is to be told of objects that are complete. Raises Unavailable."""
        store = self.intake.store
        records = list(store.list(layout.UPLOADING_PREFIX))
        for info in share(records, limit=self.limit, seed=self.seed):
            try:
                yield from self._end(info)
            except ValueError:
                # One record that cannot be read must not keep the others waiting.
                _log.exception("an upload cannot be swept", extra={"facts": {"record": info.key}})
        for tail in share(list(store.list(layout.TAILS_PREFIX)), limit=self.limit, seed=self.seed):
            tenant, upload, *_ = tail.key.removeprefix(layout.TAILS_PREFIX).split("/")
            old = self.now_s - tail.modified_s > _KEEP_TAILS_S
            if old and store.head(layout.uploading(tenant, upload)) is None:
                store.delete(tail.key)

    def _end(self, info: ObjectInfo) -> Iterator[ObjectCreated]:
        if self.now_s - info.modified_s <= IDLE_S:
            return
        found = self.intake.read(info.key)
        if found is None:
            return  # complete in this moment
        uploading = found.uploading
        if self.state.held(leases.uploading(uploading.id)):
            return
        created = self._complete(uploading)
        if created is not None:
            yield created
            self.intake.conclude(uploading)
        elif uploading.expires_s <= self.now_s:
            self.intake.abort(uploading)

    def _complete(self, uploading: Uploading) -> ObjectCreated | None:
        """Make the object of an upload that has all its bytes, None for any other."""
        there = self.intake.store.head(uploading.key)
        if there is not None:
            return SourceObject.of(there).created
        if uploading.method != "tus" or uploading.size_bytes is None:
            return None  # only its client knows whether the parts are what it meant
        try:
            parts = self.intake.parts(uploading)
            if uploading.offset_bytes(parts) != uploading.size_bytes:
                return None
            return self.intake.complete(uploading, parts)
        except (Incomplete, Lost):
            return None
