"""Events and deliveries that rows share, and what they look at in what came."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from itertools import pairwise
from typing import Any, Final

from eventing.cloudevent import CloudEvent
from tests.delivery.case import DEAD, SUBSCRIBER, Record, Result

HEADERS: Final = {"ce-specversion": "1.0", "ce-id": "1", "ce-source": "/s", "ce-type": "a"}
RETRIES: Final = {"retry": 2, "backoffPolicy": "exponential", "backoffDelay": "PT0.2S"}
RETRIED: Final = (404, 408, 409, 429, 500, 501, 502, 503, 504, 599)
FINAL: Final = (400, 401, 403, 405, 410, 413, 415, 422)
ODD: Final = CloudEvent(
    id="id%20 1",
    source="/jobs/1?x=%41",
    type="dev.kinora.task.ready.v1",
    subject='a "quoted" größe 🎬.mp4',
    time="2026-01-02T03:04:05.678Z",
    datacontenttype="application/octet-stream",
    dataschema="https://example.test/schema#1",
    extensions={"partitionkey": "j", "odd": "50% of it"},
    data=bytes(range(256)),
)


def facts(event: CloudEvent) -> tuple[object, ...]:
    """Attributes and data, without id and extensions."""
    return (
        event.source,
        event.type,
        event.subject,
        event.time,
        event.datacontenttype,
        event.dataschema,
        event.data,
    )


def kept(record: Record) -> tuple[object, ...]:
    """What of ODD arrived."""
    event = record[SUBSCRIBER][0].event
    return (*facts(event), {name: event.extensions.get(name) for name in ODD.extensions})


MALFORMED: Final = (
    *(ODD.source, ODD.type, None, None, None, None, None),
    dict.fromkeys(ODD.extensions),
)


def once(*ids: str, receiver: str = SUBSCRIBER) -> Result:
    return Result(seen={receiver: dict.fromkeys(ids, 1)})


def extensions(record: Record, receiver: str = SUBSCRIBER) -> list[str]:
    """Names of what the broker added."""
    return sorted(set(record[receiver][0].event.extensions) - {"case"})


def letter(record: Record) -> dict[str, str]:
    """What a dead letter says of its death, without the receivers' address."""
    (seen, *_) = record[DEAD]
    said = {
        name.removeprefix("knativeerror"): value
        for name, value in seen.event.extensions.items()
        if name.startswith("knativeerror")
    }
    if "dest" in said:
        said["dest"] = said["dest"].rstrip("/").rpartition("/")[2]
    if "data" in said:
        said["data"] = base64.b64decode(said["data"]).decode().partition(":")[0]
    return said


def gaps(waits_s: Sequence[float]) -> Any:
    """Whether the requests came apart by as much as they must."""

    def look(record: Record) -> list[bool]:
        times = [seen.at_s for seen in record[SUBSCRIBER]]
        return [
            later - earlier >= wait_s
            for (earlier, later), wait_s in zip(pairwise(times), waits_s, strict=True)
        ]

    return look
