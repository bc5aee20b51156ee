"""Whom a broker tells, and what."""

from __future__ import annotations

from typing import Final

from eventing.cloudevent import CloudEvent
from tests.delivery.case import SUBSCRIBER, Case, Difference, Post, Result, Trigger, an_event, post
from tests.delivery.looks import MALFORMED, ODD, extensions, facts, kept, once

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
