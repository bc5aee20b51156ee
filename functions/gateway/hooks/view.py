"""Webhook endpoints as the API takes them and tells of them."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import Path
from pydantic import BaseModel, Field

from eventing.cloudevent import timestamp
from functions.gateway.moment import Moment, Timestamp
from functions.gateway.payload import Payload
from functions.webhooks.destination import URL_CHARS
from functions.webhooks.endpoint import Endpoint, Scheme
from functions.webhooks.log import Entry

EndpointId = Annotated[str, Path(pattern="^[0-9a-f]{32}$", description="An endpoint's id.")]
MessageId = Annotated[
    str,
    Field(
        pattern="^[0-9a-f]{32}$",
        description="A message's id; that of what tells how a job ended is the job's.",
    ),
]
EventType = Literal[
    "dev.kinora.job.completed.v1",
    "dev.kinora.job.rejected.v1",
    "dev.kinora.job.failed.v1",
    "dev.kinora.job.cancelled.v1",
]
"""Those of the contract's verdicts; a test says so."""

Url = Annotated[
    str,
    Field(
        min_length=1,
        max_length=URL_CHARS,
        description="Where to. https, and a public address, unless an operator allows others.",
    ),
]
Description = Annotated[str, Field(max_length=200)]
Events = Annotated[
    list[EventType], Field(max_length=4, description="What it is told of; none means everything.")
]
Schemes = Annotated[
    list[Scheme],
    Field(
        min_length=1,
        max_length=2,
        description="`v1`: HMAC-SHA256 with a secret that both sides know; the default. `v1a`: "
        "ed25519, which is verified with a public key.",
    ),
]


def _usual() -> list[Scheme]:
    return ["v1"]


class NewEndpoint(Payload):
    url: Url
    description: Description = ""
    events: Events = Field(default_factory=list)
    schemes: Schemes = Field(default_factory=_usual)


class EndpointChange(Payload):
    """What is not named stays as it is."""

    url: Url | None = None
    description: Description | None = None
    events: Events | None = None
    paused: Annotated[
        bool | None, Field(description="While true, deliveries wait, for at most 30 days.")
    ] = None
    disabled: Annotated[
        Literal[False] | None, Field(description="False enables it again, once it works.")
    ] = None


class Rotation(Payload):
    overlap_s: Annotated[
        int,
        Field(
            ge=0,
            le=7 * 86400,
            description="For how long deliveries carry the old signatures beside the new ones.",
        ),
    ] = 86400
    schemes: Annotated[Schemes | None, Field(description="Default: the same as now.")] = None


class OneAgain(Payload):
    """A message, or how a job ended."""

    message: MessageId


class AllAgain(Payload):
    """How every job ended that has ended since then, of what the endpoint wants to be told."""

    since: Moment
    cursor: Annotated[
        str, Field(max_length=48, description="`next` of the answer before, to go on.")
    ] = ""


class Signature(BaseModel):
    scheme: Scheme
    public_key: Annotated[str | None, Field(description="`whpk_…` of `v1a`; null of `v1`.")]
    created: Timestamp
    expires: Annotated[Timestamp | None, Field(description="Null for those of today.")]


class EndpointView(BaseModel):
    endpoint: Annotated[str, Field(description="Its id.")]
    url: str
    description: str
    events: Annotated[
        list[EventType], Field(description="What it is told of; none means everything.")
    ]
    signatures: Annotated[list[Signature], Field(description="That deliveries carry; no secrets.")]
    created: Timestamp
    paused: Annotated[bool, Field(description="While true, deliveries wait.")]
    disabled: Annotated[
        Literal["gone", "failing"] | None,
        Field(
            description="`gone`: it answered 410. `failing`: nothing was delivered for days. "
            "Null while it is well."
        ),
    ]
    failing_since: Annotated[
        Timestamp | None,
        Field(description="The first failure since something was delivered; null for none."),
    ]


class EndpointMade(EndpointView):
    secret: Annotated[
        str, Field(description="`whsec_…` of v1, shown this once; of v1a the public key.")
    ]


class Endpoints(BaseModel):
    endpoints: list[EndpointView]


class Sent(BaseModel):
    message: Annotated[str, Field(description="The message's id, as in the delivery log.")]


class Replayed(BaseModel):
    messages: Annotated[int, Field(description="How many are on their way.")]
    next: Annotated[
        str | None, Field(description="The `cursor` to go on with; null when that was all.")
    ]


class DeliveryView(BaseModel):
    kind: Annotated[
        Literal["attempt", "disabled"],
        Field(description="`disabled`: nothing is sent any more, and `error` says why."),
    ]
    message: Annotated[str, Field(description="Its id; that of a verdict is the job's.")]
    webhook_id: Annotated[str, Field(description="The same on every attempt.")]
    type: Annotated[str, Field(description="A CloudEvents type, see docs/events.md.")]
    number: Annotated[int, Field(description="Of the attempt, from 1.")]
    at: Timestamp
    ms: Annotated[int, Field(description="How long it took.")]
    status: Annotated[
        int | None, Field(description="Of the answer; null for none, and `error` says why.")
    ]
    error: Annotated[str | None, Field(description="What went wrong; null where nothing did.")]
    response: Annotated[str, Field(description="How the answer's body begins, at most 1 KiB.")]


class Deliveries(BaseModel):
    deliveries: list[DeliveryView]
    next: Annotated[str | None, Field(description="The `cursor` of what follows; null at the end.")]


def view(endpoint: Endpoint, *, now_s: float) -> EndpointView:
    return EndpointView(**_facts(endpoint, now_s))


def made(endpoint: Endpoint, secret: str, *, now_s: float) -> EndpointMade:
    return EndpointMade(**_facts(endpoint, now_s), secret=secret)


def delivery(entry: Entry) -> DeliveryView:
    return DeliveryView(
        kind=entry.kind,
        message=entry.message,
        webhook_id=entry.event,
        type=entry.type,
        number=entry.number,
        at=timestamp(entry.at_s),
        ms=entry.ms,
        status=entry.status or None,
        error=entry.error or None,
        response=entry.response,
    )


def _facts(endpoint: Endpoint, now_s: float) -> dict[str, Any]:
    return {
        "endpoint": endpoint.id,
        "url": endpoint.url,
        "description": endpoint.description,
        "events": list(endpoint.events),
        "signatures": [
            Signature(
                scheme=each.scheme,
                public_key=each.public or None,
                created=timestamp(each.created_s),
                expires=None if each.expires_s is None else timestamp(each.expires_s),
            )
            for each in endpoint.secrets
            if each.counts(now_s)
        ],
        "created": timestamp(endpoint.created_s),
        "paused": endpoint.paused,
        "disabled": endpoint.disabled or None,
        "failing_since": (
            None if endpoint.failing_since_s is None else timestamp(endpoint.failing_since_s)
        ),
    }
