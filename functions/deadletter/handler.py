"""Nothing undeliverable is a verdict: an event that no retry could deliver is parked.

The sweeper delivers it again until its job has ended.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass

from eventing.cloudevent import CloudEvent
from eventing.contract import TICK, Event
from functions.jobs import parking
from functions.ports import ObjectStore

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetter:
    """Handles every event."""

    store: ObjectStore

    def undeliverable(self, event: CloudEvent) -> Iterator[Event]:
        facts = {
            "type": event.type,
            "code": event.extensions.get("knativeerrorcode", ""),
            "destination": event.extensions.get("knativeerrordest", ""),
        }
        if event.type == TICK:
            # The next one comes anyway and does the same.
            _log.warning("a tick was not delivered", extra={"facts": facts})
            return
        _log.warning("parked", extra={"facts": facts})
        # Replaced rather than written once: the latest failure is what a person wants to see.
        self.store.put(
            parking.key_of(event), parking.dump(event), content_type="application/cloudevents+json"
        )
        yield from ()
