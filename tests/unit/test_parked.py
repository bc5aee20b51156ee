"""Parked events by reason, and delivering them again as the sweeper would."""

from __future__ import annotations

import base64

import pytest

from eventing.cloudevent import CloudEvent
from eventing.contract import JobAccepted, TaskReady
from eventing.envelope import wrap
from functions.deadletter.handler import DeadLetter
from functions.jobs import layout
from functions.ports import ObjectStore
from knative.operating import parked
from tests.fakes import MemoryStore
from tests.unit import cli_samples

JOB = cli_samples.JOB
OTHER = cli_samples.OTHER
TRIGGER = "http://broker-filter.knative-eventing.svc.cluster.local/triggers/kinora/{}/uid"


def park(
    store: ObjectStore,
    event: CloudEvent,
    *,
    code: str = "503",
    said: str = "not now",
    to: str = "",
) -> CloudEvent:
    dead = event.with_extensions(
        knativeerrorcode=code,
        knativeerrordata=base64.b64encode(said.encode()).decode(),
        knativeerrordest=to or "http://encoder.local/",
    )
    list(DeadLetter(store=store).undeliverable(dead))
    return event


def ready(task: str, *, job: str = JOB, accelerator: str = "cpu") -> CloudEvent:
    event = TaskReady(job=job, generation=1, task=task, accelerator=accelerator)
    return wrap(event, producer="chunker", time="2026-01-01T00:00:00Z", cause=task)


def accepted(job: str = JOB) -> CloudEvent:
    return wrap(
        JobAccepted(job=job, tenant="local"), producer="ingest", time="2026-01-01T00:00:00Z"
    )


class Broker:
    """Takes events until it is full."""

    def __init__(self, room: int = 1000) -> None:
        self.took: list[CloudEvent] = []
        self.room = room

    def __call__(self, event: CloudEvent) -> str:
        if len(self.took) >= self.room:
            return "503 full"
        self.took.append(event)
        return ""


def test_alike_failures_are_one_group_whatever_numbers_they_name() -> None:
    store = MemoryStore()
    for number in range(3):
        park(
            store, ready(f"v{number}"), said=f"task v{number} took {number}.5 s of 0123456789abcdef"
        )
    park(store, ready("a1", job=OTHER), code="500", said="KeyError")
    park(store, accepted())
    groups = parked.grouped(parked.read(store))
    assert [(group.count, group.function) for group in groups] == [
        (3, "encoder"),
        (1, "encoder"),
        (1, "chunker"),
    ]
    assert groups[0].reason == "503 task v… took … s of …"
    assert {group.jobs for group in groups} == {1}


@pytest.mark.parametrize(
    ("event", "to", "function"),
    [
        (ready("v0"), "", "encoder"),
        (ready("v0", accelerator="gpu"), "", "encoder-gpu"),
        (ready("v0"), TRIGGER.format("encoder-long-task-ready-v1"), "encoder-long"),
        (ready("v0"), TRIGGER.format("encoder-task-ready-v1"), "encoder"),
        (accepted(), TRIGGER.format("somebody-elses"), "chunker"),
        (CloudEvent(id="1", source="/x", type="com.example.thing"), "", ""),
    ],
)
def test_who_did_not_take_an_event_is_told(event: CloudEvent, to: str, function: str) -> None:
    store = MemoryStore()
    park(store, event, to=to)
    (found,) = parked.read(store)
    assert found.function == function
    assert found.event == event


def test_some_are_chosen_by_reason_job_and_function() -> None:
    store = MemoryStore()
    park(store, ready("v0"), said="No space left")
    park(store, ready("v0", job=OTHER))
    park(store, accepted())
    found = list(parked.read(store))
    assert len(parked.chosen(found)) == 3
    assert [each.job for each in parked.chosen(found, reason="no space")] == [JOB]
    assert [each.job for each in parked.chosen(found, job=OTHER[:6])] == [OTHER]
    assert len(parked.chosen(found, function="encoder", job=JOB)) == 1


def test_what_is_delivered_is_what_the_sweeper_would_deliver_and_the_record_goes() -> None:
    store = MemoryStore()
    sent = [park(store, ready("v0")), park(store, accepted())]
    broker = Broker()
    came = parked.replay(store, parked.read(store), broker)
    assert (came.delivered, came.refused) == (2, 0)
    assert sorted(event.id for event in broker.took) == sorted(event.id for event in sent)
    assert {event.id: event for event in broker.took} == {event.id: event for event in sent}
    assert list(store.list(layout.PARKED_PREFIX)) == []


def test_what_the_sweeper_took_meanwhile_is_said_again_and_does_no_harm() -> None:
    store = MemoryStore()
    park(store, ready("v0"))
    found = list(parked.read(store))
    store.delete(found[0].key)
    broker = Broker()
    assert parked.replay(store, found, broker).delivered == 1
    assert [event.id for event in broker.took] == [found[0].event.id]


def test_nothing_is_lost_where_the_broker_takes_no_more() -> None:
    store = MemoryStore()
    for number in range(5):
        park(store, ready(f"v{number}"))
    came = parked.replay(store, parked.read(store), Broker(room=2))
    assert (came.delivered, came.refused, came.why) == (2, 3, "503 full")
    assert len(list(store.list(layout.PARKED_PREFIX))) == 3
    again = parked.replay(store, parked.read(store), Broker())
    assert again.delivered == 3


def test_events_of_jobs_that_have_ended_are_left_to_the_sweeper() -> None:
    store = MemoryStore()
    park(store, ready("v0"))
    cli_samples.accept(store)
    cli_samples.finish(store, cli_samples.verdict())
    broker = Broker()
    came = parked.replay(store, parked.read(store), broker)
    assert (came.delivered, came.ended, broker.took) == (0, 1, [])
    assert len(list(store.list(layout.PARKED_PREFIX))) == 1


def test_a_record_that_cannot_be_read_keeps_nobody_waiting() -> None:
    store = MemoryStore()
    store.put(layout.parked(JOB, "0" * 32), b"not an event")
    park(store, accepted())
    assert len(list(parked.read(store))) == 1
