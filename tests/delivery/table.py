"""The rows. Clauses are those of Knative's eventing specification (data plane, control plane), of
the CloudEvents HTTP binding, and of what the default broker does where all are silent."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from itertools import pairwise
from typing import Any, Final

from eventing.cloudevent import CloudEvent
from tests.delivery.case import (
    BROKERS_DEAD,
    DEAD,
    NOWHERE,
    SUBSCRIBER,
    Case,
    Difference,
    Post,
    Record,
    Result,
    Said,
    Trigger,
    an_event,
    post,
)

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

ROUTING: Final = (
    Case(
        name="every",
        says="Each matching trigger makes one delivery, even to the same subscriber",
        clause="control plane: Content Based Routing",
        triggers=[
            Trigger(name="one", attributes={"type": "a"}),
            Trigger(name="two"),
            Trigger(name="three", subscriber="other", attributes={"type": "a"}),
            Trigger(name="four", subscriber="other", attributes={"type": "b"}),
        ],
        posts=[post()],
        result=Result(seen={SUBSCRIBER: {"1": 2}, "other": {"1": 1}}),
    ),
    Case(
        name="nobody",
        says="An event that nobody wants is taken",
        clause="control plane: Content Based Routing",
        triggers=[Trigger(attributes={"type": "other"})],
        posts=[post()],
        result=Result(),
    ),
    Case(
        name="at-once",
        says="Whoever publishes waits for no subscriber",
        clause="data plane: Event Acknowledgement and Delivery Retry",
        triggers=[Trigger()],
        posts=[post()],
        answers={SUBSCRIBER: {"1": ["silence"]}},
        result=once("1"),
    ),
    Case(
        name="attribute",
        says="An attribute with an empty value matches whatever is there, and nothing else",
        clause="control plane: TriggerFilter",
        triggers=[
            Trigger(name="any", attributes={"partitionkey": ""}),
            Trigger(name="exact", subscriber="other", attributes={"partitionkey": "j"}),
        ],
        posts=[post("with", partitionkey="j"), post("without"), post("else", partitionkey="k")],
        result=Result(seen={SUBSCRIBER: {"with": 1, "else": 1}, "other": {"with": 1}}),
    ),
    Case(
        name="filters",
        says="Filters of exact, prefix, suffix, all, any and not go together by AND",
        clause="control plane: Trigger filters",
        triggers=[
            Trigger(name="prefix", subscriber="prefix", filters=[{"prefix": {"type": "a."}}]),
            Trigger(name="suffix", subscriber="suffix", filters=[{"suffix": {"type": ".v1"}}]),
            Trigger(
                name="any",
                subscriber="any",
                filters=[{"any": [{"exact": {"type": "a.x"}}, {"exact": {"type": "b.v1"}}]}],
            ),
            Trigger(
                name="both",
                subscriber="both",
                filters=[
                    {"all": [{"prefix": {"type": "a."}}, {"suffix": {"type": ".v1"}}]},
                    {"not": {"exact": {"id": "4"}}},
                ],
            ),
        ],
        posts=[post("1", "a.v1"), post("2", "a.x"), post("3", "b.v1"), post("4", "a.b.v1")],
        result=Result(
            seen={
                "prefix": {"1": 1, "2": 1, "4": 1},
                "suffix": {"1": 1, "3": 1, "4": 1},
                "any": {"2": 1, "3": 1},
                "both": {"1": 1},
            }
        ),
    ),
    Case(
        name="unmodified",
        says="Data and attributes arrive unmodified",
        clause="control plane: Content Based Routing",
        triggers=[Trigger()],
        posts=[Post(event=ODD)],
        result=Result(
            seen={SUBSCRIBER: {ODD.id: 1}},
            facts=(*facts(ODD), ODD.extensions),
        ),
        look=kept,
    ),
    Case(
        name="structured",
        says="Of structured mode too, whatever characters the attributes have",
        clause="CloudEvents HTTP binding 3.1.3.2: HTTP Header Values",
        triggers=[Trigger()],
        posts=[Post(event=ODD, mode="structured")],
        result=Result(seen={SUBSCRIBER: {ODD.id: 1}}, facts=(*facts(ODD), ODD.extensions)),
        look=kept,
        differs=Difference(
            result=Result(seen={SUBSCRIBER: {ODD.id: 1}}, facts=MALFORMED),
            right="embedded",
            why="Values become headers as they are, with percent signs and characters outside "
            "ASCII: the subscriber gets no event. Publish in binary mode.",
        ),
    ),
    Case(
        name="invented",
        says="Of attributes only the time of arrival is added, and data has no type that none gave",
        clause="control plane: Content Based Routing",
        triggers=[Trigger()],
        posts=[Post(event=CloudEvent(id="1", source="/s", type="a", data=b"raw"))],
        result=Result(
            seen={SUBSCRIBER: {"1": 1}}, facts=(["knativearrivaltime"], None, None, b"raw")
        ),
        look=lambda seen: (
            extensions(seen),
            seen[SUBSCRIBER][0].event.datacontenttype,
            seen[SUBSCRIBER][0].event.time,
            seen[SUBSCRIBER][0].event.data,
        ),
    ),
    Case(
        name="arrival",
        says="The time of arrival is overwritten",
        clause="default broker's ingress",
        triggers=[Trigger()],
        posts=[post(knativearrivaltime="1999-01-01T00:00:00Z")],
        result=Result(seen={SUBSCRIBER: {"1": 1}}, facts=False),
        look=lambda seen: (
            seen[SUBSCRIBER][0].event.extensions["knativearrivaltime"].startswith("1999")
        ),
    ),
    Case(
        name="format",
        says="A subscriber gets binary mode unless the delivery's format is json",
        clause="control plane: DeliverySpec",
        triggers=[
            Trigger(name="plain"),
            Trigger(name="json", subscriber="json", delivery={"retry": 0, "format": "json"}),
        ],
        posts=[post()],
        result=Result(
            seen={SUBSCRIBER: {"1": 1}, "json": {"1": 1}},
            facts=("application/json", "application/cloudevents+json"),
        ),
        look=lambda seen: tuple(
            seen[name][0].headers["content-type"].partition(";")[0] for name in (SUBSCRIBER, "json")
        ),
    ),
    Case(
        name="headers",
        says="Of the sender's headers none is passed on; the request prefers a reply and names the "
        "namespace",
        clause="data plane: Derived (Reply) Events",
        triggers=[Trigger()],
        posts=[
            Post(
                event=an_event(),
                headers={
                    "authorization": "Bearer secret",
                    "x-request-id": "r",
                    "knative-odd": "k",
                    "x-custom": "c",
                },
            )
        ],
        result=Result(seen={SUBSCRIBER: {"1": 1}}, facts=["kn-namespace", "prefer"]),
        look=lambda seen: sorted(
            {"authorization", "x-request-id", "knative-odd", "x-custom", "prefer", "kn-namespace"}
            & set(seen[SUBSCRIBER][0].headers)
        ),
        differs=Difference(
            result=Result(
                seen={SUBSCRIBER: {"1": 1}},
                facts=["kn-namespace", "knative-odd", "prefer", "x-request-id"],
            ),
            right="both",
            why="x-request-id, retry-after, knative-* and x-b3-* are passed on.",
        ),
    ),
)

REPLIES: Final = (
    Case(
        name="reply",
        says="An event in a 200 enters the broker and meets every trigger",
        clause="data plane: Derived (Reply) Events",
        triggers=[Trigger(), Trigger(name="b", subscriber="b", attributes={"type": "b"})],
        posts=[post("1"), post("2")],
        answers={
            SUBSCRIBER: {
                "1": [Said(200, event=an_event("3", "b"))],
                "2": [Said(200, event=an_event("4", "b"), mode="structured")],
            }
        },
        result=Result(seen={SUBSCRIBER: {"1": 1, "2": 1, "3": 1, "4": 1}, "b": {"3": 1, "4": 1}}),
    ),
    Case(
        name="empty",
        says="An empty 2xx is done",
        clause="data plane: Event Acknowledgement and Delivery Retry",
        triggers=[Trigger(delivery=RETRIES)],
        posts=[post(str(code)) for code in (200, 201, 202, 204)],
        answers={SUBSCRIBER: {str(code): [code] for code in (200, 201, 202, 204)}},
        result=once("200", "201", "202", "204"),
    ),
    Case(
        name="accepted",
        says="An event in a 202 is not routed",
        clause="data plane: Derived (Reply) Events, MUST NOT",
        triggers=[Trigger()],
        posts=[post()],
        answers={SUBSCRIBER: {"1": [Said(202, event=an_event("2", "b"))]}},
        result=once("1"),
        differs=Difference(
            result=once("1", "2"),
            right="embedded",
            why="Whatever the status, an event in the answer is routed.",
        ),
    ),
    Case(
        name="created",
        says="An event in a 201 is not routed",
        clause="data plane: Event Acknowledgement and Delivery Retry, reserved",
        triggers=[Trigger()],
        posts=[post()],
        answers={SUBSCRIBER: {"1": [Said(201, event=an_event("2", "b"))]}},
        result=once("1"),
        differs=Difference(
            result=once("1", "2"),
            right="embedded",
            why="Whatever the status, an event in the answer is routed.",
        ),
    ),
    Case(
        name="noise",
        says="A body that is no event makes a 2xx a failure, which is retried",
        clause="default broker's filter",
        triggers=[Trigger(delivery=RETRIES)],
        posts=[post(id) for id in ("text", "text-202", "json", "batch", "broken")],
        answers={
            SUBSCRIBER: {
                "text": [Said(200, b"OK"), 204],
                "text-202": [Said(202, b"OK"), 204],
                "json": [Said(200, b"{}", {"content-type": "application/json"}), 204],
                "batch": [
                    Said(200, b"[]", {"content-type": "application/cloudevents-batch+json"}),
                    204,
                ],
                "broken": [Said(200, b"{}", {"content-type": "application/cloudevents+json"}), 204],
            }
        },
        result=Result(
            seen={SUBSCRIBER: {"text": 2, "text-202": 2, "json": 2, "batch": 2, "broken": 2}}
        ),
    ),
    Case(
        name="headless",
        says="A 200 with an empty body and a header of an event fails too",
        clause="default broker's filter",
        triggers=[Trigger(delivery=RETRIES)],
        posts=[post()],
        answers={SUBSCRIBER: {"1": [Said(200, b"", {"ce-specversion": "1.0"}), 204]}},
        result=Result(seen={SUBSCRIBER: {"1": 2}}),
        differs=Difference(
            result=Result(seen={SUBSCRIBER: {"1": 1}, BROKERS_DEAD: {"1": 1}}),
            right="both",
            why="The ingress refuses the reply with 400, which is final: a dead letter at once.",
        ),
    ),
    Case(
        name="heavy",
        says="An event of more than 64 KiB in an answer fails",
        clause="CloudEvents: Size Limits",
        triggers=[Trigger(delivery=RETRIES)],
        posts=[post()],
        answers={
            SUBSCRIBER: {
                "1": [Said(200, b"x" * 100_000, {**HEADERS, "ce-id": "2", "ce-case": "heavy"}), 204]
            }
        },
        result=Result(seen={SUBSCRIBER: {"1": 2}}),
        differs=Difference(
            result=once("1", "2"),
            right="both",
            why="There is no limit, as at the ingress.",
        ),
    ),
    Case(
        name="loop",
        says="Replies to replies end when the passes that the event had left are used up; what is "
        "refused then is a failure of what it answered",
        clause="default broker: knativebrokerttl",
        triggers=[Trigger()],
        posts=[post("1", knativebrokerttl="4")],
        answers={
            SUBSCRIBER: {
                str(number): [Said(200, event=an_event(str(number + 1)))] for number in range(1, 9)
            }
        },
        result=Result(seen={SUBSCRIBER: {"1": 1, "2": 1, "3": 1}, BROKERS_DEAD: {"3": 1}}),
    ),
    Case(
        name="spent",
        says="An event without a pass left is refused",
        clause="default broker: knativebrokerttl",
        triggers=[Trigger()],
        posts=[post("1", knativebrokerttl="1"), post("2", knativebrokerttl="2")],
        result=Result(seen={SUBSCRIBER: {"2": 1}}, statuses=(400, 202)),
    ),
)

RETRYING: Final = (
    Case(
        name="retried",
        says="404, 408, 409, 429 and 5xx are retried",
        clause="data plane: Event Acknowledgement and Delivery Retry",
        triggers=[Trigger(delivery=RETRIES)],
        posts=[post(str(code)) for code in RETRIED],
        answers={SUBSCRIBER: {str(code): [code, 204] for code in RETRIED}},
        result=Result(seen={SUBSCRIBER: {str(code): 2 for code in RETRIED}}),
    ),
    Case(
        name="final",
        says="Other 4xx are final",
        clause="data plane: Event Acknowledgement and Delivery Retry",
        triggers=[Trigger(delivery={**RETRIES, "deadLetterSink": DEAD})],
        posts=[post(str(code)) for code in FINAL],
        answers={SUBSCRIBER: {str(code): [code, 204] for code in FINAL}},
        result=Result(seen={name: {str(code): 1 for code in FINAL} for name in (SUBSCRIBER, DEAD)}),
    ),
    Case(
        name="redirect",
        says="3xx is a failure that is not retried, and nothing is followed",
        clause="data plane: Event Acknowledgement and Delivery Retry, reserved",
        triggers=[Trigger(delivery={**RETRIES, "deadLetterSink": DEAD})],
        posts=[post(str(code)) for code in (301, 302, 307)],
        answers={
            SUBSCRIBER: {
                str(code): [Said(code, headers={"Location": "/redirect/elsewhere"}), 204]
                for code in (301, 302, 307)
            }
        },
        result=Result(seen={name: {"301": 1, "302": 1, "307": 1} for name in (SUBSCRIBER, DEAD)}),
        differs=Difference(
            result=Result(
                seen={name: {"301": 1, "302": 1, "307": 1} for name in (SUBSCRIBER, "elsewhere")}
            ),
            right="embedded",
            why="Redirects are followed.",
        ),
    ),
    Case(
        name="cut",
        says="A cut connection is retried",
        clause="data plane: Event Acknowledgement and Delivery Retry",
        triggers=[Trigger(delivery=RETRIES)],
        posts=[post()],
        answers={SUBSCRIBER: {"1": ["cut", 204]}},
        result=Result(seen={SUBSCRIBER: {"1": 2}}),
    ),
    Case(
        name="timeout",
        says="An attempt ends at its timeout and is retried",
        clause="control plane: DeliverySpec",
        triggers=[Trigger(delivery={**RETRIES, "timeout": "PT0.5S"})],
        posts=[post()],
        answers={SUBSCRIBER: {"1": ["silence", 204]}},
        result=Result(seen={SUBSCRIBER: {"1": 2}}),
    ),
    *(
        Case(
            name=f"attempts-{retry}",
            says=f"With {retry} retries there are {retry + 1} attempts",
            clause="control plane: DeliverySpec",
            triggers=[Trigger(delivery={"retry": retry, "deadLetterSink": DEAD})],
            posts=[post()],
            answers={SUBSCRIBER: {"1": [503]}},
            result=Result(seen={SUBSCRIBER: {"1": retry + 1}, DEAD: {"1": 1}}),
        )
        for retry in (0, 1, 3)
    ),
    Case(
        name="exponential",
        says="Exponential backoff waits the delay, then twice, then four times as long",
        clause="control plane: DeliverySpec",
        triggers=[Trigger(delivery={**RETRIES, "retry": 3, "deadLetterSink": DEAD})],
        posts=[post()],
        answers={SUBSCRIBER: {"1": [503]}},
        result=Result(seen={SUBSCRIBER: {"1": 4}, DEAD: {"1": 1}}, facts=[True] * 3),
        look=gaps([0.2, 0.4, 0.8]),
    ),
    Case(
        name="linear",
        says="Linear backoff waits not at all, then the delay, then twice as long",
        clause="default broker: DeliverySpec",
        triggers=[
            Trigger(
                delivery={
                    "retry": 3,
                    "backoffPolicy": "linear",
                    "backoffDelay": "PT0.3S",
                    "deadLetterSink": DEAD,
                }
            )
        ],
        posts=[post()],
        answers={SUBSCRIBER: {"1": [503]}},
        result=Result(seen={SUBSCRIBER: {"1": 4}, DEAD: {"1": 1}}, facts=[False, True, True]),
        look=gaps([0.3, 0.3, 0.6]),
    ),
    Case(
        name="inherited",
        says="A trigger without a delivery has its broker's",
        clause="control plane: Trigger",
        triggers=[Trigger(delivery=None)],
        posts=[post()],
        answers={SUBSCRIBER: {"1": [503]}},
        result=Result(seen={SUBSCRIBER: {"1": 3}, BROKERS_DEAD: {"1": 1}}),
    ),
    Case(
        name="replaced",
        says="A trigger's delivery replaces its broker's as a whole, but for the dead-letter sink",
        clause="default broker: Trigger",
        triggers=[
            Trigger(delivery={"timeout": "PT5S"}, attributes={"type": "a"}),
            Trigger(
                name="own", delivery={"retry": 1, "deadLetterSink": DEAD}, attributes={"type": "b"}
            ),
        ],
        posts=[post("1", "a"), post("2", "b")],
        answers={SUBSCRIBER: {"*": [503]}},
        result=Result(seen={SUBSCRIBER: {"1": 1, "2": 2}, BROKERS_DEAD: {"1": 1}, DEAD: {"2": 1}}),
    ),
)

DEAD_LETTERS: Final = (
    Case(
        name="letter",
        says="A dead letter says where it could not go, with which code and words",
        clause="control plane: DeliverySpec",
        triggers=[Trigger(delivery={**RETRIES, "deadLetterSink": DEAD})],
        posts=[post(partitionkey="j")],
        answers={SUBSCRIBER: {"1": [Said(503, b"no room")]}},
        result=Result(
            seen={SUBSCRIBER: {"1": 3}, DEAD: {"1": 1}},
            facts={"dest": SUBSCRIBER, "code": "503", "data": "no room"},
        ),
        look=letter,
    ),
    Case(
        name="wordless",
        says="A dead letter of an answer without a body has no words",
        clause="control plane: DeliverySpec",
        triggers=[Trigger(delivery={"retry": 0, "deadLetterSink": DEAD})],
        posts=[post()],
        answers={SUBSCRIBER: {"1": [422]}},
        result=Result(
            seen={SUBSCRIBER: {"1": 1}, DEAD: {"1": 1}},
            facts={"dest": SUBSCRIBER, "code": "422"},
        ),
        look=letter,
        differs=Difference(
            result=Result(
                seen={SUBSCRIBER: {"1": 1}, DEAD: {"1": 1}},
                facts={"dest": SUBSCRIBER, "code": "422", "data": ""},
            ),
            right="both",
            why="The attribute is there, and empty.",
        ),
    ),
    Case(
        name="unanswered",
        says="Where nobody answers the code is 500 and the words say so",
        clause="control plane: DeliverySpec",
        triggers=[Trigger(subscriber=NOWHERE, delivery={"retry": 0, "deadLetterSink": DEAD})],
        posts=[post()],
        result=Result(seen={DEAD: {"1": 1}}, facts={"code": "500", "data": "dispatch error"}),
        look=lambda seen: {k: v for k, v in letter(seen).items() if k != "dest"},
    ),
    Case(
        name="unwanted",
        says="A dead letter of an answer that means nothing has the code 502",
        clause="default broker's filter",
        triggers=[Trigger(delivery={"retry": 0, "deadLetterSink": DEAD})],
        posts=[post()],
        answers={SUBSCRIBER: {"1": [Said(200, b"OK")]}},
        result=Result(
            seen={SUBSCRIBER: {"1": 1}, DEAD: {"1": 1}},
            facts={"dest": SUBSCRIBER, "code": "502", "data": "OK"},
        ),
        look=letter,
        differs=Difference(
            result=Result(seen={SUBSCRIBER: {"1": 1}, DEAD: {"1": 1}}, facts={}),
            right="embedded",
            why="The dead letter says nothing of its death.",
        ),
    ),
    Case(
        name="words",
        says="The words hold 768 bytes of an answer, which are 1024 characters of base64",
        clause="default broker: knativeerrordata",
        triggers=[Trigger(delivery={"retry": 0, "deadLetterSink": DEAD})],
        posts=[post()],
        answers={SUBSCRIBER: {"1": [Said(500, b"ab" * 384)]}},
        result=Result(seen={SUBSCRIBER: {"1": 1}, DEAD: {"1": 1}}, facts=1024),
        look=lambda seen: len(seen[DEAD][0].event.extensions["knativeerrordata"]),
    ),
    Case(
        name="long-words",
        says="Longer words are cut",
        clause="default broker: knativeerrordata",
        triggers=[Trigger(delivery={"retry": 0, "deadLetterSink": DEAD})],
        posts=[post()],
        answers={SUBSCRIBER: {"1": [Said(500, b"ab" * 2_000)]}},
        result=Result(seen={SUBSCRIBER: {"1": 1}, DEAD: {"1": 1}}, facts=1024),
        look=lambda seen: len(seen[DEAD][0].event.extensions["knativeerrordata"]),
        differs=Difference(
            result=None,
            right="embedded",
            why="The channel's dispatcher of 1.22 writes all of it into 1024 bytes: a panic that "
            "ends it, and every event that it has is lost. Functions answer with 768 bytes at "
            "most. Seen once, and not played again.",
        ),
    ),
    Case(
        name="letter-retried",
        says="A dead letter is retried like what it was, and its answer means nothing",
        clause="control plane: DeliverySpec",
        triggers=[Trigger(delivery={**RETRIES, "deadLetterSink": DEAD})],
        posts=[post()],
        answers={SUBSCRIBER: {"1": [422]}, DEAD: {"1": [503, Said(200, b"thanks"), 204]}},
        result=Result(seen={SUBSCRIBER: {"1": 1}, DEAD: {"1": 2}}),
    ),
    Case(
        name="letter-lost",
        says="A dead letter that nobody takes is dropped",
        clause="control plane: DeliverySpec",
        triggers=[Trigger(delivery={**RETRIES, "deadLetterSink": DEAD})],
        posts=[post()],
        answers={SUBSCRIBER: {"1": [422]}, DEAD: {"1": [503]}},
        result=Result(seen={SUBSCRIBER: {"1": 1}, DEAD: {"1": 3}}),
    ),
)

GROUPS: Final = {
    "What a broker takes": INGRESS,
    "Whom it tells, and what": ROUTING,
    "Replies": REPLIES,
    "Retries": RETRYING,
    "Dead letters": DEAD_LETTERS,
}
TABLE: Final = tuple(case for group in GROUPS.values() for case in group)
