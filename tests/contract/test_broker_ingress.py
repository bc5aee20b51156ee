"""How events enter the local broker, and which it refuses.

The clauses are those of Knative's eventing data plane and control plane specifications, and of
what its default broker does where they are silent; the numbers group them.
"""

from __future__ import annotations

import contextlib
import dataclasses
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from eventing.codec import Malformed, encode
from knative.local.broker.broker import Limits
from knative.local.broker.history import History
from tests.contract.brokerage import (
    PATH,
    an_event,
    brokerage,
    one,
    run,
    subscribers,
    trigger,
)

HEADERS = {"ce-specversion": "1.0", "ce-id": "1", "ce-source": "/s", "ce-type": "a"}


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
