"""What an answer means: delivered, delivered with an event in reply, or failed. Pure.

Knative's broker filter: 2xx is success; a body that is no CloudEvent makes it a failure (502);
an event in a 200 is a reply; an event in any other 2xx is not to be routed (data plane contract).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from eventing.cloudevent import CloudEvent
from eventing.codec import Malformed, decode
from knative.local.broker.subscriber import REPLY_LIMIT_BYTES, Reply

BAD_GATEWAY: Final = 502


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How one attempt ended."""

    code: int | None
    """The status, 502 for an answer that means nothing, None when nobody answered."""
    error: str = ""
    """Why it failed, in a sentence; empty when it did not."""
    body: bytes = b""
    """Of a failed answer."""
    reply: CloudEvent | None = None

    @property
    def delivered(self) -> bool:
        return not self.error


def read(answer: Reply) -> Outcome:
    """The meaning of a subscriber's answer."""
    if not 200 <= answer.status < 300:
        return Outcome(code=answer.status, error=f"answered {answer.status}", body=answer.body)
    kind = answer.headers.get("content-type", "").lower()
    if "ce-specversion" in answer.headers or kind.startswith("application/cloudevents"):
        if len(answer.body) > REPLY_LIMIT_BYTES:
            return _bad(answer, "the event in the answer is larger than 64 KiB")
        try:
            event = decode(answer.headers, answer.body)
        except Malformed as error:
            return _bad(answer, f"the event in the answer is malformed: {error.reason}")
        return Outcome(code=answer.status, reply=event if answer.status == 200 else None)
    if answer.body:
        return _bad(answer, "the answer has a body that is no CloudEvent")
    return Outcome(code=answer.status)


def read_dead_letter(answer: Reply) -> Outcome:
    """The meaning of a dead-letter sink's answer: its body says nothing to anybody."""
    if not 200 <= answer.status < 300:
        return Outcome(code=answer.status, error=f"answered {answer.status}", body=answer.body)
    return Outcome(code=answer.status)


def _bad(answer: Reply, error: str) -> Outcome:
    return Outcome(code=BAD_GATEWAY, error=error, body=answer.body)
