"""There is one look-out for all readers of a thing, and none without readers."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import ExitStack

import pytest

from eventing.errors import Unavailable
from functions.gateway.live import board
from functions.gateway.live.watch import (
    BEAT_S,
    EVERY_S,
    HEARTBEATS,
    JOBS_PER_S,
    Look,
    Seen,
    Watches,
)
from tests.streams import Ticker, settle, watches


class Looks:
    """Counts how often somebody looks, and finds something new each time."""

    def __init__(self) -> None:
        self.made = 0
        self.count = 0
        self.jobs = 1
        self.end: bytes | None = None
        self.error: Exception | None = None

    def __call__(self) -> Seen:
        self.count += 1
        if self.error is not None:
            raise self.error
        note = board.note("job", "a", str(self.count))
        return Seen(notes=[note], end=self.end, jobs=self.jobs)

    def make(self) -> Look:
        self.made += 1
        return self


def run(test: Callable[[Ticker, Watches], Awaitable[None]]) -> None:
    async def whole() -> None:
        ticker = Ticker()
        await test(ticker, watches(ticker))

    asyncio.run(whole())


@pytest.fixture
def looks() -> Looks:
    return Looks()


def test_many_readers_share_one_look_out_which_ends_with_the_last(looks: Looks) -> None:
    async def test(ticker: Ticker, all_of_them: Watches) -> None:
        with ExitStack() as readers:
            for _ in range(500):
                readers.enter_context(all_of_them.open("a", looks.make, tenant="acme"))
            await ticker.pass_by(10 * EVERY_S)
            assert (looks.made, all_of_them.watched, all_of_them.streams("acme")) == (1, 1, 500)
            # The first look is at once; 500 readers cost no more than one.
            assert looks.count == 11
        await settle()
        assert (all_of_them.watched, all_of_them.streams("acme"), ticker.pauses) == (0, 0, 0)
        await ticker.pass_by(10 * EVERY_S)
        assert looks.count == 11

    run(test)


def test_where_much_is_watched_each_is_looked_at_less_often(looks: Looks) -> None:
    async def test(ticker: Ticker, all_of_them: Watches) -> None:
        looks.jobs = 10 * JOBS_PER_S
        with all_of_them.open("a", looks.make, tenant="acme"):
            await ticker.pass_by(30.0)
            assert looks.count == 4

    run(test)


def test_after_its_end_nothing_is_looked_at_and_readers_still_see_it(looks: Looks) -> None:
    async def test(ticker: Ticker, all_of_them: Watches) -> None:
        looks.end = b"end"
        with all_of_them.open("a", looks.make, tenant="acme"):
            await ticker.pass_by(30.0)
            with all_of_them.open("a", looks.make, tenant="acme") as watch:
                assert (looks.count, watch.end, watch.looked) == (1, b"end", True)

    run(test)


def test_what_cannot_be_reached_is_tried_again_when_it_says(looks: Looks) -> None:
    async def test(ticker: Ticker, all_of_them: Watches) -> None:
        looks.error = Unavailable("frozen", retry_after_s=5)
        with all_of_them.open("a", looks.make, tenant="acme") as watch:
            await ticker.pass_by(4.0)
            assert (looks.count, watch.looked) == (1, False)
            looks.error = None
            await ticker.pass_by(1.0)
            assert (looks.count, watch.looked) == (2, True)

    run(test)


def test_a_defect_ends_the_look_out_and_the_next_reader_begins_another(
    looks: Looks, caplog: pytest.LogCaptureFixture
) -> None:
    async def test(ticker: Ticker, all_of_them: Watches) -> None:
        looks.error = ValueError("no record")
        with all_of_them.open("a", looks.make, tenant="acme") as watch:
            moved = watch.moved
            await settle()
            assert watch.broken
            assert moved.is_set()
            looks.error = None
            with all_of_them.open("a", looks.make, tenant="acme") as another:
                await settle()
                assert another.looked
                assert all_of_them.watched == 1
            assert all_of_them.watched == 0

    run(test)
    assert "a defect" in caplog.text


def test_everybody_is_woken_for_a_sign_of_life_and_at_the_end_of_the_process() -> None:
    async def test() -> None:
        ticker, ending = Ticker(), asyncio.Event()
        all_of_them = watches(ticker, ending=ending)
        with all_of_them.open("a", lambda: lambda: Seen(notes=[]), tenant="acme") as watch:
            moved = watch.moved
            await ticker.pass_by((HEARTBEATS - 1) * BEAT_S)
            assert not moved.is_set()
            await ticker.pass_by(BEAT_S)
            assert moved.is_set()
            moved = watch.moved
            ending.set()
            await ticker.pass_by(BEAT_S)
            assert moved.is_set()

    asyncio.run(test())
