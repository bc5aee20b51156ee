"""What an encoder does beside encoding: keep its lease, tell how far it is, notice a verdict."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from eventing.contract import TaskReady
from eventing.errors import Unavailable
from functions.encoder.outcome import CalledOff
from functions.jobs import layout, leases
from functions.ports import Clock, ObjectStore, StateStore

VERDICT_EVERY_S: Final = 2.0
PROGRESS_EVERY_S: Final = 1.0

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class Watch:
    """Looks after one attempt. The state store only saves work: without it the work goes on."""

    store: ObjectStore
    state: StateStore
    clock: Clock
    ready: TaskReady
    holder: str
    ttl_s: float
    samples_per_s: int = 0
    """Of a sound task, whose progress is counted in samples."""
    _renewed_s: float = 0.0
    _looked_s: float = 0.0
    _told_s: float = 0.0
    _off: bool = False

    def acquire(self) -> bool:
        """True if the task is ours now."""
        self._renewed_s = self._looked_s = self.clock()
        if self.ready.copy:
            self.state.release(self._lease, leases.WANTED)
        if not self.state.acquire(self._lease, self.holder, ttl_s=self.ttl_s):
            return False
        self._keep_slot()
        return True

    def release(self) -> None:
        try:
            self.state.release(self._lease, self.holder)
        except Unavailable as error:
            _log.warning("the lease could not be given back: %s", error.reason)

    def beat(self) -> None:
        """Raises CalledOff when the job has its verdict, or the task its receipt, or somebody
        else its lease."""
        now_s = self.clock()
        if now_s - self._renewed_s >= self.ttl_s / 3:
            self._renewed_s = now_s
            self._off = self._off or not self._renewed()
        if now_s - self._looked_s >= VERDICT_EVERY_S:
            self._looked_s = now_s
            self._off = self._off or self._decided()
        if self._off:
            raise CalledOff

    def see(self, block: Mapping[str, str]) -> bool:
        """For `Process`: note a block of progress. False when the work is called off."""
        try:
            self.beat()
        except CalledOff:
            return False
        now_s = self.clock()
        if block and now_s - self._told_s >= PROGRESS_EVERY_S:
            self._told_s = now_s
            self._tell(block)
        return True

    def _tell(self, block: Mapping[str, str]) -> None:
        try:
            if self.samples_per_s:
                done = int(block.get("out_time_us", "0")) * self.samples_per_s // 1_000_000
            else:
                done = int(block.get("frame", "0"))
        except ValueError:  # N/A before the first frame
            return
        ready = self.ready
        if ready.copy:
            return  # the first attempt's is what people see
        try:
            self.state.report_progress(ready.job, ready.generation, ready.task, max(0, done))
        except Unavailable as error:
            _log.warning("progress could not be reported: %s", error.reason)

    def _renewed(self) -> bool:
        lease = self._lease
        try:
            self._keep_slot()
            return self.state.renew(lease, self.holder, ttl_s=self.ttl_s) or self.state.acquire(
                lease, self.holder, ttl_s=self.ttl_s
            )
        except Unavailable as error:
            _log.warning("the lease could not be renewed: %s", error.reason)
            return True

    def _keep_slot(self) -> None:
        """A task that takes longer than its slot is believed is not lost while it is worked on."""
        ready = self.ready
        try:
            self.state.keep_slot(ready.job, ready.generation, ready.task, ttl_s=self.ttl_s)
        except Unavailable as error:
            # Whoever left now would leave a lease behind, under which every repeat is dropped.
            _log.warning("the slot could not be kept: %s", error.reason)

    def _decided(self) -> bool:
        ready = self.ready
        ends = (
            layout.verdict(ready.job),
            layout.receipt(ready.job, ready.generation, ready.task),
        )
        try:
            return any(self.store.head(key) is not None for key in ends)
        except Unavailable:
            return False

    @property
    def _lease(self) -> str:
        ready = self.ready
        return leases.task(ready.job, ready.generation, ready.task, ready.copy)
