"""Dead letters are parked whole, and come back as what they were."""

from __future__ import annotations

import pytest

from eventing.cloudevent import CloudEvent
from eventing.contract import TICK, TaskReady, identity
from eventing.envelope import wrap
from functions.deadletter.handler import DeadLetter
from functions.deadletter.settings import Settings
from functions.jobs import layout, parking
from tests.fakes import MemoryStore

JOB = "1" * 32
READY = TaskReady(job=JOB, generation=1, task="v0000")
SENT = wrap(READY, producer="chunker", time="2026-01-01T00:00:00Z", cause="abc")
DEAD = SENT.with_extensions(
    knativeerrordest="http://encoder.local/",
    knativeerrorcode="503",
    knativeerrordata="bm90IG5vdw==",
    knativearrivaltime="2026-01-01T00:00:01Z",
)


def park(event: CloudEvent) -> MemoryStore:
    store = MemoryStore()
    assert list(DeadLetter(store=store).undeliverable(event)) == []
    return store


def test_a_dead_letter_is_parked_with_its_job_and_why() -> None:
    store = park(DEAD)
    body = store.get(layout.parked(JOB, identity(READY)))
    assert b'"knativeerrorcode":"503"' in body
    assert b'"knativeerrordest":"http://encoder.local/"' in body


def test_what_is_delivered_again_is_what_was_sent() -> None:
    store = park(DEAD)
    (info,) = store.list(layout.PARKED_PREFIX)
    assert parking.load(store.get(info.key)) == SENT


def test_the_same_dead_letter_replaces_its_record() -> None:
    store = park(DEAD)
    list(DeadLetter(store=store).undeliverable(DEAD.with_extensions(knativeerrorcode="500")))
    (info,) = store.list(layout.PARKED_PREFIX)
    assert b'"knativeerrorcode":"500"' in store.get(info.key)


@pytest.mark.parametrize(
    "event",
    [
        CloudEvent(id="../../x", source="/somewhere", type="com.example.thing"),
        CloudEvent(id="x" * 2000, source=f"/jobs/{JOB}", type="com.example.thing"),
        CloudEvent(id="ü €", source="/jobs/none", type="x", data=b"\x00\xff", subject="a/b"),
    ],
)
def test_a_foreign_event_is_parked_too_under_a_key_that_is_safe(event: CloudEvent) -> None:
    (info,) = park(event).list(layout.PARKED_PREFIX)
    folder, _, name = info.key.removeprefix(layout.PARKED_PREFIX).partition("/")
    assert folder in ("none", JOB)
    assert len(name) == 32


def test_binary_data_survives_parking() -> None:
    event = CloudEvent(id="1", source="/x", type="y", data=bytes(range(256)))
    store = park(event)
    (info,) = store.list(layout.PARKED_PREFIX)
    assert parking.load(store.get(info.key)) == event


def test_a_tick_is_not_kept() -> None:
    assert not list(park(CloudEvent(id="1", source="/ping", type=TICK)).list(""))


def test_settings_name_the_store() -> None:
    assert Settings.read({"KINORA_STORE": "s"}).store == "s"
