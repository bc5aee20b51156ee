"""Payloads in their envelopes: which attributes an event of the contract travels with."""

from __future__ import annotations

import re
from dataclasses import fields
from typing import Final

import msgspec

from eventing import codec
from eventing.cloudevent import CloudEvent
from eventing.contract import EVENTS, Event, TaskReady, digest, identity, source_of, subject_of
from eventing.typed import ready

TYPES: Final = {event.type: event for event in EVENTS}

PRODUCER: Final = "producer"
PARTITION_KEY: Final = "partitionkey"
TRACE_PARENT: Final = "traceparent"
CAUSATION_ID: Final = "causationid"
ACCELERATOR: Final = "accelerator"
LENGTH: Final = "length"

_NOT_IN_SUBJECT: Final = re.compile(r"[\x00-\x1f\x7f-\x9f]")


def wrap(payload: Event, *, producer: str, time: str, cause: str = "") -> CloudEvent:
    """The event that tells of `payload`. Everything but `producer`, `time` and `cause` follows
    from the payload, so whoever tells it again tells the same event.

    `time` is RFC 3339; `cause` is the id of the event that was being handled.
    """
    extensions = {
        PRODUCER: producer,
        PARTITION_KEY: payload.job,
        TRACE_PARENT: trace_parent(payload.job),
    }
    if cause:
        extensions[CAUSATION_ID] = cause
    if isinstance(payload, TaskReady):
        extensions[ACCELERATOR] = payload.accelerator
        extensions[LENGTH] = payload.length
    return CloudEvent(
        id=identity(payload),
        source=source_of(payload),
        type=payload.type,
        # An object's key may hold characters that no attribute may; the data has it as it is.
        subject=_NOT_IN_SUBJECT.sub("\N{REPLACEMENT CHARACTER}", subject_of(payload)),
        time=time,
        datacontenttype=codec.JSON,
        extensions=extensions,
        data=msgspec.json.encode(payload),
    )


def unwrap(event: CloudEvent) -> Event:
    """The payload. Raises ValueError with one line that names the field and quotes no value."""
    kind = TYPES.get(event.type)
    if kind is None:
        raise ValueError("the event's type is not one of the contract")
    if event.datacontenttype is None or not codec.is_json(event.datacontenttype):
        raise ValueError(f"data of {kind.type} is not declared as JSON")
    try:
        payload = msgspec.json.decode(event.data or b"", type=ready(kind))
    except UnicodeDecodeError:
        raise ValueError(f"data of {kind.type}: is no UTF-8") from None
    except (ValueError, RecursionError) as error:
        raise ValueError(f"data of {kind.type}: {error}") from None
    for field in fields(kind):
        value = getattr(payload, field.name)
        # In a pattern, `$` lets a final line feed pass; these strings become parts of keys.
        if field.name not in ("key", "reason") and isinstance(value, str) and "\n" in value:
            raise ValueError(f"data of {kind.type}: more than one line - at `$.{field.name}`")
    return payload


def trace_parent(job: str) -> str:
    """W3C Trace Context of where the job's trace starts: its trace id is the job's id."""
    return f"00-{job}-{digest('trace', job)[:16]}-01"
