"""Whoever waits for a verdict is told of it, and then the job is no longer open.

The message is durable, with the time at which it is looked at again, before anything is sent; the
open marker goes last. Until then a sweep tells of the verdict again, and after that the due index
has every delivery that is not done.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import count
from typing import Final

from eventing import contract
from functions.jobs import ending, layout, leases
from functions.jobs.seal import Seal
from functions.jobs.verdict import Verdict, event_of
from functions.notifier import addressees
from functions.notifier.round import LEASE_S, Round
from functions.ports import Clock, ObjectStore, StateStore, Webhook
from functions.webhooks import notice
from functions.webhooks.health import Patience
from functions.webhooks.outbox import Message, Outbox
from functions.webhooks.retry import Schedule

ROUNDS: Final = 2
"""Of attempts in one invocation."""
SHORT_S: Final = 6.0
"""What is due within this time is waited for; everything else comes back with the due index."""
STRAY_S: Final = 600.0
"""For how long after its time an entry of the due index may belong to a state that is only about
to be written: nobody who writes takes that long."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Notifier:
    """Handles the verdicts and `WebhookDue`."""

    store: ObjectStore
    state: StateStore
    clock: Clock
    pause: Callable[[float], None]
    """Waits so many seconds."""
    webhook: Webhook
    worker: str
    seal: Seal | None = None
    schedule: Schedule = field(default_factory=Schedule)
    patience: Patience = field(default_factory=Patience)
    lease_s: float = LEASE_S
    _invocations: count[int] = field(default_factory=count)

    def verdict(self, event: contract.Verdict) -> Iterator[contract.Event]:
        marker = layout.open_marker(event.job)
        verdict = ending.read(self.store, event.job)
        if verdict is not None and self.store.head(marker) is not None:
            message = self._message(verdict)
            if message is not None and message.waiting:
                self._deliver(message, inline=True)
            # Events that were late may have left something of the job in the state store.
            self.state.forget(event.job)
            ending.discard(self.store, verdict)
            self.store.delete(marker)
        yield from ()

    def webhook_due(self, event: contract.WebhookDue) -> Iterator[contract.Event]:
        outbox, now_s = Outbox(store=self.store), self.clock()
        message = outbox.read(event.tenant, event.message)
        if message is None or message.due_ms != event.due_ms:
            # It belongs to a state that is no more, or never came to be, or is only about to be.
            if message is not None:
                outbox.remind(message)
            if now_s - event.due_ms / 1000 > STRAY_S:
                outbox.forget_reminder(event)
        elif message.waiting:
            self._deliver(message, inline=False)
        elif event.due_ms <= now_s * 1000:
            outbox.remove(message)
        yield from ()

    def _message(self, verdict: Verdict) -> Message | None:
        """The message that tells of the verdict, durable; None where nobody wants to be told."""
        if not verdict.tenant:
            return None
        outbox = Outbox(store=self.store)
        there = outbox.read(verdict.tenant, verdict.job)
        if there is not None:
            outbox.remind(there)
            return there
        endpoints = addressees.wanting(self.store, verdict.tenant, event_of(verdict).type)
        if not endpoints:
            return None
        return outbox.create(notice.of_verdict(verdict, endpoints, now_s=self.clock()))

    def _deliver(self, message: Message, *, inline: bool) -> None:
        """Try what is due, unless somebody else does: then it is theirs, or comes back later."""
        lease = leases.message(message.tenant, message.id)
        holder = f"{self.worker}/{next(self._invocations)}"
        if not self.state.acquire(lease, holder, ttl_s=self.lease_s):
            return
        try:
            self._try(message, holder, inline=inline)
        finally:
            self.state.release(lease, holder)

    def _try(self, message: Message, holder: str, *, inline: bool) -> None:
        # What was read before the lease may be what somebody else has just delivered.
        now = Outbox(store=self.store).read(message.tenant, message.id)
        attempts = Round(
            store=self.store,
            state=self.state,
            clock=self.clock,
            pause=self.pause,
            webhook=self.webhook,
            holder=holder,
            seal=self.seal,
            schedule=self.schedule,
            patience=self.patience,
            lease_s=self.lease_s,
        )
        for remaining in reversed(range(ROUNDS)):
            if now is None:
                return
            now, hung = attempts.run(now, inline=inline)
            if hung or not remaining or now is None:
                return
            wait_s = min((each.due_s for each in now.waiting), default=self.clock()) - self.clock()
            if not now.waiting or wait_s > SHORT_S:
                return
            if wait_s > 0:
                self.pause(wait_s)
