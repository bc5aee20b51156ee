"""One Service at work: its activator, its autoscaler and the processes between zero and max."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import aiohttp

from eventing.errors import Unavailable
from knative.autoscaling.autoscaler import Activity, Autoscaler
from knative.autoscaling.concurrency import Concurrency
from knative.local.activator import Activator, Worker, clock_ms
from knative.local.background import Background
from knative.local.broker.subscriber import http_subscriber
from knative.local.process import FunctionProcess, NotReady
from knative.local.service import Service

_log = logging.getLogger(__name__)

_LONGEST_PAUSE_MS: Final = 30_000
"""Between two starts that fail."""

Spawn = Callable[[Service, int], FunctionProcess]
"""Starts the n-th process of a Service."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """What a revision looks like now."""

    ready: int
    starting: int
    leaving: int
    running: int
    """Requests in processes."""
    waiting: int
    """Requests in the queue."""
    processes: tuple[int, ...]
    """Their ids, whatever their state."""
    failed_starts: int = 0
    """In a row, up to now; 0 once a process became ready."""
    trouble: str = ""
    """Why the last of them failed."""


class Revision:
    """Runs one Service. Everything happens on the event loop that `start` was called on."""

    def __init__(
        self,
        service: Service,
        *,
        spawn: Spawn,
        reaped: Callable[[str], None],
        client: aiohttp.ClientSession,
        clock_ms: Callable[[], int] = clock_ms,
    ) -> None:
        """`reaped` is called, in a thread, with the name of each process that is gone."""
        self.service = service
        self._spawn = spawn
        self._reaped = reaped
        self._client = client
        self._clock_ms = clock_ms
        now_ms = clock_ms()
        self._autoscaler = Autoscaler(service.scaling, now_ms=now_ms)
        self._activity = Activity(service.scaling, now_ms=now_ms)
        self._concurrency = Concurrency(
            service.scaling.bucket_ms, keep_ms=service.scaling.window_ms, now_ms=now_ms
        )
        self.activator = Activator(
            limit=service.container_concurrency,
            timeout_s=service.timeout_s,
            concurrency=self._concurrency,
            watcher=self,
            clock_ms=clock_ms,
        )
        self._wanted = 0
        self._reported = 0.0
        """Of the next sample, what was told of when the first request arrived."""
        self._count = 0
        self._failures = 0
        self._trouble = ""
        self._not_before_ms = now_ms
        self._starting: set[FunctionProcess] = set()
        self._ready: dict[Worker, FunctionProcess] = {}
        self._leaving: set[FunctionProcess] = set()
        self._work = Background()
        self._ticking = Background()
        self._awake = asyncio.Event()
        self._closed = False

    def start(self) -> None:
        scaling = self.service.scaling
        if scaling.min_scale or scaling.initial_scale:
            # Nobody has to wait for the first look.
            self._decide(self._clock_ms())
            self._awake.set()
        self._ticking.begin(self._tick_for_ever())

    @property
    def status(self) -> Status:
        every = [*self._starting, *self._ready.values(), *self._leaving]
        return Status(
            ready=len(self._ready),
            starting=len(self._starting),
            leaving=len(self._leaving),
            running=self.activator.running,
            waiting=self.activator.waiting,
            processes=tuple(process.pid for process in every),
            failed_starts=self._failures,
            trouble=self._trouble,
        )

    async def drain(self) -> None:
        """Let what runs end and the processes go; what waits is refused."""
        await self._stop_ticking()
        self.activator.close(f"{self.service.name} is going")
        await self.activator.quiet()
        for worker in list(self._ready):
            self._retire(worker)
        for process in self._starting:
            process.terminate()
        await self._work.finished()

    async def abort(self) -> None:
        """Kill everything, now."""
        await self._stop_ticking()
        self.activator.close(f"{self.service.name} was ended")
        for process in [*self._starting, *self._ready.values(), *self._leaving]:
            process.kill()
        await self.activator.quiet()
        await self._work.finished()

    # What the activator tells.

    def arrived(self) -> None:
        """At zero the first request is told of at once, not with the next sample."""
        if not self._size and not self._closed:
            now_ms = self._clock_ms()
            # The time at zero was nobody's to measure.
            self._concurrency.samples(now_ms)
            self._autoscaler.record(now_ms, 1.0)
            self._reported = 1.0
            self._decide(now_ms)
        self._awake.set()

    def idle(self, worker: Worker) -> None:
        self._apply()

    def overdue(self, worker: Worker) -> None:
        if worker in self._ready:
            _log.warning(
                "%s still works on a request after %d s: it gets no other and has as long to end",
                worker.name,
                self.service.timeout_s,
            )
            self._retire(worker)

    # Scaling.

    @property
    def _size(self) -> int:
        """Processes that take requests or will."""
        return len(self._starting) + len(self._ready)

    async def _tick_for_ever(self) -> None:
        tick_s = self.service.scaling.tick_ms / 1_000
        while True:
            # At zero nothing is to be decided until somebody comes.
            await self._awake.wait()
            await asyncio.sleep(tick_s)
            now_ms = self._clock_ms()
            for bucket_ms, average in self._concurrency.samples(now_ms):
                already, self._reported = self._reported, 0.0
                self._autoscaler.record(bucket_ms, max(0.0, average - already))
            self._decide(now_ms)
            if not self._size and not self._concurrency.now and not self._wanted:
                self._awake.clear()

    def _decide(self, now_ms: int) -> None:
        ready = len(self._ready)
        decision = self._autoscaler.decide(now_ms, ready)
        wanted = self._activity.scale(now_ms, decision, ready)
        if wanted is not None:
            self._wanted = wanted
        self._apply()

    def _apply(self) -> None:
        """Start what is missing; let idle ones go that are too many.

        Kubernetes picks whom it ends without asking who is busy. Here only the idle ones go.
        """
        if self._closed:
            return
        now_ms = self._clock_ms()
        while self._size < self._wanted and now_ms >= self._not_before_ms:
            self._start_one(now_ms)
        # The youngest first: the oldest gets the most work.
        for worker in reversed(list(self._ready)):
            if self._size > self._wanted and not worker.in_flight:
                self._retire(worker)

    def _start_one(self, now_ms: int) -> None:
        self._count += 1
        try:
            process = self._spawn(self.service, self._count)
        except OSError as error:
            self._failed(f"{self.service.name} cannot be started: {error}")
            return
        self._starting.add(process)
        self._work.begin(self._admit(process))
        self._work.begin(self._bury(process))

    async def _admit(self, process: FunctionProcess) -> None:
        """Let a started process take requests once it is ready."""
        try:
            await process.ready(self._client)
        except NotReady as error:
            self._starting.discard(process)
            if not process.ended.done():
                self._leaving.add(process)
            if not self._closed:
                self._failed(str(error))
            process.kill()
            return
        if self._closed or process.exited.is_set():
            return
        self._starting.discard(process)
        self._failures = 0
        self._trouble = ""
        worker = Worker(process.name, http_subscriber(self._client, process.url + "/"))
        self._ready[worker] = process
        self.activator.workers.append(worker)
        self.activator.dispatch()

    async def _bury(self, process: FunctionProcess) -> None:
        """Forget a process once nothing is left of it, however it ended."""
        await process.exited.wait()
        # At once: nobody is to be sent there any more.
        for worker, other in list(self._ready.items()):
            if other is process:
                if not self._closed:  # then we end it
                    _log.warning("%s ended by itself", process.name)
                self._forget(worker)
                self._leaving.add(process)
        await process.ended
        try:
            await asyncio.to_thread(self._reaped, process.name)
        except Unavailable as error:
            _log.error("what %s held runs out by itself: %s", process.name, error)
        finally:
            self._starting.discard(process)
            self._leaving.discard(process)

    def _retire(self, worker: Worker) -> None:
        """No more requests for it; it ends the ones it has and goes."""
        process = self._ready[worker]
        self._forget(worker)
        self._leaving.add(process)
        self._work.begin(self._drain(process))

    async def _drain(self, process: FunctionProcess) -> None:
        await process.drain(self.service.timeout_s)

    def _forget(self, worker: Worker) -> None:
        worker.leaving = True
        self.activator.workers.remove(worker)
        del self._ready[worker]

    def _failed(self, reason: str) -> None:
        """A start failed: wait before the next, and let nobody wait for it in vain."""
        _log.error("%s", reason)
        self._trouble = reason
        pause_ms = min(500 * 2**self._failures, _LONGEST_PAUSE_MS)
        self._failures = min(self._failures + 1, 10)
        self._not_before_ms = self._clock_ms() + pause_ms
        if not self._ready:
            self.activator.refuse_waiting(reason)

    async def _stop_ticking(self) -> None:
        self._closed = True
        await self._ticking.cancel()
