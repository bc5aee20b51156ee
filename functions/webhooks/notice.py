"""What an endpoint is told: a structured CloudEvent, the same bytes whoever writes it.

Structured, because the signature covers the body alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec

from eventing import codec
from eventing.cloudevent import CloudEvent, timestamp
from eventing.contract import digest
from eventing.envelope import wrap
from functions.jobs.verdict import Verdict, event_of
from functions.webhooks.outbox import Delivery, Message

PRODUCER: Final = "notifier"
TRIAL: Final = "dev.kinora.webhook.test.v1"
"""The type of a message that only tries an endpoint out."""
CONTENT_TYPE: Final = codec.STRUCTURED


def of_verdict(verdict: Verdict, endpoints: Sequence[str], *, now_s: float) -> Message:
    """The message that tells these endpoints how a job ended."""
    event = wrap(event_of(verdict), producer=PRODUCER, time=timestamp(verdict.decided_s))
    return _message(verdict.job, verdict.tenant, event, endpoints, now_s=now_s)


def trial(tenant: str, endpoint: str, *, nonce: str, now_s: float) -> Message:
    """A message that only tries an endpoint out; `nonce` tells it from others."""
    id = digest("webhook test", tenant, endpoint, nonce)
    event = CloudEvent(
        id=id,
        source=f"/tenants/{tenant}/webhooks/{endpoint}",
        type=TRIAL,
        subject=endpoint,
        time=timestamp(now_s),
        datacontenttype=codec.JSON,
        extensions={"producer": PRODUCER},
        data=msgspec.json.encode({"tenant": tenant, "endpoint": endpoint}),
    )
    return _message(id, tenant, event, [endpoint], now_s=now_s)


def _message(
    id: str, tenant: str, event: CloudEvent, endpoints: Sequence[str], *, now_s: float
) -> Message:
    return Message(
        id=id,
        tenant=tenant,
        event=event.id,
        type=event.type,
        body=codec.encode(event, mode="structured").body.decode(),
        created_s=now_s,
        deliveries=tuple(Delivery(endpoint=each, due_s=now_s) for each in endpoints),
    )
