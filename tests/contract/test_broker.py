"""What the local broker promises, clause by clause.

The clauses are those of Knative's eventing data plane and control plane specifications, and of
what its default broker does where they are silent.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import dataclasses
import itertools
import logging
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from eventing.cloudevent import CloudEvent
from eventing.codec import Malformed, encode
from knative.local.broker.broker import Limits, LocalBroker
from knative.local.broker.field import Invalid
from knative.local.broker.history import Accepted, History
from knative.local.broker.manifest import Broker, Destination, Trigger
from knative.local.broker.subscriber import Subscriber as Port
from tests.contract.brokerage import (
    PATH,
    Brokerage,
    Clock,
    Subscriber,
    an_event,
    answer,
    brokerage,
    subscribers,
    trigger,
)

RETRIES: dict[str, Any] = {"retry": 2, "backoffPolicy": "exponential", "backoffDelay": "PT0.2S"}
HEADERS = {"ce-specversion": "1.0", "ce-id": "1", "ce-source": "/s", "ce-type": "a"}

Story = Callable[..., Awaitable[None]]


def run(story: Awaitable[None]) -> None:
    async def bounded() -> None:
        async with asyncio.timeout(60):
            await story

    asyncio.run(bounded())


@contextlib.asynccontextmanager
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


# 1. The ingress takes events by POST, in binary and structured mode.


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "PATCH", "DELETE"])
def test_1_another_method_than_post_is_405_and_names_post(tmp_path: Path, method: str) -> None:
    async def story() -> None:
        async with one(tmp_path, 204) as (broker, _):
            response = await broker.send(method, PATH, {}, b"")
            assert response.status == 405
            assert response.headers["Allow"] == "POST, OPTIONS"

    run(story())


def test_1_options_is_answered_with_what_is_allowed(tmp_path: Path) -> None:
    async def story() -> None:
        async with one(tmp_path, 204) as (broker, _):
            response = await broker.send("OPTIONS", PATH, {}, b"")
            assert response.status == 200
            assert response.headers["Allow"] == "POST, OPTIONS"
            assert response.headers["WebHook-Allowed-Origin"] == "*"

    run(story())


@pytest.mark.parametrize("mode", ["binary", "structured"])
def test_1_both_content_modes_carry_the_same_event(tmp_path: Path, mode: Any) -> None:
    async def story() -> None:
        async with one(tmp_path, 204) as (broker, subscriber):
            message = encode(an_event(), mode=mode)
            response = await broker.send("POST", PATH, message.headers, message.body)
            assert response.status == 202
            [event] = await subscriber.received(1)
            assert event.data == b'{"n": 1}'
            assert (event.id, event.subject, event.specversion) == ("1", "größe 1.mp4", "1.0")

    run(story())


def test_1_a_subscriber_gets_binary_mode_unless_the_format_is_json(tmp_path: Path) -> None:
    async def story() -> None:
        async with subscribers([204]) as [subscriber]:
            triggers = [
                trigger("binary", subscriber.url, delivery={"retry": 0}),
                trigger("json", subscriber.url, delivery={"retry": 0, "format": "json"}),
            ]
            async with brokerage(tmp_path / "log.sqlite", triggers) as broker:
                await broker.post(an_event())
                await subscriber.received(2)
                kinds = sorted(request["content-type"] for request in subscriber.requests)
                assert kinds == ["application/cloudevents+json", "application/json"]

    run(story())


# 2. Codes of the ingress.


def test_2_what_was_answered_202_is_in_the_log(tmp_path: Path) -> None:
    async def story() -> None:
        async with one(tmp_path, 204) as (broker, subscriber):
            subscriber.open.clear()
            assert await broker.post(an_event(partitionkey="job")) == 202
            [accepted] = History(broker.path).of("job")
            assert accepted.event.id == "1"
            assert [delivery.state for delivery in accepted.deliveries] == ["pending"]

    run(story())


def test_2_what_cannot_be_stored_is_503_and_not_delivered(tmp_path: Path) -> None:
    async def story() -> None:
        async with one(tmp_path, 204) as (broker, subscriber):
            with contextlib.closing(sqlite3.connect(broker.path, isolation_level=None)) as other:
                other.execute("BEGIN IMMEDIATE")
                assert await broker.post(an_event("lost")) == 503
                other.execute("ROLLBACK")
            assert await broker.post(an_event("kept")) == 202
            assert [event.id for event in await subscriber.received(1)] == ["kept"]
            assert [accepted.event.id for accepted in await broker.settled()] == ["kept"]

    run(story())


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/", 404),
        ("/default/other", 404),
        ("/other/kinora", 404),
        ("/kinora", 400),
        ("/default/kinora/more", 400),
        ("//kinora", 400),
        ("/default/kinora/", 202),
    ],
)
def test_2_the_path_names_namespace_and_broker(tmp_path: Path, path: str, status: int) -> None:
    async def story() -> None:
        async with one(tmp_path, 204) as (broker, _):
            assert await broker.post(an_event(), path=path) == status

    run(story())


@pytest.mark.parametrize(
    ("headers", "body", "status"),
    [
        ({}, b"", 400),
        ({"content-type": "application/json"}, b"{}", 400),
        ({name: HEADERS[name] for name in HEADERS if name != "ce-id"}, b"", 400),
        ({**HEADERS, "ce-source": "not a uri"}, b"", 400),
        ({**HEADERS, "ce-specversion": "0.3"}, b"", 400),
        ({"content-type": "application/cloudevents+json"}, b"{", 400),
        ({"content-type": "application/cloudevents-batch+json"}, b"[]", 415),
        (HEADERS, b"x" * (64 * 1024), 202),
        (HEADERS, b"x" * (64 * 1024 + 1), 413),
    ],
)
def test_2_what_is_no_event_is_refused_with_a_code_nobody_redelivers(
    tmp_path: Path, headers: dict[str, str], body: bytes, status: int
) -> None:
    async def story() -> None:
        async with one(tmp_path, 204) as (broker, _):
            assert (await broker.send("POST", PATH, headers, body)).status == status

    run(story())


def test_2_a_body_of_unknown_length_is_not_read_beyond_the_limit(tmp_path: Path) -> None:
    async def story() -> None:
        async def endless() -> AsyncIterator[bytes]:
            for _ in range(100):
                yield b"x" * 10_000

        async with (
            one(tmp_path, 204) as (broker, _),
            broker.client.post(broker.url + PATH, data=endless(), headers=HEADERS) as response,
        ):
            assert response.status == 413

    run(story())


def test_2_an_event_of_this_process_obeys_the_same_rules(tmp_path: Path) -> None:
    async def story() -> None:
        async with one(tmp_path, 204) as (broker, subscriber):
            with pytest.raises(Malformed):
                await broker.broker.publish(dataclasses.replace(an_event(), id=""))
            with pytest.raises(Malformed):
                await broker.broker.publish(dataclasses.replace(an_event(), data=b"x" * 70_000))
            await broker.broker.publish(an_event("good"))
            assert [event.id for event in await subscriber.received(1)] == ["good"]
            assert [accepted.event.id for accepted in await broker.settled()] == ["good"]

    run(story())


def test_2_too_much_waiting_is_429(tmp_path: Path) -> None:
    async def story() -> None:
        async with subscribers([204]) as [subscriber]:
            subscriber.open.clear()
            triggers = [trigger("t", subscriber.url)]
            limits = Limits(pending=2)
            async with brokerage(tmp_path / "log.sqlite", triggers, limits=limits) as broker:
                answered = [await broker.post(an_event(str(n))) for n in range(3)]
                assert answered == [202, 202, 429]
                subscriber.open.set()
                await broker.settled()
                assert await broker.post(an_event("4")) == 202

    run(story())


def test_2_a_broker_that_has_stopped_answers_503(tmp_path: Path) -> None:
    async def story() -> None:
        async with one(tmp_path, 204) as (broker, _):
            await broker.broker.stop(drain=True)
            assert await broker.post(an_event()) == 503

    run(story())


# 3. Every trigger is evaluated once per event; data and attributes stay as they are.


def test_3_each_matching_trigger_makes_one_delivery_even_to_the_same_subscriber(
    tmp_path: Path,
) -> None:
    async def story() -> None:
        async with subscribers([204], [204]) as [first, second]:
            triggers = [
                trigger("one", first.url, type="a"),
                trigger("two", first.url),
                trigger("three", second.url, filters=[{"prefix": {"subject": "größe"}}]),
                trigger("four", second.url, type="b"),
            ]
            async with brokerage(tmp_path / "log.sqlite", triggers) as broker:
                await broker.post(an_event())
                history = await broker.settled()
                assert states(history) == {
                    ("1", "one", False): "delivered",
                    ("1", "two", False): "delivered",
                    ("1", "three", False): "delivered",
                }
                assert (len(first.events), len(second.events)) == (2, 1)

    run(story())


def test_3_an_event_that_nobody_wants_is_taken_and_remembered(tmp_path: Path) -> None:
    async def story() -> None:
        async with subscribers([204]) as [subscriber]:
            triggers = [trigger("t", subscriber.url, type="other")]
            async with brokerage(tmp_path / "log.sqlite", triggers) as broker:
                assert await broker.post(an_event()) == 202
                [accepted] = await broker.settled()
                assert accepted.deliveries == ()
                assert subscriber.events == []

    run(story())


def test_3_data_and_attributes_arrive_unmodified(tmp_path: Path) -> None:
    async def story() -> None:
        sent = CloudEvent(
            id="id%20 1",
            source="/jobs/1?x=%41",
            type="dev.kinora.task.ready.v1",
            subject='a "quoted" größe 🎬.mp4',
            time="2026-01-02T03:04:05.678Z",
            datacontenttype="application/octet-stream",
            dataschema="https://example.test/schema#1",
            extensions={
                "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
                "partitionkey": "j",
                "odd": "50% of it",
            },
            data=bytes(range(256)),
        )
        async with one(tmp_path, 204) as (broker, subscriber):
            await broker.post(sent)
            [came] = await subscriber.received(1)
            kept = {n: v for n, v in came.extensions.items() if n != "knativearrivaltime"}
            assert dataclasses.replace(came, extensions=kept) == sent

    run(story())


def test_3_attributes_that_were_not_sent_are_not_invented(tmp_path: Path) -> None:
    async def story() -> None:
        async with one(tmp_path, 204) as (broker, subscriber):
            await broker.post(CloudEvent(id="1", source="/s", type="a", data=b"raw"))
            await broker.post(CloudEvent(id="2", source="/s", type="a"))
            for event in await subscriber.received(2):
                assert event.datacontenttype is event.subject is event.time is None
                assert set(event.extensions) == {"knativearrivaltime"}
            assert {event.data for event in subscriber.events} == {b"raw", None}

    run(story())


def test_3_the_time_of_arrival_is_added_and_overwritten_on_every_pass(tmp_path: Path) -> None:
    async def story() -> None:
        clock = Clock()
        clock.now_s = 1_767_323_045.678
        async with one(tmp_path, 204, clock=clock) as (broker, subscriber):
            await broker.post(an_event(knativearrivaltime="1999-01-01T00:00:00Z"))
            [event] = await subscriber.received(1)
            assert event.extensions["knativearrivaltime"] == "2026-01-02T03:04:05.678Z"

    run(story())


def test_3_all_matching_events_are_under_way_at_once(tmp_path: Path) -> None:
    async def story() -> None:
        async with one(tmp_path, 204) as (broker, subscriber):
            subscriber.open.clear()
            for n in range(100):
                await broker.post(an_event(str(n)))
            await subscriber.received(100)
            assert subscriber.inside == 100
            subscriber.open.set()
            await broker.settled()

    run(story())


def test_3_the_bound_of_a_trigger_delays_and_loses_nothing(tmp_path: Path) -> None:
    async def story() -> None:
        async with subscribers([204]) as [subscriber]:
            triggers = [trigger("t", subscriber.url)]
            limits = Limits(in_flight=3)
            async with brokerage(tmp_path / "log.sqlite", triggers, limits=limits) as broker:
                subscriber.open.clear()
                for n in range(20):
                    await broker.post(an_event(str(n)))
                await subscriber.received(3)
                subscriber.open.set()
                await broker.settled()
                assert sorted(e.id for e in subscriber.events) == sorted(map(str, range(20)))
                assert subscriber.most_inside <= 3

    run(story())


# 4. Replies.


def test_4_requests_prefer_a_reply_and_name_the_namespace(tmp_path: Path) -> None:
    async def story() -> None:
        async with one(tmp_path, 204) as (broker, subscriber):
            await broker.post(an_event())
            await subscriber.received(1)
            assert subscriber.requests[0]["prefer"] == "reply"
            assert subscriber.requests[0]["kn-namespace"] == "default"

    run(story())


@pytest.mark.parametrize("mode", ["binary", "structured"])
def test_4_an_event_in_a_200_reenters_and_meets_all_triggers(tmp_path: Path, mode: Any) -> None:
    async def story() -> None:
        async with subscribers([encode(an_event("2", "b"), mode=mode), 204], [204]) as [
            first,
            second,
        ]:
            triggers = [
                trigger("all", first.url),
                trigger("b", second.url, type="b"),
            ]
            async with brokerage(tmp_path / "log.sqlite", triggers) as broker:
                await broker.post(an_event("1", "a"))
                await first.received(2)
                assert states(await broker.settled()) == {
                    ("1", "all", False): "delivered",
                    ("2", "all", False): "delivered",
                    ("2", "b", False): "delivered",
                }

    run(story())


@pytest.mark.parametrize("status", [200, 201, 202, 204])
def test_4_an_empty_2xx_is_done(tmp_path: Path, status: int) -> None:
    async def story() -> None:
        async with one(tmp_path, status, retry=3) as (broker, subscriber):
            await broker.post(an_event())
            assert codes(await broker.settled()) == [status]
            assert len(subscriber.events) == 1

    run(story())


@pytest.mark.parametrize("status", [201, 202])
def test_4_an_event_in_another_2xx_is_not_routed(tmp_path: Path, status: int) -> None:
    async def story() -> None:
        message = encode(an_event("2", "b"))
        reply = answer(status, message.body, **message.headers)
        async with one(tmp_path, reply) as (broker, subscriber):
            await broker.post(an_event())
            history = await broker.settled()
            assert states(history) == {("1", "t", False): "delivered"}
            assert len(subscriber.events) == 1

    run(story())


@pytest.mark.parametrize(
    "reply",
    [
        answer(200, b"OK"),
        answer(202, b"OK"),
        answer(200, b"{}", **{"content-type": "application/json"}),
        answer(200, b"[]", **{"content-type": "application/cloudevents-batch+json"}),
        answer(200, b"{}", **{"content-type": "application/cloudevents+json"}),
        answer(200, b"", **{"ce-specversion": "1.0"}),
        answer(200, b"x" * 100_000, **HEADERS),
    ],
    ids=["text", "text in 202", "json", "batch", "no event", "no attributes", "too large"],
)
def test_4_a_2xx_that_is_neither_empty_nor_an_event_failed_with_502(
    tmp_path: Path, reply: Any
) -> None:
    async def story() -> None:
        async with one(tmp_path, reply, 204, **RETRIES) as (broker, subscriber):
            await broker.post(an_event())
            assert codes(await broker.settled()) == [502, 204]
            assert len(subscriber.events) == 2

    run(story())


def test_4_a_reply_that_cannot_be_stored_repeats_the_whole_delivery(tmp_path: Path) -> None:
    async def story() -> None:
        other = sqlite3.connect(tmp_path / "log.sqlite", isolation_level=None)

        def block(_: CloudEvent) -> Any:
            other.execute("BEGIN IMMEDIATE")
            return encode(an_event("2", "b"))

        def unblock(_: CloudEvent) -> Any:
            other.execute("ROLLBACK")
            return encode(an_event("2", "b"))

        with contextlib.closing(other):
            async with one(tmp_path, block, unblock, 204, **RETRIES) as (broker, subscriber):
                await broker.post(an_event("1", "a"))
                events = await subscriber.received(3)
                assert [event.id for event in events] == ["1", "1", "2"]
                history = await broker.settled()
                assert codes(history) == [500, 200]

    run(story())


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
