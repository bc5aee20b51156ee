"""What a function in a cluster causes is heard whole, or not yet."""

from __future__ import annotations

import base64
import json

from eventing import codec
from eventing.cloudevent import CloudEvent
from eventing.contract import JobEncoded
from eventing.envelope import wrap
from knative.operating import listener

EVENT = wrap(JobEncoded(job="1" * 32, generation=1), producer="t", time="2026-03-01T12:00:00Z")


def line(event: CloudEvent) -> str:
    """As the listener's program prints it."""
    message = codec.encode(event)
    return json.dumps([dict(message.headers), base64.b64encode(message.body).decode()]) + "\n"


def test_every_event_that_was_written_is_heard() -> None:
    assert listener.events("a warning\n" + line(EVENT) + line(EVENT)) == [EVENT, EVENT]
    assert listener.events("") == []


def test_what_is_still_being_written_is_heard_next_time() -> None:
    whole = line(EVENT)
    for length in (1, len(whole) // 2, len(whole) - 1):
        assert listener.events(whole + whole[:length]) == [EVENT]
