"""The broker as a whole: brokers and triggers, the event log, and the deliveries from it."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from eventing.cloudevent import CloudEvent, timestamp
from eventing.codec import BODY_LIMIT_BYTES, Malformed, Message, check, decode
from knative.field import Invalid
from knative.local.background import Background
from knative.local.broker import ingress
from knative.local.broker.commit import Commits
from knative.local.broker.dispatch import IN_FLIGHT, Dispatcher, Refused, Route, Sink
from knative.local.broker.log import Log, checkpoint
from knative.local.broker.manifest import Broker, Destination, Trigger
from knative.local.broker.record import Accepted, Change, Entry
from knative.local.broker.subscriber import Reply, Subscriber

FIRST_TTL: Final = 255
"""Passes through brokers that an event and the replies to it may make together."""
TTL: Final = "knativebrokerttl"
ARRIVAL: Final = "knativearrivaltime"

Resolve = Callable[[Destination], Subscriber]
"""Gives the subscriber for an address. Raises LookupError when there is none."""

_logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What the log keeps, and how much may wait."""

    events: int = 100_000
    """Finished events kept."""
    age_s: float = 7 * 86_400.0
    """How long finished events are kept."""
    pending: int = 100_000
    """Unsettled deliveries from which on posts are answered 429."""
    in_flight: int = IN_FLIGHT
    """Attempts under way at once for one trigger."""
    housekeeping_s: float = 2.0
    """Between two rounds of checkpoint and forgetting."""


class LocalBroker:
    """Brokers and their triggers on one machine. Construct anywhere, start on an event loop.

    Raises Invalid when a trigger names a broker that is not there or somebody who cannot be
    resolved: such a trigger would not become ready on a cluster either.
    """

    def __init__(
        self,
        brokers: Iterable[Broker],
        triggers: Iterable[Trigger],
        resolve: Resolve,
        path: Path,
        *,
        limits: Limits = Limits(),
        now: Callable[[], float] = time.time,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._brokers = {broker.key: broker for broker in brokers}
        self._path = path
        self._limits = limits
        self._now = now
        self._sleep = sleep
        self._resolve_outside = resolve
        self._triggers: dict[str, list[Trigger]] = {key: [] for key in self._brokers}
        self._routes = {trigger.key: self._route(trigger) for trigger in triggers}
        self._seq = 0
        self._log: Log | None = None
        self._commits: Commits | None = None
        self._dispatcher: Dispatcher | None = None
        self._housekeeping = Background()
        self.handler: Final = ingress.ingress(self.accept)
        """The aiohttp handler of `POST /<namespace>/<broker>`."""

    async def start(self) -> None:
        """Open the log and take up what an earlier process left unsettled.

        Raises `log.InUse` while another broker runs on the same log.
        """
        self._log = Log(self._path)
        self._commits = Commits(self._log)
        self._seq = self._log.last_seq
        self._dispatcher = Dispatcher(
            self._routes.values(),
            log=self._log,
            commits=self._commits,
            reenter=self._reenter,
            now=self._now,
            sleep=self._sleep,
            in_flight=self._limits.in_flight,
        )
        for unfinished in list(self._log.unfinished()):
            self._dispatcher.resume(unfinished)
        self._housekeeping.begin(self._keep_house())

    async def stop(self, *, drain: bool) -> None:
        """Begin no more deliveries and close the log; what is unsettled goes on at the next start.

        With `drain` requests under way end first, however long they take, and events are accepted
        until then: a function that finishes can still publish. Without, they are called off.
        """
        if self._log is None or self._commits is None or self._dispatcher is None:
            return
        await self._dispatcher.stop(drain=drain)
        await self._housekeeping.cancel()
        self._commits.flush()
        log, self._log, self._commits, self._dispatcher = self._log, None, None, None
        log.close()

    @property
    def pending(self) -> int:
        """Deliveries under way or waiting for their time."""
        return self._dispatcher.pending if self._dispatcher else 0

    async def publish(self, event: CloudEvent, *, broker: str = "") -> None:
        """Take an event from this process; returns once it is durable.

        `broker` is a broker's key, and may be left out when there is only one. Raises Malformed,
        Refused, or sqlite3.Error.
        """
        if not broker:
            (broker,) = self._brokers
        check(event)
        if len(event.data or b"") > BODY_LIMIT_BYTES:
            raise Malformed(413, f"the data is larger than {BODY_LIMIT_BYTES} bytes")
        await self.accept(broker, event)

    async def accept(self, broker: str, event: CloudEvent) -> None:
        """Take an event that came from outside; see `ingress.Accept`."""
        if broker not in self._brokers:
            raise Refused(404, "no such broker")
        if self.pending >= self._limits.pending:
            raise Refused(429, "too many deliveries are waiting")
        await self._enter(broker, event, _ttl(event), [])

    async def _reenter(
        self, broker: str, reply: CloudEvent, ttl: int, changes: list[Change]
    ) -> None:
        """A reply enters with the TTL of what it answers, one pass less."""
        await self._enter(broker, reply, ttl - 1, changes)

    async def _enter(
        self, broker: str, event: CloudEvent, ttl: int, changes: Sequence[Change]
    ) -> None:
        """Make the event durable together with `changes`, then deliver it."""
        if ttl <= 0:
            raise Refused(400, f"{TTL} is used up: replies to replies without end")
        log, commits, dispatcher = self._log, self._commits, self._dispatcher
        if log is None or commits is None or dispatcher is None:
            raise Refused(503, "the broker is not running")
        now_s = self._now()
        self._seq += 1
        entry = Entry(seq=self._seq, broker=broker, event=_stamped(event, now_s), ttl=ttl)
        wanted = [t.key for t in self._triggers[broker] if t.filter.matches(entry.event)]
        to = [(key, self._routes[key].subscriber.destination.url) for key in wanted]
        durable: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        # Not after the await: whoever waits may be gone by then, the event is there to stay.
        def done(failure: sqlite3.Error | None) -> None:
            if failure is None:
                dispatcher.offer(entry, wanted)
            if durable.done():
                return
            if failure is None:
                durable.set_result(None)
            else:
                durable.set_exception(failure)

        commits.commit([*changes, Accepted(entry=entry, at_s=now_s, to=to)], done)
        await durable

    def _route(self, trigger: Trigger) -> Route:
        broker = self._brokers.get(f"{trigger.namespace}/{trigger.broker}")
        if broker is None:
            raise Invalid(f"Trigger {trigger.name}.spec.broker", f"no broker {trigger.broker!r}")
        self._triggers[broker.key].append(trigger)
        delivery = trigger.delivery_under(broker)
        dead = delivery.dead_letter_sink
        where = f"Trigger {trigger.name}.spec"
        return Route(
            trigger=trigger.key,
            namespace=trigger.namespace,
            delivery=delivery,
            subscriber=self._sink(trigger.subscriber, f"{where}.subscriber"),
            dead_letter_sink=self._sink(dead, f"{where}.delivery.deadLetterSink") if dead else None,
        )

    def _sink(self, destination: Destination, field: str) -> Sink:
        try:
            return Sink(destination=destination, subscriber=self.resolve(destination))
        except LookupError as error:
            raise Invalid(field, f"cannot be resolved: {error.args[0]}") from error

    def resolve(self, destination: Destination) -> Subscriber:
        """The subscriber for an address: one of the brokers here, or whatever `resolve` gives."""
        if destination.kind != "Broker":
            return self._resolve_outside(destination)
        key = f"{destination.namespace}/{destination.name}"
        if key not in self._brokers:
            raise LookupError(f"no broker {key!r}")

        async def enter(message: Message, *, timeout_s: float) -> Reply:
            try:
                await self.accept(key, decode(message.headers, message.body))
            except (Malformed, Refused) as refused:
                return Reply(refused.status, body=refused.reason.encode())
            except sqlite3.Error:
                return Reply(503)
            return Reply(202)

        return enter

    async def _keep_house(self) -> None:
        written = 0
        while True:
            await asyncio.sleep(self._limits.housekeeping_s)
            assert self._log is not None and self._commits is not None
            if self._commits.written == written:
                continue
            written = self._commits.written
            try:
                await asyncio.to_thread(checkpoint, self._path)
                self._log.reclaim()
                before_s = self._now() - self._limits.age_s
                # A hundred at a time: deliveries go on in between.
                while self._log.forget(before_s=before_s, keep=self._limits.events, among=100):
                    await asyncio.sleep(0)
            except sqlite3.Error as error:
                _logger.error("the event log cannot be tended: %s", error)


def _ttl(event: CloudEvent) -> int:
    """What the event may still do: one pass less than it says, all of them when it says nothing.

    As in Knative, something unreadable counts as nothing.
    """
    try:
        return int(event.extensions[TTL]) - 1
    except (KeyError, ValueError):
        return FIRST_TTL


def _stamped(event: CloudEvent, now_s: float) -> CloudEvent:
    """The event with its time of arrival, without the broker's own book-keeping."""
    kept = {name: value for name, value in event.extensions.items() if name != TTL}
    return replace(event, extensions={**kept, ARRIVAL: timestamp(now_s)})
