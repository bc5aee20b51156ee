"""Whom the local broker delivers to, what, and what it makes of the answer.

The clauses are those of Knative's eventing data plane and control plane specifications, and of
what its default broker does where they are silent; the numbers group them.
"""

from __future__ import annotations

import contextlib
import dataclasses
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from eventing.cloudevent import CloudEvent
from eventing.codec import encode
from knative.local.broker.broker import Limits
from tests.contract.brokerage import (
    Clock,
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
HEADERS = {"ce-specversion": "1.0", "ce-id": "1", "ce-source": "/s", "ce-type": "a"}


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
