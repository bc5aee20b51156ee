"""A running broker between real HTTP subscribers, for the tests of what it promises."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import aiohttp
from aiohttp import web

from eventing.cloudevent import CloudEvent
from eventing.codec import Message, decode, encode
from knative.local.broker.broker import Limits, LocalBroker
from knative.local.broker.history import Accepted, History
from knative.local.broker.ingress import serve
from knative.local.broker.manifest import Broker, Trigger
from knative.local.broker.subscriber import http_subscriber, session

DEADLINE_S = 120.0
PATH = "/default/kinora"
T = TypeVar("T")


async def until(condition: Callable[[], T]) -> T:
    """What `condition` gives once it is true; TimeoutError if that takes for ever."""
    async with asyncio.timeout(DEADLINE_S):
        while not (found := condition()):
            await asyncio.sleep(0.002)
    return found


class Clock:
    """Time that passes only while somebody sleeps."""

    def __init__(self) -> None:
        self.now_s = 1_000_000.0

    def now(self) -> float:
        return self.now_s

    async def sleep(self, wait_s: float) -> None:
        self.now_s += wait_s
        await asyncio.sleep(0)


@dataclass(frozen=True)
class Said:
    """An answer in full."""

    status: int
    body: bytes
    headers: Mapping[str, str]


def answer(status: int, body: bytes = b"", **headers: str) -> Said:
    return Said(status, body, headers)


Answer = Said | Message | int | None
"""In full, an event in a 200, a status without a body, or None: the connection is cut."""


@dataclass
class Subscriber:
    """A real HTTP server: gives the scripted answers in turn, and the last of them for ever."""

    answers: list[Answer | Callable[[CloudEvent], Answer]]
    url: str = ""
    requests: list[Mapping[str, str]] = field(default_factory=list)
    """The headers of each request, by lower-case name."""
    events: list[CloudEvent] = field(default_factory=list)
    open: asyncio.Event = field(default_factory=asyncio.Event)
    """While cleared, requests are taken and wait for their answer."""
    inside: int = 0
    most_inside: int = 0

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        headers = {name.lower(): value for name, value in request.headers.items()}
        event = decode(headers, await request.read())
        self.requests.append(headers)
        self.events.append(event)
        self.inside += 1
        self.most_inside = max(self.most_inside, self.inside)
        try:
            given = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
            await self.open.wait()
        finally:
            self.inside -= 1
        if callable(given):
            given = given(event)
        match given:
            case None:
                assert request.transport is not None
                request.transport.abort()
                return web.Response()
            case int():
                return web.Response(status=given)
            case Message():
                return web.Response(body=given.body, headers=given.headers)
            case Said():
                return web.Response(status=given.status, body=given.body, headers=given.headers)
        raise AssertionError(given)

    async def received(self, count: int) -> list[CloudEvent]:
        """The first `count` events, once they are here."""
        await until(lambda: len(self.events) >= count)
        return self.events[:count]


@dataclass
class Brokerage:
    """The broker, its address, and a client to speak with it."""

    broker: LocalBroker
    url: str
    client: aiohttp.ClientSession
    path: Path

    async def post(self, event: CloudEvent, *, path: str = PATH) -> int:
        """Post in binary mode; the status."""
        message = encode(event)
        return (await self.send("POST", path, message.headers, message.body)).status

    async def send(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes
    ) -> aiohttp.ClientResponse:
        async with self.client.request(
            method, self.url + path, data=body, headers=headers, skip_auto_headers=["Content-Type"]
        ) as response:
            await response.read()
            return response

    async def settled(self) -> list[Accepted]:
        """Everything that the broker did, once nothing is left to do."""
        await until(lambda: self.broker.pending == 0)
        return await until(self._recorded)

    def _recorded(self) -> list[Accepted]:
        history = History(self.path)
        return [] if history.pending() else history.latest(1000)


@asynccontextmanager
async def subscribers(*scripts: Sequence[Any]) -> AsyncIterator[list[Subscriber]]:
    """One subscriber a script."""
    async with AsyncExitStack() as stack:
        made = []
        for script in scripts:
            subscriber = Subscriber(list(script))
            subscriber.open.set()
            subscriber.url = await stack.enter_async_context(serve(subscriber.handle)) + "/"
            made.append(subscriber)
        yield made
        for subscriber in made:
            subscriber.open.set()


@asynccontextmanager
async def brokerage(
    path: Path,
    triggers: Sequence[Mapping[str, Any]],
    *,
    delivery: Mapping[str, Any] | None = None,
    clock: Clock | None = None,
    limits: Limits | None = None,
) -> AsyncIterator[Brokerage]:
    """A broker `kinora` with these Triggers; its log is kept at `path`."""
    manifest: dict[str, Any] = {
        "apiVersion": "eventing.knative.dev/v1",
        "kind": "Broker",
        "metadata": {"name": "kinora"},
        "spec": {"delivery": delivery or {"retry": 0}},
    }
    clock = clock or Clock()
    async with session() as outgoing, aiohttp.ClientSession() as client:
        broker = LocalBroker(
            [Broker.parse(manifest)],
            [Trigger.parse(trigger) for trigger in triggers],
            lambda destination: http_subscriber(outgoing, destination.uri),
            path,
            limits=limits or Limits(),
            now=clock.now,
            sleep=clock.sleep,
        )
        await broker.start()
        try:
            async with serve(broker.handler) as url:
                yield Brokerage(broker, url, client, path)
        finally:
            await broker.stop(drain=False)


def trigger(
    name: str,
    uri: str,
    *,
    type: str = "",
    filters: Sequence[Mapping[str, Any]] = (),
    delivery: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """A Trigger's manifest."""
    spec: dict[str, Any] = {"broker": "kinora", "subscriber": {"uri": uri}}
    if type:
        spec["filter"] = {"attributes": {"type": type}}
    if filters:
        spec["filters"] = list(filters)
    if delivery is not None:
        spec["delivery"] = dict(delivery)
    return {
        "apiVersion": "eventing.knative.dev/v1",
        "kind": "Trigger",
        "metadata": {"name": name},
        "spec": spec,
    }


def an_event(id: str = "1", type: str = "a", **extensions: str) -> CloudEvent:
    return CloudEvent(
        id=id,
        source="/jobs/1",
        type=type,
        subject="größe 1.mp4",
        datacontenttype="application/json",
        extensions=extensions,
        data=b'{"n": 1}',
    )


def run(story: Awaitable[None]) -> None:
    """Run one test's story on a loop of its own, for a minute at most."""

    async def bounded() -> None:
        async with asyncio.timeout(60):
            await story

    asyncio.run(bounded())


@asynccontextmanager
async def one(
    path: Path, *script: Any, clock: Clock | None = None, **delivery: Any
) -> AsyncIterator[tuple[Brokerage, Subscriber]]:
    """A broker with one trigger and its subscriber."""
    async with (
        subscribers(script) as [subscriber],
        brokerage(
            path / "log.sqlite", [trigger("t", subscriber.url)], delivery=delivery, clock=clock
        ) as broker,
    ):
        yield broker, subscriber


def states(history: list[Accepted]) -> dict[tuple[str, str, bool], str]:
    """State by event id, trigger's name, and whether it is the dead letter."""
    return {
        (accepted.event.id, delivery.trigger.removeprefix("default/"), delivery.dead): (
            delivery.state
        )
        for accepted in history
        for delivery in accepted.deliveries
    }


def codes(history: list[Accepted]) -> list[int | None]:
    """What the attempts at the first delivery of the first event ended with."""
    return [attempt.code for attempt in history[0].deliveries[0].attempts]
