"""What an endpoint gets: the verdict's event as a structured CloudEvent.

The headers follow the Standard Webhooks specification but for the signature, which whoever
delivers adds: it needs the endpoint's secret.
"""

from __future__ import annotations

from dataclasses import dataclass

from eventing import codec
from eventing.cloudevent import timestamp
from eventing.envelope import wrap
from functions.jobs.endpoint import Endpoint
from functions.jobs.verdict import Verdict, event_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One delivery. The id and the body are the same on every retry."""

    headers: dict[str, str]
    body: bytes


def write(verdict: Verdict, *, now_s: float) -> Message:
    """The message that tells of `verdict`; `now_s` is the time of this attempt."""
    event = wrap(event_of(verdict), producer="notifier", time=timestamp(verdict.decided_s))
    encoded = codec.encode(event, mode="structured")
    return Message(
        headers={
            **encoded.headers,
            "webhook-id": event.id,
            "webhook-timestamp": str(int(now_s)),
        },
        body=encoded.body,
    )


def wants(endpoint: Endpoint, verdict: Verdict) -> bool:
    """True if the endpoint is to be told of verdicts of this kind."""
    return not endpoint.events or event_of(verdict).type in endpoint.events
