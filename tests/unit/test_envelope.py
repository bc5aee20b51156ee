"""Payloads in and out of their envelopes."""

from __future__ import annotations

from dataclasses import replace

import pytest

from eventing import codec
from eventing.cloudevent import CloudEvent
from eventing.contract import EVENTS, JobAccepted, ObjectCreated, TaskReady
from eventing.envelope import unwrap, wrap
from tests.contract.event_samples import JOB, SAMPLES, TIME, event_of

READY = event_of(TaskReady(job=JOB, generation=1, task="v0000"))


def test_the_attributes_follow_from_the_payload() -> None:
    event = wrap(
        TaskReady(job=JOB, generation=1, task="v0000", accelerator="gpu", length="long"),
        producer="chunker",
        time=TIME,
        cause="c0ffee",
    )
    assert event.source == f"/jobs/{JOB}"
    assert (event.type, event.subject) == ("dev.kinora.task.ready.v1", "v0000")
    assert (event.time, event.datacontenttype) == (TIME, "application/json")
    assert event.extensions == {
        "producer": "chunker",
        "partitionkey": JOB,
        "traceparent": event.extensions["traceparent"],
        "causationid": "c0ffee",
        "accelerator": "gpu",
        "length": "long",
    }


def test_a_task_told_of_without_a_length_is_a_short_one() -> None:
    data = f'{{"job":"{JOB}","generation":1,"task":"a1","accelerator":"cpu"}}'.encode()
    payload = TaskReady(job=JOB, generation=1, task="a1")
    assert unwrap(replace(READY, data=data)) == payload
    assert event_of(payload).extensions["length"] == "short"


def test_only_a_ready_task_names_its_accelerator_and_only_what_was_caused_its_cause() -> None:
    event = wrap(JobAccepted(job=JOB, tenant="acme"), producer="ingest", time=TIME)
    assert set(event.extensions) == {"producer", "partitionkey", "traceparent"}


def test_the_trace_is_the_job_and_starts_in_the_same_span_for_every_event() -> None:
    parents = {event_of(payload).extensions["traceparent"] for payload in SAMPLES[1:]}
    (parent,) = parents
    version, trace, span, flags = parent.split("-")
    assert (version, trace, flags) == ("00", JOB, "01")
    assert len(span) == 16 and int(span, 16)


def test_the_same_fact_told_by_another_at_another_time_is_the_same_event() -> None:
    payload = TaskReady(job=JOB, generation=1, task="v0000")
    again = wrap(payload, producer="sweeper", time="2027-01-01T00:00:00Z")
    assert (again.id, again.source) == (READY.id, READY.source)


def test_no_two_events_of_the_contract_have_the_same_id() -> None:
    assert len({event_of(payload).id for payload in SAMPLES}) == len(EVENTS)


def test_a_key_with_control_characters_travels_in_the_data_and_not_in_the_subject() -> None:
    payload = ObjectCreated(bucket="uploads", key="acme/a\nb\x7f.mp4", etag="1")
    event = event_of(payload)
    assert event.subject == "acme/a\ufffdb\ufffd.mp4"
    message = codec.encode(event)
    assert unwrap(codec.decode(message.headers, message.body)) == payload


def wrong(data: bytes | None = b"", **attributes: str | None) -> CloudEvent:
    return replace(READY, data=data, **attributes)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("event", "reason"),
    [
        (wrong(None), "truncated"),
        (wrong(b"null"), "object"),
        (wrong(b"[" * 60_000), "object"),
        (wrong(b'{"job":"hunter2'), "truncated"),
        (wrong(b'{"job":"\xff"}'), "UTF-8"),
        (wrong(b'{"job":"%s"}' % JOB.encode()), "`generation`"),
        (wrong(b'{"job":"hunter2","generation":1,"task":"v0000"}'), "$.job"),
        (wrong(b'{"job":"%s","generation":0,"task":"v0000"}' % JOB.encode()), "$.generation"),
        (wrong(b'{"job":"%s","generation":"1","task":"v0"}' % JOB.encode()), "$.generation"),
        (wrong(b'{"job":"%s\\n","generation":1,"task":"v0"}' % JOB.encode()), "$.job"),
        (wrong(b'{"job":"%s","generation":1,"task":"../hunter2"}' % JOB.encode()), "$.task"),
        (wrong(READY.data, datacontenttype="text/plain"), "JSON"),
        (wrong(READY.data, datacontenttype=None), "JSON"),
        (wrong(READY.data, type="com.example.hunter2"), "type"),
    ],
)
def test_data_that_is_not_of_the_contract_is_refused_in_one_line(
    event: CloudEvent, reason: str
) -> None:
    with pytest.raises(ValueError) as refused:
        unwrap(event)
    assert reason in str(refused.value)
    assert str(refused.value).isprintable()
    assert "hunter2" not in str(refused.value)


def test_fields_that_a_later_version_added_are_not_minded() -> None:
    later = replace(READY, data=(READY.data or b"").replace(b"{", b'{"later":[1],', 1))
    assert unwrap(later) == unwrap(READY)
