"""Handing one event to an address, as the broker's other clients do."""

from __future__ import annotations

import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from eventing.cloudevent import CloudEvent
    from eventing.contract import Event

_PATIENCE_S: Final = 5.0
PRODUCER: Final = "cli"


@dataclass(frozen=True, slots=True)
class Reply:
    """How an address answered. `status` 0: not at all, and `body` says why."""

    status: int
    body: str


def post(url: str, payload: Event) -> bool:
    """True if the broker at `url` took the event; the sweeper makes up for False."""
    from eventing.cloudevent import timestamp
    from eventing.envelope import wrap

    event = wrap(payload, producer=PRODUCER, time=timestamp(time.time()))
    return 200 <= deliver(url, event, timeout_s=_PATIENCE_S).status < 300


def deliver(url: str, event: CloudEvent, *, timeout_s: float) -> Reply:
    """Post the event in binary mode and tell the answer, whatever it is."""
    from eventing.codec import encode

    message = encode(event)
    request = urllib.request.Request(
        url, data=message.body, headers=dict(message.headers), method="POST"
    )
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=timeout_s) as response:
            return Reply(response.status, response.read().decode(errors="replace"))
    except urllib.error.HTTPError as error:
        with error:
            return Reply(error.code, error.read().decode(errors="replace"))
    except (OSError, ValueError) as error:
        return Reply(0, str(getattr(error, "reason", error)))
