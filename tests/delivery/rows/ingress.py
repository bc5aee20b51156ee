"""What a broker takes."""

from __future__ import annotations

from typing import Final

from tests.delivery.case import SUBSCRIBER, Case, Difference, Post, Result, Trigger, an_event, post
from tests.delivery.looks import HEADERS

INGRESS: Final = (
    Case(
        name="modes",
        says="Binary and structured mode carry the same event",
        clause="data plane: Minimum supported protocol",
        triggers=[Trigger()],
        posts=[post("1"), Post(event=an_event("2"), mode="structured")],
        result=Result(seen={SUBSCRIBER: {"1": 1, "2": 1}}, facts=[(b'{"n": 1}', "1.mp4")] * 2),
        look=lambda seen: [(each.event.data, each.event.subject) for each in seen[SUBSCRIBER]],
    ),
    Case(
        name="methods",
        says="Events are posted; OPTIONS is answered, every other method is 405",
        clause="data plane: HTTP Verbs",
        posts=[Post(method=method) for method in ("OPTIONS", "GET", "PUT", "PATCH", "DELETE")],
        result=Result(statuses=(200, 405, 405, 405, 405)),
    ),
    Case(
        name="paths",
        says="The path names a namespace and a broker",
        clause="default broker's ingress",
        posts=[
            Post(path=path, event=an_event())
            for path in ("/", "{broker}-not", "{namespace}", "{broker}/more", "{broker}/")
        ],
        result=Result(statuses=(404, 404, 400, 400, 202)),
    ),
    Case(
        name="malformed",
        says="What is no event is 400",
        clause="data plane: Event Acknowledgement and Delivery Retry",
        posts=[
            Post(),
            Post(headers={"content-type": "application/json"}, body=b"{}"),
            Post(headers={name: HEADERS[name] for name in HEADERS if name != "ce-id"}),
            Post(headers={"content-type": "application/cloudevents+json"}, body=b"{"),
        ],
        result=Result(statuses=(400, 400, 400, 400)),
    ),
    Case(
        name="source",
        says="A source that is no URI reference makes it no event",
        clause="CloudEvents: source",
        posts=[Post(headers={**HEADERS, "ce-source": "not a uri"})],
        result=Result(statuses=(400,)),
        differs=Difference(
            result=Result(),
            right="embedded",
            why="Whatever Go reads as an address is taken.",
        ),
    ),
    Case(
        name="version",
        says="Only version 1.0 of CloudEvents is taken",
        clause="data plane: Minimum supported protocol",
        posts=[Post(headers={**HEADERS, "ce-specversion": "0.3"})],
        result=Result(statuses=(400,)),
        differs=Difference(
            result=Result(),
            right="both",
            why="Version 0.3 is taken as well, and handed on as it is.",
        ),
    ),
    Case(
        name="batch",
        says="A batch is refused, as a media type that is not supported",
        clause="CloudEvents HTTP binding: Batched Content Mode",
        posts=[Post(headers={"content-type": "application/cloudevents-batch+json"}, body=b"[]")],
        result=Result(statuses=(415,)),
        differs=Difference(
            result=Result(statuses=(400,)),
            right="both",
            why="400 instead of 415; nobody redelivers either.",
        ),
    ),
    Case(
        name="size",
        says="More than 64 KiB is 413",
        clause="CloudEvents: Size Limits",
        posts=[
            Post(headers=HEADERS, body=b"x" * 64 * 1024),
            Post(headers=HEADERS, body=b"x" * (64 * 1024 + 1)),
        ],
        result=Result(statuses=(202, 413)),
        differs=Difference(
            result=Result(),
            right="both",
            why="There is no limit; 64 KiB is what must be forwarded, not what may.",
        ),
    ),
)
