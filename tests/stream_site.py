"""A store, and processes that tell of what lies in it, in time that passes when a test says so."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from functions.gateway.live.outlook import JobLook, TenantLook
from functions.gateway.live.stream import EventStream
from functions.gateway.live.watch import Watches
from functions.jobs import history, overview
from functions.jobs.overview import Overview
from tests import trails
from tests.fakes import ManualClock, MemoryState, MemoryStore
from tests.streams import Ticker, settle, watches
from tests.trails import JOB, TENANT, Record


@dataclass
class Site:
    """A store, and processes that tell of it."""

    ticker: Ticker = field(default_factory=Ticker)
    clock: ManualClock = field(default_factory=lambda: ManualClock(trails.ACCEPTED_S))
    ending: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.store = MemoryStore(clock=self.clock)
        self.state = MemoryState(clock=self.clock)
        self.watches = self.another_process()

    def another_process(self) -> Watches:
        return watches(self.ticker, ending=self.ending)

    def stream(self, *, last_event_id: str = "", by: Watches | None = None) -> EventStream:
        return EventStream(
            by or self.watches,
            f"job {JOB}",
            lambda: JobLook(self.store, self.state, JOB, shown=self._shown),
            tenant=TENANT,
            last_event_id=last_event_id,
        )

    def tenants(self) -> EventStream:
        return EventStream(
            self.watches,
            f"tenant {TENANT}",
            lambda: TenantLook(self.store, self.state, TENANT, shown=self._shown),
            tenant=TENANT,
        )

    async def pass_by(self, seconds: float) -> None:
        self.clock.advance(seconds)
        await self.ticker.pass_by(seconds)

    def put(self, *records: Record) -> None:
        trails.put(self.store, *records)

    def facts(self) -> set[str]:
        return {fact.id for fact in history.read(self.store, JOB)}

    def _shown(self, seen: Overview) -> dict[str, Any]:
        return overview.as_json(seen, now_s=self.clock())


def run(test: Callable[[Site], Awaitable[None]]) -> None:
    async def whole() -> None:
        site = Site()
        await test(site)
        await settle()
        assert (site.watches.watched, site.watches.streams(TENANT)) == (0, 0)
        assert site.ticker.pauses == 0

    asyncio.run(whole())
