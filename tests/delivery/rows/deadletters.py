"""What becomes of what cannot be delivered."""

from __future__ import annotations

from typing import Final

from tests.delivery.case import (
    DEAD,
    NOWHERE,
    SUBSCRIBER,
    Case,
    Difference,
    Result,
    Said,
    Trigger,
    post,
)
from tests.delivery.looks import RETRIES, letter

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
