"""Parked events: what could not be delivered, as whole structured CloudEvents.

The `knativeerror…` attributes say why; they stay in the record and leave the event with it.
"""

from __future__ import annotations

import re
from typing import Final

from eventing import codec
from eventing.cloudevent import CloudEvent
from eventing.contract import digest
from functions.jobs import layout

_JOB: Final = re.compile(r"/jobs/([0-9a-f]{32})")
_ID: Final = re.compile(r"[0-9a-f]{32}")
_DELIVERY: Final = "knative"
"""What brokers add on the way begins so."""


def job_of(event: CloudEvent) -> str:
    """The job that the event speaks of, "" for none."""
    found = _JOB.fullmatch(event.source)
    return found[1] if found else ""


def key_of(event: CloudEvent) -> str:
    """Where the event is parked: the same event again replaces its own record."""
    job = job_of(event)
    known = job and _ID.fullmatch(event.id)
    return layout.parked(job, event.id if known else digest(event.source, event.id))


def dump(event: CloudEvent) -> bytes:
    """The record, binary-safe. Raises ValueError for what is no event."""
    return codec.encode(event, mode="structured").body


def load(data: bytes) -> CloudEvent:
    """The event to deliver again, as it was before its delivery failed. Raises ValueError."""
    event = codec.decode({"content-type": codec.STRUCTURED}, data)
    kept = {
        name: value for name, value in event.extensions.items() if not name.startswith(_DELIVERY)
    }
    return CloudEvent(
        id=event.id,
        source=event.source,
        type=event.type,
        subject=event.subject,
        time=event.time,
        datacontenttype=event.datacontenttype,
        dataschema=event.dataschema,
        extensions=kept,
        data=event.data,
    )
