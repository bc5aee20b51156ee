"""Duplicates, loops, restarts and the end of the local broker; which triggers become ready.

The clauses are those of Knative's eventing data plane and control plane specifications, and of
what its default broker does where they are silent; the numbers group them.
"""

from __future__ import annotations

import asyncio
import dataclasses
from pathlib import Path
from typing import Any

import pytest

from eventing.cloudevent import CloudEvent
from eventing.codec import encode
from knative.field import Invalid
from knative.local.broker.broker import LocalBroker
from knative.local.broker.history import History
from knative.local.broker.manifest import Broker, Destination, Trigger
from knative.local.broker.subscriber import Subscriber as Port
from tests.contract.brokerage import (
    Clock,
    an_event,
    brokerage,
    one,
    run,
    states,
    subscribers,
    trigger,
)

RETRIES: dict[str, Any] = {"retry": 2, "backoffPolicy": "exponential", "backoffDelay": "PT0.2S"}


# 7. Duplicates, loops, restarts.


def test_7_the_same_event_twice_is_delivered_twice(tmp_path: Path) -> None:
    async def story() -> None:
        async with one(tmp_path, 204) as (broker, subscriber):
            assert [await broker.post(an_event()) for _ in range(2)] == [202, 202]
            assert [event.id for event in await subscriber.received(2)] == ["1", "1"]

    run(story())


def test_7_a_subscriber_never_sees_the_loop_guard(tmp_path: Path) -> None:
    async def story() -> None:
        async with one(tmp_path, 204) as (broker, subscriber):
            await broker.post(an_event())
            await broker.post(an_event(knativebrokerttl="7"))
            events = await subscriber.received(2)
            assert all("knativebrokerttl" not in event.extensions for event in events)

    run(story())


@pytest.mark.parametrize(
    ("ttl", "status"),
    [("2", 202), ("1", 400), ("0", 400), ("-5", 400), ("255", 202), ("many", 202)],
)
def test_7_an_event_whose_passes_are_used_up_is_400(tmp_path: Path, ttl: str, status: int) -> None:
    async def story() -> None:
        async with one(tmp_path, 204) as (broker, _):
            assert await broker.post(an_event(knativebrokerttl=ttl)) == status

    run(story())


def test_7_replies_to_replies_end_after_255_passes(tmp_path: Path) -> None:
    async def story() -> None:
        def again(event: CloudEvent) -> Any:
            return encode(an_event(str(int(event.id) + 1)))

        async with one(tmp_path, again) as (broker, subscriber):
            await broker.post(an_event("1"))
            history = await broker.settled()
            assert len(subscriber.events) == 255
            last = history[-1].deliveries[0]
            assert last.state == "dropped"
            assert last.attempts[0].code == 400

    run(story())


def test_7_a_reply_keeps_the_passes_that_are_left(tmp_path: Path) -> None:
    async def story() -> None:
        def again(event: CloudEvent) -> Any:
            return encode(an_event(str(int(event.id) + 1), knativebrokerttl="200"))

        async with one(tmp_path, again) as (broker, subscriber):
            await broker.post(an_event("1", knativebrokerttl="4"))
            await broker.settled()
            assert len(subscriber.events) == 3

    run(story())


def test_7_a_restart_delivers_what_was_under_way(tmp_path: Path) -> None:
    async def story() -> None:
        async with subscribers([204]) as [subscriber]:
            triggers = [trigger("t", subscriber.url)]
            subscriber.open.clear()
            async with brokerage(tmp_path / "log.sqlite", triggers) as broker:
                await broker.post(an_event())
                await subscriber.received(1)
            [cut] = History(tmp_path / "log.sqlite").latest(1)
            assert cut.deliveries[0].state == "pending"
            assert cut.deliveries[0].attempts[0].ended_s is None
            subscriber.open.set()
            async with brokerage(tmp_path / "log.sqlite", triggers) as broker:
                [accepted] = await broker.settled()
                assert accepted.deliveries[0].state == "delivered"
                assert [attempt.code for attempt in accepted.deliveries[0].attempts] == [None, 204]

    run(story())


def test_7_a_restart_goes_on_counting_attempts_and_keeps_their_times(tmp_path: Path) -> None:
    async def story() -> None:
        class Stopped(Clock):
            async def sleep(self, wait_s: float) -> None:
                await asyncio.Event().wait()

        async with subscribers([503], [204]) as [busy, sink]:
            delivery = {**RETRIES, "deadLetterSink": {"uri": sink.url}}
            triggers = [trigger("t", busy.url, delivery=delivery)]
            path = tmp_path / "log.sqlite"
            async with brokerage(path, triggers, clock=Stopped()) as broker:
                await broker.post(an_event())
                await busy.received(1)
            async with brokerage(path, triggers) as broker:
                [letter] = await sink.received(1)
                [accepted] = await broker.settled()
                begun = [attempt.started_s for attempt in accepted.deliveries[0].attempts]
                assert [later - begun[0] for later in begun] == pytest.approx([0.0, 0.2, 0.6])
                assert letter.extensions["knativeerrorcode"] == "503"

    run(story())


def test_7_a_restart_delivers_a_dead_letter_with_its_error(tmp_path: Path) -> None:
    async def story() -> None:
        async with subscribers([422], [204]) as [strict, sink]:
            triggers = [trigger("t", strict.url, delivery={"deadLetterSink": {"uri": sink.url}})]
            sink.open.clear()
            async with brokerage(tmp_path / "log.sqlite", triggers) as broker:
                await broker.post(an_event())
                await sink.received(1)
            sink.open.set()
            async with brokerage(tmp_path / "log.sqlite", triggers) as broker:
                await broker.settled()
                assert sink.events[-1].extensions["knativeerrorcode"] == "422"
                assert len(strict.events) == 1

    run(story())


def test_7_what_a_trigger_that_is_gone_left_behind_is_dropped(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def story() -> None:
        async with subscribers([204]) as [subscriber]:
            subscriber.open.clear()
            path = tmp_path / "log.sqlite"
            async with brokerage(path, [trigger("old", subscriber.url)]) as broker:
                await broker.post(an_event())
                await subscriber.received(1)
            async with brokerage(path, [trigger("new", subscriber.url)]) as broker:
                assert states(await broker.settled()) == {("1", "old", False): "dropped"}

    run(story())
    assert "no trigger default/old any more" in caplog.text


def test_7_draining_lets_requests_end_and_takes_events_meanwhile(tmp_path: Path) -> None:
    async def story() -> None:
        async with one(tmp_path, 204) as (broker, subscriber):
            subscriber.open.clear()
            await broker.post(an_event("1"))
            await subscriber.received(1)
            stopping = asyncio.create_task(broker.broker.stop(drain=True))
            await asyncio.sleep(0)
            assert await broker.post(an_event("2")) == 202
            assert not stopping.done()
            subscriber.open.set()
            await stopping
            assert states(History(broker.path).latest(9)) == {
                ("1", "t", False): "delivered",
                ("2", "t", False): "pending",
            }
            assert len(subscriber.events) == 1

    run(story())


def test_7_what_the_end_of_the_runtime_cuts_off_is_no_failed_attempt(tmp_path: Path) -> None:
    async def story() -> None:
        async with one(tmp_path, None) as (broker, subscriber):
            subscriber.open.clear()
            await broker.post(an_event("1"))
            await subscriber.received(1)
            stopping = asyncio.create_task(broker.broker.stop(drain=True))
            await asyncio.sleep(0)
            subscriber.open.set()
            await stopping
            [accepted] = History(broker.path).latest(1)
            assert accepted.deliveries[0].state == "pending"
            assert accepted.deliveries[0].attempts[0].ended_s is None

    run(story())


# 8. Triggers become ready only with a broker and a subscriber; brokers and triggers do not change.


def test_8_a_trigger_needs_its_broker() -> None:
    wanted = Trigger(name="t", broker="other", subscriber=Destination(uri="http://a.test"))
    with pytest.raises(Invalid, match=r"Trigger t\.spec\.broker: no broker 'other'"):
        LocalBroker([Broker(name="kinora")], [wanted], _nobody, Path("unused"))


def test_8_a_trigger_needs_a_subscriber_that_resolves() -> None:
    wanted = Trigger(
        name="t", broker="kinora", subscriber=Destination(kind="Service", name="missing")
    )
    with pytest.raises(Invalid, match=r"Trigger t\.spec\.subscriber: .*no Service missing"):
        LocalBroker([Broker(name="kinora")], [wanted], _nobody, Path("unused"))


def test_8_brokers_and_triggers_do_not_change() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        Broker(name="kinora").name = "other"  # type: ignore[misc]


def _nobody(destination: Destination) -> Port:
    raise LookupError(f"no Service {destination.name}")
