"""Stands before a Service: holds requests until a process can take them, and hands them on.

A process gets at most `containerConcurrency` requests at a time; the others wait here, in order.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, Protocol

from eventing.codec import Message
from knative.autoscaling.concurrency import Concurrency
from knative.local.broker.subscriber import Reply, Subscriber, Unreachable

QUEUE_LIMIT: Final = 10_000
"""Requests that may wait for a revision, as in Knative's activator."""


def clock_ms() -> int:
    """Monotonic time, as the autoscaler counts it."""
    return time.monotonic_ns() // 1_000_000


@dataclass(slots=True, eq=False)
class Worker:
    """A ready process as the activator sees it."""

    name: str
    post: Subscriber
    in_flight: int = 0
    leaving: bool = False
    """Set when it is to get no more requests."""


@dataclass(slots=True, eq=False)
class _Request:
    message: Message
    answer: asyncio.Future[Reply]
    deadline_s: float
    """By the event loop's clock."""
    worker: Worker | None = None
    """None while it waits."""


class Watcher(Protocol):
    """Whoever scales the revision."""

    def arrived(self) -> None:
        """A request arrived; `concurrency` counts it already."""

    def idle(self, worker: Worker) -> None:
        """`worker` ended its last request."""

    def overdue(self, worker: Worker) -> None:
        """`worker` still works on a request whose time is over."""


@dataclass(slots=True, kw_only=True)
class Activator:
    """The queue before one revision. Implements `Subscriber`."""

    limit: int
    """Requests at a time for one process; 0: no limit."""
    timeout_s: float
    """The revision's: from arrival to answer, time in the queue included."""
    concurrency: Concurrency
    """Counts whatever waits or runs."""
    watcher: Watcher
    clock_ms: Callable[[], int] = clock_ms
    workers: list[Worker] = field(default_factory=list)
    """Oldest first."""
    closed: str = ""
    """Why nothing is taken any more."""
    _queue: deque[_Request] = field(default_factory=deque)
    _running: set[asyncio.Task[None]] = field(default_factory=set)

    @property
    def waiting(self) -> int:
        return len(self._queue)

    @property
    def running(self) -> int:
        """Requests that processes have, those of leaving ones too."""
        return self.concurrency.now - len(self._queue)

    async def __call__(self, message: Message, *, timeout_s: float) -> Reply:
        """See `Subscriber`. Answers 503 when too many wait and 504 when the time is over; raises
        Unreachable also when nothing is taken any more.

        Whoever is called off leaves a request that runs alone: it goes on, and holds its place in
        its process until it ends, as a lost client cancels nothing in a cluster either.
        """
        if self.closed:
            raise Unreachable(self.closed)
        if len(self._queue) >= QUEUE_LIMIT:
            return Reply(503, body=b"pending request queue full")
        loop = asyncio.get_running_loop()
        request = _Request(message, loop.create_future(), loop.time() + self.timeout_s)
        self._queue.append(request)
        self.concurrency.change(self.clock_ms(), 1)
        self.dispatch()
        if request.worker is None:
            self.watcher.arrived()
        try:
            async with asyncio.timeout_at(request.deadline_s):
                return await request.answer
        except TimeoutError:
            return Reply(504, body=b"activator request timeout")
        finally:
            if request.worker is None and request in self._queue:
                self._queue.remove(request)
                self.concurrency.change(self.clock_ms(), -1)

    def dispatch(self) -> None:
        """Hand waiting requests to processes that have room."""
        while self._queue and (worker := self._free()):
            request = self._queue.popleft()
            request.worker = worker
            worker.in_flight += 1
            task = asyncio.get_running_loop().create_task(self._forward(request, worker))
            self._running.add(task)
            task.add_done_callback(self._running.discard)

    def refuse_waiting(self, reason: str) -> None:
        """Give up on everything that waits: whoever sent it may try again later."""
        while self._queue:
            request = self._queue.popleft()
            self.concurrency.change(self.clock_ms(), -1)
            if not request.answer.done():
                request.answer.set_exception(Unreachable(reason))

    def close(self, reason: str) -> None:
        """Take nothing more; what runs goes on."""
        self.closed = reason
        self.refuse_waiting(reason)

    async def quiet(self) -> None:
        """Wait until nothing runs any more."""
        while self._running:
            await asyncio.wait(self._running)

    def _free(self) -> Worker | None:
        # The first that has room: the others become idle and can go.
        for worker in self.workers:
            if not worker.leaving and (not self.limit or worker.in_flight < self.limit):
                return worker
        return None

    async def _forward(self, request: _Request, worker: Worker) -> None:
        # Also when nobody waits for the answer any more.
        overdue = asyncio.get_running_loop().call_at(
            request.deadline_s, self.watcher.overdue, worker
        )
        try:
            reply = await worker.post(request.message, timeout_s=float("inf"))
        except Exception as error:
            failure = error
            if not isinstance(error, Unreachable):
                failure = Unreachable(f"{type(error).__name__}: {error}")
            if not request.answer.done():
                request.answer.set_exception(failure)
        else:
            if not request.answer.done():
                request.answer.set_result(reply)
        finally:
            overdue.cancel()
            worker.in_flight -= 1
            self.concurrency.change(self.clock_ms(), -1)
            if worker.in_flight == 0:
                self.watcher.idle(worker)
            self.dispatch()
