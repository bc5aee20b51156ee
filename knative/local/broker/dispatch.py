"""Deliveries: one per matching trigger, at once and in no order, tried until they are settled."""

from __future__ import annotations

import asyncio
import logging
import math
import sqlite3
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from eventing.cloudevent import CloudEvent
from eventing.codec import Message, encode
from knative.local.background import Background
from knative.local.broker import deadletter, outcome, record, retry
from knative.local.broker.commit import Commits
from knative.local.broker.log import Log
from knative.local.broker.manifest import Delivery, Destination
from knative.local.broker.outcome import Outcome
from knative.local.broker.record import Change, Entry, Key, Unfinished
from knative.local.broker.subscriber import Subscriber, Unreachable
from knative.local.broker.waiting import Waiting

IN_FLIGHT: Final = 1000
"""Attempts under way at once for one trigger. Back-pressure is not a broker's business; this only
keeps sockets and memory finite."""

_AFTER_FAULT_S: Final = 1.0
_LONGEST_NAP_S: Final = 60.0
"""Due times are by the wall clock, which may be set, or run on while the machine sleeps."""

_logger = logging.getLogger(__name__)


class Refused(Exception):
    """An event may not enter the broker. `status` says why, in HTTP's words."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Sink:
    """Somebody to deliver to."""

    destination: Destination
    subscriber: Subscriber


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """A trigger, resolved."""

    trigger: str
    """Its key."""
    namespace: str
    delivery: Delivery
    subscriber: Sink
    dead_letter_sink: Sink | None = None

    def sink(self, *, dead: bool) -> Sink | None:
        return self.dead_letter_sink if dead else self.subscriber


@dataclass(slots=True)
class _Job:
    """A delivery that is not settled. Waiting ones leave their event in the log."""

    key: Key
    attempts: int = 0
    failures: int = 0
    errors: Mapping[str, str] = field(default_factory=dict)
    entry: Entry | None = None


@dataclass(slots=True)
class _Lane:
    """The attempts of one trigger, or of its dead-letter sink."""

    ready: deque[_Job] = field(default_factory=deque)
    running: int = 0


Reenter = Callable[[str, CloudEvent, int, list[Change]], Awaitable[None]]
"""Take a reply into the broker (its key) with the TTL of what it replies to, and make the changes
durable with it. Raises Refused or sqlite3.Error."""


class Dispatcher:
    """Delivers what it is offered. Belongs to the running event loop."""

    def __init__(
        self,
        routes: Iterable[Route],
        *,
        log: Log,
        commits: Commits,
        reenter: Reenter,
        now: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]],
        in_flight: int = IN_FLIGHT,
    ) -> None:
        self._routes = {route.trigger: route for route in routes}
        self._log = log
        self._commits = commits
        self._reenter = reenter
        self._now = now
        self._sleep = sleep
        self._in_flight = in_flight
        self._lanes: dict[tuple[str, bool], _Lane] = {}
        self._later: Waiting[_Job] = Waiting()
        self._earlier = asyncio.Event()
        self._attempts = Background()
        self._stopping = False
        self._clockwork = Background()
        self._clockwork.begin(self._keep_time())
        self.pending = 0
        """Deliveries that are not settled: under way, or waiting for their time."""

    def offer(self, entry: Entry, triggers: Iterable[str]) -> None:
        """Deliver a durable event to each of `triggers`."""
        for trigger in triggers:
            self.pending += 1
            self._enqueue(_Job(Key(entry.seq, trigger), entry=entry))

    def resume(self, unfinished: Unfinished) -> None:
        """Take up where an earlier process left off."""
        key = unfinished.key
        route = self._routes.get(key.trigger)
        if route is None or route.sink(dead=key.dead) is None:
            _logger.error("dropped: %s has no trigger %s any more", key.seq, key.trigger)
            self._commits.note(record.Settled(key, record.DROPPED))
            return
        self.pending += 1
        job = _Job(key, unfinished.attempts, unfinished.failures, unfinished.errors)
        self._wait(job, unfinished.due_s)

    async def stop(self, *, drain: bool) -> None:
        """Begin no more attempts. With `drain` let those under way end, else call them off.

        What is not settled stays in the log for the next process.
        """
        self._stopping = True
        await self._clockwork.cancel()
        if drain:
            await self._attempts.finished()
        else:
            await self._attempts.cancel()

    def _wait(self, job: _Job, due_s: float) -> None:
        job.entry = None
        self._later.put(job, due_s)
        if self._later.next_due_s() == due_s:
            self._earlier.set()

    async def _keep_time(self) -> None:
        """Start what has become due; sleep until the next is."""
        while True:
            for job in self._later.take(self._now()):
                self._enqueue(job)
            self._earlier.clear()
            due_s = self._later.next_due_s()
            naps: list[asyncio.Future[object]] = [asyncio.ensure_future(self._earlier.wait())]
            if due_s is not None:
                naps.append(asyncio.ensure_future(self._nap(due_s - self._now())))
            try:
                await asyncio.wait(naps, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for nap in naps:
                    nap.cancel()

    async def _nap(self, wait_s: float) -> None:
        await self._sleep(min(max(wait_s, 0.0), _LONGEST_NAP_S))

    def _enqueue(self, job: _Job) -> None:
        lane = self._lanes.setdefault((job.key.trigger, job.key.dead), _Lane())
        if lane.running >= self._in_flight:
            job.entry = None
            lane.ready.append(job)
        else:
            self._start(job, lane)

    def _start(self, job: _Job, lane: _Lane) -> None:
        if self._stopping:
            return
        lane.running += 1
        self._attempts.begin(self._attempt(job, lane))

    async def _attempt(self, job: _Job, lane: _Lane) -> None:
        """Try once, and decide what follows."""
        try:
            await self._try(job, self._routes[job.key.trigger])
        except Exception:
            # A fault of ours, or of the disk. The log still holds the delivery.
            _logger.exception("delivery of event %s to %s broke", job.key.seq, job.key.trigger)
            self._wait(job, self._now() + _AFTER_FAULT_S)
        finally:
            lane.running -= 1
            if lane.ready and not self._stopping:
                self._start(lane.ready.popleft(), lane)

    async def _try(self, job: _Job, route: Route) -> None:
        key = job.key
        entry = job.entry or self._log.entry(key.seq)
        job.attempts += 1
        number = job.attempts
        self._commits.note(record.Begun(key=key, number=number, at_s=self._now()))
        ended = await self._send(job, route, entry)
        if ended.reply is not None:
            closing: list[Change] = [
                self._ended(key, number, ended),
                record.Settled(key, record.DELIVERED),
            ]
            try:
                await self._reenter(entry.broker, ended.reply, entry.ttl, closing)
            except Refused as refused:
                ended = Outcome(code=refused.status, error=f"its reply: {refused.reason}")
            except sqlite3.Error as error:
                # Where a reply cannot be kept, the whole delivery is made again.
                ended = Outcome(code=500, error=f"its reply cannot be stored: {error}")
            else:
                self.pending -= 1
                return
        if self._stopping and ended.code is None:
            # Cut off because everything here ends: no failure of the subscriber's, and no attempt
            # less for it. The next process makes it again.
            return
        self._commits.note(self._ended(key, number, ended))
        if ended.delivered:
            self._settle(key, record.DELIVERED)
            return
        job.failures += 1
        match retry.after_failure(route.delivery, ended.code, job.failures):
            case retry.Again(wait_s=wait_s):
                due_s = self._now() + wait_s
                self._commits.note(record.Postponed(key, due_s))
                self._wait(job, due_s)
            case retry.Hopeless():
                self._give_up(job, route, entry, ended)

    async def _send(self, job: _Job, route: Route, entry: Entry) -> Outcome:
        """One request, and what its answer means."""
        sink = route.sink(dead=job.key.dead)
        assert sink is not None, "dead letters are only addressed to sinks that exist"
        timeout_s = route.delivery.timeout_s
        event = entry.event.with_extensions(**job.errors) if job.errors else entry.event
        try:
            message = _message(event, route, dead=job.key.dead)
            async with asyncio.timeout(timeout_s):
                answer = await sink.subscriber(
                    message, timeout_s=math.inf if timeout_s is None else timeout_s
                )
        except TimeoutError:
            within = "" if timeout_s is None else f" within {timeout_s:g} s"
            return Outcome(code=None, error=f"no answer{within}")
        except Unreachable as error:
            return Outcome(code=None, error=f"unreachable: {error}")
        except Exception as error:
            _logger.exception("calling %s broke", sink.destination.url)
            return Outcome(code=None, error=f"calling it broke: {type(error).__name__}")
        return outcome.read_dead_letter(answer) if job.key.dead else outcome.read(answer)

    def _ended(self, key: Key, number: int, ended: Outcome) -> Change:
        return record.Ended(
            key=key, number=number, at_s=self._now(), code=ended.code, error=ended.error
        )

    def _settle(self, key: Key, state: str) -> None:
        self._commits.note(record.Settled(key, state))
        self.pending -= 1

    def _give_up(self, job: _Job, route: Route, entry: Entry, ended: Outcome) -> None:
        """Hand the event to the dead-letter sink, if there is one and this was not it."""
        key, sink = job.key, route.dead_letter_sink
        if key.dead or sink is None:
            _logger.error(
                "dropped: event %s of %s (%s) for %s after %d attempts: %s",
                entry.event.id,
                entry.event.source,
                entry.event.type,
                route.sink(dead=key.dead).destination.url,  # type: ignore[union-attr]
                job.failures,
                ended.error,
            )
            self._settle(key, record.DROPPED)
            return
        errors = deadletter.extensions(route.subscriber.destination, ended)
        grave = Key(key.seq, key.trigger, dead=True)
        self._commits.note(
            record.Settled(key, record.DEAD),
            record.Buried(key=grave, address=sink.destination.url, errors=errors, at_s=self._now()),
        )
        self._enqueue(_Job(grave, errors=errors, entry=entry))


def _message(event: CloudEvent, route: Route, *, dead: bool) -> Message:
    message = encode(event, mode="structured" if route.delivery.structured else "binary")
    headers = {**message.headers, "kn-namespace": route.namespace}
    if not dead:
        headers["prefer"] = "reply"
    return Message(headers, message.body)
