"""PingSource: its schedule, its manifest, and its events."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eventing.cloudevent import CloudEvent
from knative.field import Invalid
from knative.local.broker.manifest import Destination
from knative.local.broker.ping import PingSource, fire
from knative.local.broker.schedule import parse

NOW = datetime(2026, 11, 21, 1, 2, 3, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("* * * * *", "2026-11-21T01:03:00+00:00"),
        ("*/15 * * * *", "2026-11-21T01:15:00+00:00"),
        ("5/20 3,4 * jan ?", "2027-01-01T03:05:00+00:00"),
        ("0 12 * * mon-fri", "2026-11-23T12:00:00+00:00"),
        ("0 0 29 2 *", "2028-02-29T00:00:00+00:00"),
        ("0 0 31 * *", "2026-12-31T00:00:00+00:00"),
        ("0 0 13 * fri", "2026-11-27T00:00:00+00:00"),
        ("2 1 21 11 *", "2027-11-21T01:02:00+00:00"),
        ("@hourly", "2026-11-21T02:00:00+00:00"),
        ("@weekly", "2026-11-22T00:00:00+00:00"),
        ("@every 5s", "2026-11-21T01:02:08+00:00"),
        ("@every 1h30m", "2026-11-21T02:32:03+00:00"),
    ],
)
def test_the_next_time_of_a_schedule(text: str, expected: str) -> None:
    assert parse(text).next_after(NOW).isoformat() == expected


@given(
    moment=st.datetimes(datetime(2000, 1, 1), datetime(2090, 1, 1), timezones=st.just(UTC)),
    text=st.sampled_from(["* * * * *", "7 */3 * * *", "30 4 1,15 * mon", "0 0 29 2 *"]),
)
def test_nothing_of_a_schedule_is_skipped(moment: datetime, text: str) -> None:
    schedule = parse(text)
    due = schedule.next_after(moment)
    assert due > moment
    between = moment + (due - moment) / 2
    assert schedule.next_after(between) == due or between >= due


@pytest.mark.parametrize(
    "text",
    [
        "",
        "* * * *",
        "* * * * * *",
        "60 * * * *",
        "* * 0 * *",
        "* * * 13 *",
        "* * * * 7",
        "5-1 * * * *",
        "*/0 * * * *",
        "a * * * *",
        "@every",
        "@every 5",
        "@every 10ms",
        "@sometimes",
    ],
)
def test_what_is_no_schedule_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        parse(text)


def test_a_day_that_never_comes_is_an_error() -> None:
    with pytest.raises(ValueError, match="never comes"):
        parse("0 0 30 2 *").next_after(NOW)


def a_ping(**spec: Any) -> dict[str, Any]:
    return {
        "apiVersion": "sources.knative.dev/v1",
        "kind": "PingSource",
        "metadata": {"name": "tick"},
        "spec": {
            "schedule": "* * * * *",
            "sink": {
                "ref": {"apiVersion": "eventing.knative.dev/v1", "kind": "Broker", "name": "kinora"}
            },
            **spec,
        },
    }


def test_a_ping_source_is_read_from_its_manifest() -> None:
    source = PingSource.parse(
        a_ping(
            timezone="Europe/Vienna",
            contentType="application/json",
            data="{}",
            ceOverrides={"extensions": {"partitionkey": "tick"}},
        )
    )
    assert source.sink == Destination(kind="Broker", name="kinora")
    assert source.zone == ZoneInfo("Europe/Vienna")
    event = source.event(NOW)
    assert event.type == "dev.knative.sources.ping"
    assert event.source == "/apis/v1/namespaces/default/pingsources/tick"
    assert event.time == "2026-11-21T01:02:03Z"
    assert (event.data, event.datacontenttype) == (b"{}", "application/json")
    assert event.extensions == {"partitionkey": "tick"}


def test_the_same_time_is_the_same_event_and_another_is_another() -> None:
    source = PingSource.parse(a_ping())
    assert source.event(NOW) == source.event(NOW.astimezone(ZoneInfo("Asia/Tokyo")))
    assert source.event(NOW).id != source.event(NOW.replace(minute=3)).id


@pytest.mark.parametrize(
    ("spec", "field"),
    [
        ({"schedule": "every minute"}, "PingSource tick.spec.schedule"),
        ({"timezone": "Mars/Olympus"}, "PingSource tick.spec.timezone"),
        ({"sink": None}, "PingSource tick.spec.sink"),
        ({"jsonData": "{}"}, "PingSource tick.spec.jsonData"),
        ({"data": "a", "dataBase64": "YQ=="}, "PingSource tick.spec.dataBase64"),
        ({"dataBase64": "?"}, "PingSource tick.spec.dataBase64"),
    ],
)
def test_a_wrong_field_of_a_ping_source_is_named(spec: dict[str, Any], field: str) -> None:
    with pytest.raises(Invalid) as raised:
        PingSource.parse(a_ping(**spec))
    assert raised.value.field == field


def fired(source: PingSource, start: datetime, count: int, **options: Any) -> list[CloudEvent]:
    """The first `count` events from `start` on, by a clock that passes only in sleep."""
    events: list[CloudEvent] = []
    now_s = start.timestamp()

    async def story() -> None:
        async def sleep(wait_s: float) -> None:
            nonlocal now_s
            now_s += wait_s
            await asyncio.sleep(0)

        async def publish(event: CloudEvent) -> None:
            events.append(event)
            if len(events) == 2:
                raise ConnectionError("the broker is not there")
            if len(events) == count:
                task.cancel()

        task = asyncio.create_task(fire(source, publish, now=lambda: now_s, sleep=sleep, **options))
        await asyncio.wait([task])

    asyncio.run(story())
    return events


def test_it_fires_at_each_time_and_goes_on_after_a_failure() -> None:
    events = fired(PingSource.parse(a_ping(schedule="*/5 * * * *")), NOW, 3)
    assert [event.time for event in events] == [
        "2026-11-21T01:05:00Z",
        "2026-11-21T01:10:00Z",
        "2026-11-21T01:15:00Z",
    ]


def test_a_period_can_override_the_schedule() -> None:
    events = fired(PingSource.parse(a_ping()), NOW, 3, every_s=1.5)
    assert [event.time for event in events] == [
        "2026-11-21T01:02:04.500000Z",
        "2026-11-21T01:02:06Z",
        "2026-11-21T01:02:07.500000Z",
    ]


def test_the_hour_that_autumn_repeats_has_its_times_twice_and_no_more() -> None:
    source = PingSource.parse(a_ping(schedule="*/30 * * * *", timezone="Europe/Vienna"))
    start = datetime(2026, 10, 24, 23, 50, tzinfo=UTC)
    assert [event.time for event in fired(source, start, 6)] == [
        "2026-10-25T00:00:00Z",
        "2026-10-25T00:30:00Z",
        "2026-10-25T01:00:00Z",
        "2026-10-25T01:30:00Z",
        "2026-10-25T02:00:00Z",
        "2026-10-25T02:30:00Z",
    ]
