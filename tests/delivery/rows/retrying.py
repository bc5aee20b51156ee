"""When a delivery is tried again."""

from __future__ import annotations

from typing import Final

from tests.delivery.case import (
    BROKERS_DEAD,
    DEAD,
    SUBSCRIBER,
    Case,
    Difference,
    Result,
    Said,
    Trigger,
    post,
)
from tests.delivery.looks import FINAL, RETRIED, RETRIES, gaps

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
