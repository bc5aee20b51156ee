"""The sweep: whatever stands still is set going again, from what lies in the object store.

It promises nothing about when, only that nothing is forgotten: each tick looks at a bounded share
of what is open, and every event it publishes is one that was published before or should have been.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from eventing.cloudevent import CloudEvent
from eventing.contract import Event
from eventing.errors import Unavailable
from functions import ports
from functions.jobs import admission, ending, layout, parking
from functions.jobs.intake import Intake
from functions.media.encoding.accelerator import ACCELERATORS
from functions.ports import Absent, Clock, ObjectInfo, ObjectStore, StateStore
from functions.sweeper import gpus
from functions.sweeper.due import due
from functions.sweeper.share import share
from functions.sweeper.standing import Standing
from functions.sweeper.stragglers import Stragglers
from functions.sweeper.uploading import Begun
from functions.sweeper.uploads import Uploads

_log = logging.getLogger(__name__)

SETTLE_S: Final = 120.0
"""An upload that changed within this time may still be being written."""
SETTLE_S3_S: Final = 20.0
"""The same on S3, whose objects appear only whole: its notification may still be on the way."""
STALE_S: Final = 90.0
"""How long something published may take to show an effect: three leases of an encoder."""
GPU_DEADLINE_S: Final = 300.0
"""How long a task may wait for a GPU: a new node with one is up by then, and a slot is believed for
longer."""
KEEP_UNKNOWN_S: Final = 7 * 86400.0
"""How long a parked event is kept that names no job."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What one tick looks at, at most."""

    jobs: int = 200
    parked: int = 100
    uploads: int = 200
    listed: int = 20_000
    """Keys of uploads: 20 requests on S3."""
    webhooks: int = 500
    begun: int = 100
    """Uploads by the gateway that are not complete."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sweeper:
    """Handles the tick."""

    store: ObjectStore
    state: StateStore
    uploads: ports.Uploads
    clock: Clock
    window: admission.Window
    buckets: tuple[str, ...] = (layout.UPLOADS,)
    settle_s: float = SETTLE_S
    stale_s: float = STALE_S
    abandoned_s: float = 3600.0
    """How long an open marker may lack everything else."""
    gpu_deadline_s: float = GPU_DEADLINE_S
    limits: Limits = Limits()

    def tick(self, event: CloudEvent) -> Iterator[Event | CloudEvent]:
        yield from self._open_jobs(event.id)
        yield from self._parked()
        yield from due(self.store, now_s=self.clock(), limit=self.limits.webhooks)
        yield from Uploads(
            store=self.store,
            buckets=self.buckets,
            now_s=self.clock(),
            settle_s=self.settle_s,
            listed=self.limits.listed,
            limit=self.limits.uploads,
            seed=event.id,
        ).unheard()
        yield from Begun(
            intake=Intake(self.store, self.uploads),
            state=self.state,
            now_s=self.clock(),
            limit=self.limits.begun,
            seed=event.id,
        ).ended()
        cause = f"tick/{event.id}"
        yield from admission.due(self.state, self.window, ACCELERATORS, cause=cause)

    def _open_jobs(self, seed: str) -> Iterator[Event]:
        markers = list(self.store.list(layout.OPEN_PREFIX))
        if not markers:
            return  # without the state store there is still what is parked, and due
        standing = Standing(
            store=self.store,
            state=self.state,
            clock=self.clock,
            stale_s=self.stale_s,
            abandoned_s=self.abandoned_s,
            gpu_deadline_s=self.gpu_deadline_s,
            gpus_gone=gpus.gone(self.state, now_s=self.clock(), deadline_s=self.gpu_deadline_s),
            stragglers=Stragglers(
                store=self.store, state=self.state, clock=self.clock, window=self.window
            ),
        )
        for marker in share(markers, limit=self.limits.jobs, seed=seed):
            try:
                yield from standing.push(marker)
            except Unavailable:
                raise
            except Exception:
                # One job with a record that cannot be read must not keep the others waiting.
                _log.exception("a job cannot be swept", extra={"facts": {"marker": marker.key}})

    def _parked(self) -> Iterator[CloudEvent]:
        waiting: list[ObjectInfo] = []
        for info in self.store.list(layout.PARKED_PREFIX):
            if not info.key.startswith(layout.parked("", "")):
                waiting.append(info)
            elif self.clock() - info.modified_s > KEEP_UNKNOWN_S:
                self.store.delete(info.key)
        waiting.sort(key=lambda info: info.modified_s)
        for info in waiting[: self.limits.parked]:
            job = info.key.removeprefix(layout.PARKED_PREFIX).partition("/")[0]
            if ending.read(self.store, job) is not None:
                # Whatever it asked for is moot; a verdict that nobody was told of has its marker.
                self.state.forget(job)
            else:
                yield from self._deliver_again(info)
            self.store.delete(info.key)

    def _deliver_again(self, info: ObjectInfo) -> Iterator[CloudEvent]:
        try:
            event = parking.load(self.store.get(info.key))
        except Absent:
            return  # another sweep was faster
        except ValueError:
            _log.exception("a parked event cannot be read", extra={"facts": {"key": info.key}})
            return
        yield event
