"""Readers of server-sent events without a network, and time that passes when a test says so."""

from __future__ import annotations

import asyncio
import heapq
import itertools
import json
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from starlette.types import ASGIApp, Message

from functions.gateway.live.watch import Look, Seen, Watches

TURNS: int = 15
"""Of the event loop: more than anything here takes to come to rest."""


class Ticker:
    """Time of an event loop in which nothing happens by itself."""

    def __init__(self) -> None:
        self.now_s = 0.0
        self._waiting: list[tuple[float, int, asyncio.Future[None]]] = []
        self._numbers = itertools.count()

    def now(self) -> float:
        return self.now_s

    async def pause(self, seconds: float) -> None:
        future = asyncio.get_running_loop().create_future()
        heapq.heappush(self._waiting, (self.now_s + seconds, next(self._numbers), future))
        await future

    @property
    def pauses(self) -> int:
        """How many wait: each is a task that is alive."""
        return sum(not future.done() for _, _, future in self._waiting)

    async def pass_by(self, seconds: float) -> None:
        """Let everything happen that is due by then."""
        until_s = self.now_s + seconds
        await settle()
        while self._waiting and self._waiting[0][0] <= until_s:
            self.now_s, _, future = heapq.heappop(self._waiting)
            if not future.done():
                future.set_result(None)
            await settle()
        self.now_s = until_s


async def settle() -> None:
    for _ in range(TURNS):
        await asyncio.sleep(0)


async def at_once(look: Look) -> Seen:
    return look()


def watches(ticker: Ticker, *, ending: asyncio.Event | None = None) -> Watches:
    return Watches(ending or asyncio.Event(), pause=ticker.pause, now=ticker.now, looking=at_once)


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """One event as an EventSource would hand it out."""

    event: str
    data: Any
    id: str


@dataclass
class Reader:
    """A client of one stream."""

    heard: bytearray = field(default_factory=bytearray)
    sends: int = 0
    status: int = 0
    takes: asyncio.Event = field(default_factory=asyncio.Event)
    """Cleared: what is sent waits, as with a client that does not read."""
    gone: asyncio.Event = field(default_factory=asyncio.Event)
    on_event: Callable[[Told], None] = lambda told: None
    _task: asyncio.Task[None] | None = None

    @classmethod
    async def of(cls, app: ASGIApp, *, on_event: Callable[[Told], None] | None = None) -> Reader:
        reader = cls()
        reader.takes.set()
        if on_event is not None:
            reader.on_event = on_event
        scope = {"type": "http", "method": "GET", "path": "/", "headers": []}
        reader._task = asyncio.create_task(
            _run(app, scope, reader.receive, reader.send)  # what a server does
        )
        await settle()
        return reader

    async def receive(self) -> Message:
        await self.gone.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        await self.takes.wait()
        if message["type"] == "http.response.start":
            self.status = message["status"]
            return
        self.sends += 1
        body: bytes = message.get("body", b"")
        self.heard += body
        for told in parse(body):
            self.on_event(told)

    @property
    def ended(self) -> bool:
        assert self._task is not None
        return self._task.done()

    async def leave(self) -> None:
        self.gone.set()
        await settle()
        assert self.ended

    def told(self, event: str = "") -> list[Told]:
        return [told for told in parse(bytes(self.heard)) if event in ("", told.event)]


async def _run(app: ASGIApp, scope: Any, receive: Any, send: Any) -> None:
    run: Awaitable[None] = app(scope, receive, send)
    await run


def parse(wire: bytes) -> Iterator[Told]:
    """Events of whole blocks, by the rules of the HTML standard as far as they are used here."""
    for block in wire.decode().split("\n\n"):
        fields: dict[str, str] = {}
        for line in block.splitlines():
            name, colon, value = line.partition(":")
            if colon and name:
                fields[name] = value.removeprefix(" ")
        if "data" in fields:
            yield Told(
                event=fields.get("event", "message"),
                data=json.loads(fields["data"]),
                id=fields.get("id", ""),
            )
