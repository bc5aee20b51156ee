"""When the local broker tries again, and what becomes of what cannot be delivered.

The clauses are those of Knative's eventing data plane and control plane specifications, and of
what its default broker does where they are silent; the numbers group them.
"""

from __future__ import annotations

import asyncio
import base64
import itertools
import logging
from pathlib import Path
from typing import Any

import pytest

from knative.local.broker.broker import LocalBroker
from knative.local.broker.history import History
from knative.local.broker.manifest import Broker, Destination, Trigger
from knative.local.broker.subscriber import Subscriber as Port
from tests.contract.brokerage import (
    Clock,
    Subscriber,
    an_event,
    answer,
    brokerage,
    codes,
    one,
    run,
    states,
    subscribers,
    trigger,
)

RETRIES: dict[str, Any] = {"retry": 2, "backoffPolicy": "exponential", "backoffDelay": "PT0.2S"}


# 5. Retries.


@pytest.mark.parametrize("code", [404, 408, 409, 429, 500, 501, 502, 503, 504, 599])
def test_5_this_code_is_retried(tmp_path: Path, code: int) -> None:
    async def story() -> None:
        async with one(tmp_path, code, 204, **RETRIES) as (broker, _):
            await broker.post(an_event())
            assert codes(await broker.settled()) == [code, 204]

    run(story())


@pytest.mark.parametrize("code", [301, 302, 307, 400, 401, 403, 405, 410, 413, 415, 422])
def test_5_this_code_is_final(tmp_path: Path, code: int) -> None:
    async def story() -> None:
        redirect = answer(code, Location="/elsewhere")
        async with one(tmp_path, redirect, **RETRIES) as (broker, subscriber):
            await broker.post(an_event())
            history = await broker.settled()
            assert codes(history) == [code]
            assert states(history) == {("1", "t", False): "dropped"}
            assert len(subscriber.events) == 1

    run(story())


def test_5_a_cut_connection_is_retried(tmp_path: Path) -> None:
    async def story() -> None:
        async with one(tmp_path, None, 204, **RETRIES) as (broker, _):
            await broker.post(an_event())
            history = await broker.settled()
            assert codes(history) == [None, 204]
            assert history[0].deliveries[0].attempts[0].error.startswith("unreachable")

    run(story())


def test_5_a_subscriber_that_is_not_there_is_retried(tmp_path: Path) -> None:
    async def story() -> None:
        async with subscribers([204]) as [gone]:
            url = gone.url
        async with brokerage(
            tmp_path / "log.sqlite", [trigger("t", url)], delivery=RETRIES
        ) as broker:
            await broker.post(an_event())
            assert codes(await broker.settled()) == [None, None, None]

    run(story())


def test_5_an_attempt_ends_at_its_timeout_and_is_retried(tmp_path: Path) -> None:
    async def story() -> None:
        async with one(tmp_path, 204, timeout="PT0.05S", **RETRIES) as (broker, subscriber):
            subscriber.open.clear()
            await broker.post(an_event())
            await subscriber.received(1)
            await asyncio.wait_for(_second(subscriber), 30)
            history = await broker.settled()
            attempts = history[0].deliveries[0].attempts
            assert attempts[0].error == "no answer within 0.05 s"
            assert attempts[0].code is None

    async def _second(subscriber: Subscriber) -> None:
        await subscriber.received(2)
        subscriber.open.set()

    run(story())


@pytest.mark.parametrize("retry", [0, 1, 4])
def test_5_there_are_retry_and_one_attempts(tmp_path: Path, retry: int) -> None:
    async def story() -> None:
        async with one(tmp_path, 503, retry=retry) as (broker, subscriber):
            await broker.post(an_event())
            assert codes(await broker.settled()) == [503] * (retry + 1)
            assert len(subscriber.events) == retry + 1

    run(story())


@pytest.mark.parametrize(
    ("policy", "waits_s"),
    [
        ({"backoffPolicy": "exponential", "backoffDelay": "PT0.25S"}, [0.25, 0.5, 1.0, 2.0]),
        ({"backoffPolicy": "linear", "backoffDelay": "PT0.25S"}, [0.0, 0.25, 0.5, 0.75]),
        ({"backoffPolicy": "exponential", "backoffDelay": "PT1M"}, [60.0, 120.0, 240.0, 480.0]),
        ({}, [0.0, 0.0, 0.0, 0.0]),
    ],
)
def test_5_the_waits_between_attempts_follow_the_policy(
    tmp_path: Path, policy: dict[str, Any], waits_s: list[float]
) -> None:
    async def story() -> None:
        async with one(tmp_path, 503, retry=4, **policy) as (broker, _):
            await broker.post(an_event())
            [accepted] = await broker.settled()
            begun = [attempt.started_s for attempt in accepted.deliveries[0].attempts]
            assert [after - before for before, after in itertools.pairwise(begun)] == (waits_s)

    run(story())


def test_5_a_delivery_that_waits_holds_up_no_other(tmp_path: Path) -> None:
    async def story() -> None:
        class Stopped(Clock):
            async def sleep(self, wait_s: float) -> None:
                await asyncio.Event().wait()

        async with one(tmp_path, 503, 204, clock=Stopped(), **RETRIES) as (broker, subscriber):
            await broker.post(an_event("1"))
            await subscriber.received(1)
            await broker.post(an_event("2"))
            assert [event.id for event in await subscriber.received(2)] == ["1", "2"]
            assert broker.broker.pending >= 1

    run(story())


def test_5_a_fault_of_the_subscribers_port_is_a_failed_attempt(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def story() -> None:
        async def broken(message: Any, *, timeout_s: float) -> Any:
            raise RuntimeError("a bug")

        port: Port = broken
        clock = Clock()
        broker = LocalBroker(
            [Broker(name="kinora")],
            [Trigger(name="t", broker="kinora", subscriber=Destination(uri="http://a.test"))],
            lambda _: port,
            tmp_path / "log.sqlite",
            now=clock.now,
            sleep=clock.sleep,
        )
        await broker.start()
        await broker.publish(an_event())
        while broker.pending:
            await asyncio.sleep(0)
        await broker.stop(drain=True)
        [accepted] = History(tmp_path / "log.sqlite").latest(1)
        assert len(accepted.deliveries[0].attempts) == 11
        assert "a bug" in caplog.text

    run(story())


# 6. Dead letters.


def test_6_an_exhausted_event_goes_to_the_dead_letter_sink_with_its_error(tmp_path: Path) -> None:
    async def story() -> None:
        async with subscribers([answer(503, b"no room")], [204]) as [busy, sink]:
            delivery = {**RETRIES, "deadLetterSink": {"uri": sink.url}}
            triggers = [trigger("t", busy.url, delivery=delivery)]
            async with brokerage(tmp_path / "log.sqlite", triggers) as broker:
                await broker.post(an_event(partitionkey="j"))
                [letter] = await sink.received(1)
                assert len(busy.events) == 3
                assert (letter.id, letter.data) == ("1", b'{"n": 1}')
                assert letter.extensions["partitionkey"] == "j"
                assert letter.extensions["knativeerrordest"] == busy.url
                assert letter.extensions["knativeerrorcode"] == "503"
                said = base64.b64decode(letter.extensions["knativeerrordata"])
                assert said == b"no room"
                assert states(await broker.settled()) == {
                    ("1", "t", False): "dead-lettered",
                    ("1", "t", True): "delivered",
                }

    run(story())


def test_6_a_final_code_goes_to_the_dead_letter_sink_at_once(tmp_path: Path) -> None:
    async def story() -> None:
        async with subscribers([422], [204]) as [strict, sink]:
            delivery = {**RETRIES, "deadLetterSink": {"uri": sink.url}}
            triggers = [trigger("t", strict.url, delivery=delivery)]
            async with brokerage(tmp_path / "log.sqlite", triggers) as broker:
                await broker.post(an_event())
                [letter] = await sink.received(1)
                assert letter.extensions["knativeerrorcode"] == "422"
                assert "knativeerrordata" not in letter.extensions
                assert len(strict.events) == 1

    run(story())


def test_6_nobody_answering_is_code_500_with_the_reason_as_data(tmp_path: Path) -> None:
    async def story() -> None:
        async with subscribers([None], [204]) as [cut, sink]:
            delivery = {"retry": 0, "deadLetterSink": {"uri": sink.url}}
            triggers = [trigger("t", cut.url, delivery=delivery)]
            async with brokerage(tmp_path / "log.sqlite", triggers) as broker:
                await broker.post(an_event())
                [letter] = await sink.received(1)
                assert letter.extensions["knativeerrorcode"] == "500"
                said = base64.b64decode(letter.extensions["knativeerrordata"])
                assert said.startswith(b"dispatch error: unreachable")

    run(story())


def test_6_error_data_is_cut_to_1024_characters(tmp_path: Path) -> None:
    async def story() -> None:
        async with subscribers([answer(500, b"ab" * 2000)], [204]) as [broken, sink]:
            delivery = {"retry": 0, "deadLetterSink": {"uri": sink.url}}
            triggers = [trigger("t", broken.url, delivery=delivery)]
            async with brokerage(tmp_path / "log.sqlite", triggers) as broker:
                await broker.post(an_event())
                [letter] = await sink.received(1)
                data = letter.extensions["knativeerrordata"]
                assert len(data) == 1024
                assert base64.b64decode(data) == b"ab" * 384

    run(story())


def test_6_the_dead_letter_itself_is_retried(tmp_path: Path) -> None:
    async def story() -> None:
        async with subscribers([422], [503, None, answer(200, b"thanks")]) as [strict, sink]:
            delivery = {**RETRIES, "deadLetterSink": {"uri": sink.url}}
            triggers = [trigger("t", strict.url, delivery=delivery)]
            async with brokerage(tmp_path / "log.sqlite", triggers) as broker:
                await broker.post(an_event())
                history = await broker.settled()
                letter = history[0].deliveries[1]
                assert letter.dead
                assert [attempt.code for attempt in letter.attempts] == [503, None, 200]
                assert letter.state == "delivered"

    run(story())


def test_6_a_dead_letter_that_fails_for_good_is_dropped_with_an_error_log(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def story() -> None:
        async with subscribers([422], [503]) as [strict, sink]:
            delivery = {**RETRIES, "deadLetterSink": {"uri": sink.url}}
            triggers = [trigger("t", strict.url, delivery=delivery)]
            async with brokerage(tmp_path / "log.sqlite", triggers) as broker:
                await broker.post(an_event())
                assert states(await broker.settled()) == {
                    ("1", "t", False): "dead-lettered",
                    ("1", "t", True): "dropped",
                }
                assert len(sink.events) == 3

    with caplog.at_level(logging.ERROR):
        run(story())
    assert "dropped: event 1" in caplog.text


def test_6_without_a_sink_the_event_is_dropped_with_an_error_log(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def story() -> None:
        async with one(tmp_path, 503, **RETRIES) as (broker, _):
            await broker.post(an_event())
            assert states(await broker.settled()) == {("1", "t", False): "dropped"}

    with caplog.at_level(logging.ERROR):
        run(story())
    assert "dropped: event 1 of /jobs/1 (a)" in caplog.text


def test_6_a_trigger_falls_back_to_the_brokers_sink_and_to_nothing_else(tmp_path: Path) -> None:
    async def story() -> None:
        async with subscribers([503], [204], [204]) as [busy, brokers, own]:
            triggers = [
                trigger("plain", busy.url, type="a"),
                trigger("group", busy.url, type="b", delivery={"timeout": "PT5S"}),
                trigger("own", busy.url, type="c", delivery={"deadLetterSink": {"uri": own.url}}),
            ]
            delivery = {**RETRIES, "deadLetterSink": {"uri": brokers.url}}
            path = tmp_path / "log.sqlite"
            async with brokerage(path, triggers, delivery=delivery) as broker:
                for type in "abc":
                    await broker.post(an_event(type, type))
                history = await broker.settled()
                attempts = {a.event.id: len(a.deliveries[0].attempts) for a in history}
                assert attempts == {"a": 3, "b": 1, "c": 1}
                assert sorted(event.id for event in brokers.events) == ["a", "b"]
                assert [event.id for event in own.events] == ["c"]

    run(story())


def test_6_a_broker_can_be_the_dead_letter_sink(tmp_path: Path) -> None:
    async def story() -> None:
        async with subscribers([422], [204]) as [strict, last]:
            delivery = {
                "deadLetterSink": {"ref": {"kind": "Broker", "name": "kinora", "apiVersion": "x"}}
            }
            triggers = [
                trigger("t", strict.url, type="a", delivery=delivery),
                trigger("dead", last.url, filters=[{"exact": {"knativeerrorcode": "422"}}]),
            ]
            async with brokerage(tmp_path / "log.sqlite", triggers) as broker:
                await broker.post(an_event(type="a"))
                [letter] = await last.received(1)
                assert letter.id == "1"

    run(story())
