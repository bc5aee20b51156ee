"""What becomes of a delivery by the answer to an attempt. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from functions.ports import Answer
from functions.webhooks import retry
from functions.webhooks.outbox import Delivery, Message
from functions.webhooks.retry import Schedule

GONE: Final = 410


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """A delivery before and after."""

    before: Delivery
    after: Delivery


def of_answer(
    message: Message, delivery: Delivery, answer: Answer, *, schedule: Schedule, now_s: float
) -> Outcome:
    """After an attempt."""
    attempts = delivery.attempts + 1
    after = replace(delivery, attempts=attempts, status=answer.status, error=answer.error)
    if 200 <= answer.status < 300:
        after = replace(after, state="delivered")
    elif answer.status == GONE:
        after = replace(after, state="dropped")
    else:
        delay_s = schedule.delay_s(
            attempts,
            key=f"{message.id}/{delivery.endpoint}",
            asked_s=retry.asked_s(answer.retry_after, now_s=now_s),
        )
        if delay_s is None:
            after = replace(after, state="given up")
        else:
            after = replace(after, due_s=now_s + delay_s)
    return Outcome(before=delivery, after=after)


def postponed(delivery: Delivery, *, until_s: float) -> Outcome:
    """Nothing was tried, and no attempt is counted."""
    return Outcome(before=delivery, after=replace(delivery, due_s=until_s))


def dropped(delivery: Delivery, *, why: str) -> Outcome:
    return Outcome(before=delivery, after=replace(delivery, state="dropped", error=why))


def applied(message: Message, outcomes: Sequence[Outcome]) -> Message:
    """The message with these outcomes. One whose delivery has moved on meanwhile (somebody else
    was faster, or this was applied already) changes nothing."""
    for outcome in outcomes:
        if _same(message.delivery(outcome.before.endpoint), outcome.before):
            message = message.with_delivery(outcome.after)
    return message


def _same(there: Delivery | None, before: Delivery) -> bool:
    # A replay meanwhile asked for what was just done: its new time is of no matter.
    return there is not None and there.state == before.state and there.attempts == before.attempts
