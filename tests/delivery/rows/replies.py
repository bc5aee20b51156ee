"""What becomes of answers that carry an event."""

from __future__ import annotations

from typing import Final

from tests.delivery.case import (
    BROKERS_DEAD,
    SUBSCRIBER,
    Case,
    Difference,
    Result,
    Said,
    Trigger,
    an_event,
    post,
)
from tests.delivery.looks import HEADERS, RETRIES, once

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
