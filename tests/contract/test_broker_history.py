"""What can be read of a job's events, while the broker runs and when it does not."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from knative.local.broker.broker import Limits
from knative.local.broker.history import History
from tests.contract.brokerage import (
    Clock,
    an_event,
    brokerage,
    subscribers,
    trigger,
    until,
)

FAST = Limits(events=3, age_s=1000.0, housekeeping_s=0.01)


def test_a_job_is_read_with_its_attempts_while_the_broker_runs_and_when_it_does_not(
    tmp_path: Path,
) -> None:
    async def story() -> None:
        path = tmp_path / "log.sqlite"
        clock = Clock()
        async with subscribers([503, 204]) as [subscriber]:
            delivery = {"retry": 1, "backoffPolicy": "exponential", "backoffDelay": "PT2S"}
            triggers = [trigger("t", subscriber.url)]
            async with brokerage(path, triggers, delivery=delivery, clock=clock) as broker:
                event = an_event(partitionkey="j1", causationid="c", producer="chunker")
                await broker.post(event)
                await broker.settled()
                await broker.post(an_event("2", partitionkey="j2"))
                await broker.post(an_event("3"))
                await broker.settled()
                running = History(path).of("j1")
            assert History(path).of("j1") == running
            [accepted] = running
            assert (accepted.producer, accepted.causationid) == ("chunker", "c")
            assert accepted.event.subject == "größe 1.mp4"
            assert accepted.broker == "default/kinora"
            [delivery_made] = accepted.deliveries
            assert delivery_made.trigger == "default/t"
            assert delivery_made.destination == subscriber.url
            first, second = delivery_made.attempts
            assert (first.code, first.error, second.code) == (503, "answered 503", 204)
            assert second.started_s - first.started_s == 2.0
            assert [found.event.id for found in History(path).latest(2)] == ["2", "3"]
            assert History(path).of("") == []

    asyncio.run(story())


def test_an_attempt_under_way_is_seen(tmp_path: Path) -> None:
    async def story() -> None:
        path = tmp_path / "log.sqlite"
        async with subscribers([204]) as [subscriber]:
            subscriber.open.clear()
            async with brokerage(path, [trigger("t", subscriber.url)]) as broker:
                await broker.post(an_event(partitionkey="j"))
                await until(lambda: History(path).of("j")[0].deliveries[0].attempts)
                [attempt] = History(path).of("j")[0].deliveries[0].attempts
                assert (attempt.number, attempt.ended_s, attempt.code) == (1, None, None)

    asyncio.run(story())


def test_there_is_no_history_without_a_log(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        History(tmp_path / "log.sqlite")
    assert list(tmp_path.iterdir()) == []


def test_only_the_newest_finished_events_are_kept(tmp_path: Path) -> None:
    async def story() -> None:
        path = tmp_path / "log.sqlite"
        async with subscribers([204]) as [subscriber]:
            triggers = [trigger("t", subscriber.url)]
            async with brokerage(path, triggers, limits=FAST) as broker:
                for n in range(10):
                    await broker.post(an_event(str(n)))
                await until(lambda: len(History(path).latest(99)) == 3)
                assert [a.event.id for a in History(path).latest(99)] == ["7", "8", "9"]

    asyncio.run(story())


def test_old_finished_events_are_forgotten_and_unsettled_ones_never(tmp_path: Path) -> None:
    async def story() -> None:
        path = tmp_path / "log.sqlite"
        clock = Clock()
        async with subscribers([204], [204]) as [quick, slow]:
            slow.open.clear()
            triggers = [
                trigger("quick", quick.url, type="quick"),
                trigger("slow", slow.url, type="slow"),
            ]
            async with brokerage(path, triggers, limits=FAST, clock=clock) as broker:
                await broker.post(an_event("old", "quick"))
                await broker.post(an_event("waiting", "slow"))
                await slow.received(1)
                await quick.received(1)
                clock.now_s += 2000.0
                await broker.post(an_event("new", "quick"))
                await until(lambda: len(History(path).latest(99)) == 2)
                assert [a.event.id for a in History(path).latest(99)] == ["waiting", "new"]

    asyncio.run(story())
