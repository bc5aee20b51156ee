"""PingSource: an event at each time of a schedule."""

from __future__ import annotations

import asyncio
import base64
import binascii
import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from typing import Final, NoReturn
from zoneinfo import ZoneInfo

from eventing.cloudevent import CloudEvent
from eventing.contract import TICK, digest
from knative.field import Field
from knative.local.broker import schedule
from knative.local.broker.manifest import Destination, destination, head

GROUP: Final = "sources.knative.dev/v1"

_logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class PingSource:
    """What to send, when, and whereto."""

    namespace: str
    name: str
    schedule: schedule.Schedule
    zone: tzinfo = UTC
    sink: Destination
    content_type: str | None = None
    data: bytes | None = None
    extensions: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def parse(cls, document: Mapping[str, object]) -> PingSource:
        """Read a `kind: PingSource` of sources.knative.dev/v1. Raises Invalid."""
        root, namespace, name = head(document, "PingSource", GROUP)
        spec = root["spec"]
        spec.only(
            "schedule", "timezone", "contentType", "data", "dataBase64", "sink", "ceOverrides"
        )
        spec["ceOverrides"].only("extensions")
        try:
            when = schedule.parse(spec["schedule"].text("* * * * *"))
        except ValueError as error:
            raise spec["schedule"].invalid(str(error)) from None
        return cls(
            namespace=namespace,
            name=name,
            schedule=when,
            zone=_zone(spec["timezone"]),
            sink=destination(spec["sink"], namespace),
            content_type=spec["contentType"].text("") or None,
            data=_data(spec),
            extensions={
                name: value.text() for name, value in spec["ceOverrides"]["extensions"].members()
            },
        )

    def event(self, moment: datetime) -> CloudEvent:
        """The event for one time of the schedule; the same time is the same event."""
        source = f"/apis/v1/namespaces/{self.namespace}/pingsources/{self.name}"
        text = moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
        return CloudEvent(
            id=digest(source, text),
            source=source,
            type=TICK,
            time=text,
            datacontenttype=self.content_type,
            extensions=self.extensions,
            data=self.data,
        )


async def fire(
    source: PingSource,
    publish: Callable[[CloudEvent], Awaitable[None]],
    *,
    every_s: float | None = None,
    now: Callable[[], float] = time.time,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> NoReturn:
    """Publish at each time of the schedule, or every `every_s` seconds instead, until cancelled.

    An event that cannot be published is logged and not repeated: the next one comes anyway. Times
    that passed meanwhile are left out.
    """
    times = source.schedule if every_s is None else schedule.Every(every_s)
    due = times.next_after(datetime.fromtimestamp(now(), source.zone))
    while True:
        # Not one long sleep: the clock may be set, or run on while the machine sleeps.
        while (wait_s := due.timestamp() - now()) > 0:
            await sleep(min(wait_s, 60.0))
        try:
            await publish(source.event(due))
        except Exception as error:
            _logger.error("ping of %s was not sent: %s", source.name, error)
        due = times.next_after(datetime.fromtimestamp(now(), source.zone))


def _zone(field: Field) -> tzinfo:
    if not field:
        return UTC
    try:
        return ZoneInfo(field.text())
    except (KeyError, ValueError, OSError):
        raise field.invalid(f"no time zone {field.value!r} is known here") from None


def _data(spec: Field) -> bytes | None:
    if spec["data"] and spec["dataBase64"]:
        raise spec["dataBase64"].invalid("excludes data")
    if spec["data"]:
        return spec["data"].text().encode()
    try:
        return base64.b64decode(spec["dataBase64"].text(""), validate=True) or None
    except binascii.Error:
        raise spec["dataBase64"].invalid("is no Base64") from None
