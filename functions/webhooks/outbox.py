"""Messages to a tenant's endpoints, `work/tenants/<tenant>/outbox/<message>`.

The truth about every delivery: an object that is replaced by compare-and-swap. Beside it an empty
object under `layout.due` says when to look again. That one is written before the state that needs
it and removed after that state is no more, so that a message never lacks it; one too many is
found when its time comes, and goes.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Final, Literal

from eventing.contract import WebhookDue
from eventing.errors import Unavailable
from functions.jobs import layout, record, swap
from functions.ports import ObjectStore

State = Literal["waiting", "delivered", "given up", "dropped"]
"""`given up`: every attempt failed. `dropped`: its endpoint is gone or disabled."""

KEEP_S: Final = 30 * 86400.0
"""How long a message is kept, for replays by its id; then it goes, through the same index."""
_TRIES: Final = 8
_REVISIONS: Final = 10
_STEP_MS: Final = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """Of one message to one endpoint."""

    endpoint: str
    state: State = "waiting"
    attempts: int = 0
    due_s: float = 0.0
    """When the next attempt is due."""
    status: int = 0
    """Of the last attempt; 0 for none, or no answer."""
    error: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A structured CloudEvent, as its endpoints get it, the same bytes on every attempt."""

    id: str
    """The job whose verdict it tells, or its own."""
    tenant: str
    event: str
    """`webhook-id`: the event's id."""
    type: str
    body: str
    created_s: float
    deliveries: tuple[Delivery, ...]
    revision: int = 0
    """How often it was replaced."""

    @property
    def waiting(self) -> tuple[Delivery, ...]:
        return tuple(each for each in self.deliveries if each.state == "waiting")

    def delivery(self, endpoint: str) -> Delivery | None:
        return next((each for each in self.deliveries if each.endpoint == endpoint), None)

    @property
    def due_ms(self) -> int:
        """When to look at it again: for the next attempt, or to remove it.

        Not before that time, and less than 20 ms after. The last digit is the revision's, so that
        two states of a message that follow each other never share an entry of the index.
        """
        at_s = min((each.due_s for each in self.waiting), default=self.created_s + KEEP_S)
        return math.ceil(at_s * 1000 / _STEP_MS) * _STEP_MS + self.revision % _REVISIONS

    @property
    def reminder(self) -> WebhookDue:
        """The event that says that its time has come."""
        return WebhookDue(tenant=self.tenant, message=self.id, due_ms=self.due_ms)

    def with_delivery(self, delivery: Delivery) -> Message:
        """The message with this delivery in place of the one to the same endpoint, or added."""
        others = tuple(
            delivery if each.endpoint == delivery.endpoint else each for each in self.deliveries
        )
        if delivery not in others:
            others = (*others, delivery)
        return replace(self, deliveries=others)

    def replayed(self, endpoint: str, now_s: float) -> Message:
        """The message to be delivered to this endpoint once more, with all its attempts."""
        return self.with_delivery(Delivery(endpoint=endpoint, due_s=now_s))

    def hurried(self, endpoint: str, now_s: float) -> Message:
        """The message with its next attempt at this endpoint due now, if it waits for a later one.
        None that was made is forgotten."""
        delivery = self.delivery(endpoint)
        if delivery is None or delivery.state != "waiting" or delivery.due_s <= now_s:
            return self
        return self.with_delivery(replace(delivery, due_s=now_s))


@dataclass(frozen=True, slots=True, kw_only=True)
class Outbox:
    """The messages of every tenant."""

    store: ObjectStore

    def read(self, tenant: str, message: str) -> Message | None:
        return record.read(self.store, layout.outbox(tenant, message), Message)

    def create(self, message: Message) -> Message:
        """Write it once, and return the one that counts: this, or what somebody wrote before."""
        self.remind(message)
        there = record.settle(self.store, _key(message), message)
        if there.due_ms != message.due_ms:
            self.forget_reminder(message.reminder)
        return there

    def change(
        self, tenant: str, message: str, changed: Callable[[Message], Message]
    ) -> Message | None:
        """Replace the message by what `changed` makes of it, and return that; None where there is
        none. `changed` may be called again with its own result: it must be harmless then."""
        for _ in range(_TRIES):
            found = swap.read(self.store, layout.outbox(tenant, message), Message)
            if found is None:
                return None
            new = changed(found.record)
            if new == found.record:
                return new
            new = replace(new, revision=found.record.revision + 1)
            self.remind(new)
            if swap.replace(self.store, _key(new), found, new):
                self.forget_reminder(found.record.reminder)
                return new
        raise Unavailable(f"message {message} changes faster than it can be replaced")

    def remove(self, message: Message) -> None:
        self.store.delete(_key(message))
        self.forget_reminder(message.reminder)

    def remind(self, message: Message) -> None:
        """Let the message be looked at when its time comes. Again is harmless."""
        self.store.create(_due_key(message.reminder), b"")

    def forget_reminder(self, reminder: WebhookDue) -> None:
        self.store.delete(_due_key(reminder))


def reminders(store: ObjectStore, *, from_ms: int = 0) -> Iterator[WebhookDue]:
    """The due index of every tenant, in the order of time, from then on."""
    for info in store.list(layout.DUE_PREFIX, after=f"{layout.DUE_PREFIX}{from_ms:015d}"):
        at, _, name = info.key.removeprefix(layout.DUE_PREFIX).partition("/")
        tenant, _, message = name.partition("/")
        if at.isdigit():  # nobody writes anything else here
            yield WebhookDue(tenant=tenant, message=message, due_ms=int(at))


def _key(message: Message) -> str:
    return layout.outbox(message.tenant, message.id)


def _due_key(reminder: WebhookDue) -> str:
    return layout.due(reminder.due_ms, reminder.tenant, reminder.message)
