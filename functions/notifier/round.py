"""One round of attempts: everything of a message that is due, to all its endpoints at once."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from functions.jobs import layout, leases, swap
from functions.jobs.seal import Seal
from functions.notifier import addressees, outcome
from functions.notifier.lines import Lines
from functions.notifier.outcome import GONE, Outcome
from functions.ports import Answer, Clock, ObjectStore, Post, StateStore, Webhook
from functions.webhooks import endpoint as endpoints
from functions.webhooks import health, notice, signature
from functions.webhooks.endpoint import Endpoint
from functions.webhooks.health import Patience
from functions.webhooks.log import DeliveryLog, Entry
from functions.webhooks.outbox import KEEP_S, Delivery, Message, Outbox
from functions.webhooks.retry import Schedule

_log = logging.getLogger(__name__)

LOOKS: Final = 10
LOOK_S: Final = 0.1
"""How often, and how far apart, it is looked for a line to an endpoint that is well."""
LOOKING_S: Final = 2.0
"""After attempts that took longer it is not looked again: an invocation has to end."""
LEASE_S: Final = 75.0
"""Longer than an invocation may take."""
_BREAKER: Final = "breaker"
_PATIENT: Final = 30
"""How much longer than for a free line is waited for what only a person can change."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """A delivery that may be tried, once there is a line to its endpoint."""

    delivery: Delivery
    endpoint: Endpoint
    keys: Sequence[signature.Key]
    broken: bool
    """It failed a moment ago."""
    later_s: float
    """When to look again, where there is no line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """A delivery that is tried now."""

    delivery: Delivery
    endpoint: Endpoint
    post: Post
    line: str
    """The lease of its line."""
    at_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """Whoever runs it holds the message's lease."""

    store: ObjectStore
    state: StateStore
    clock: Clock
    pause: Callable[[float], None]
    webhook: Webhook
    holder: str
    seal: Seal | None
    schedule: Schedule
    patience: Patience
    lease_s: float

    def run(self, message: Message, *, inline: bool) -> tuple[Message | None, bool]:
        """The message afterwards, and whether an endpoint hung. Waits for nobody else: what
        cannot be tried now gets a later time. `inline`: a verdict was just told, and an endpoint
        that failed a moment ago is not waited for."""
        now_s = self.clock()
        left: list[Planned] = []
        outcomes: list[Outcome] = []
        for delivery in message.waiting:
            if delivery.due_s <= now_s:
                planned = self._plan(message, delivery, inline=inline)
                if isinstance(planned, Planned):
                    left.append(planned)
                else:
                    outcomes.append(planned)
        after: Message | None = message
        hung = False
        for look in range(LOOKS):
            if look:
                self.pause(LOOK_S)
            attempts: list[Attempt] = []
            try:
                crowded = self._begin(message, left, attempts)
                if attempts:
                    after, hung = self._carry_out(message, attempts, outcomes)
                    outcomes = []
            finally:
                for attempt in attempts:
                    self._lines.give_back(attempt.line)
            left = []
            slow = hung or self.clock() - now_s > LOOKING_S
            for each in crowded:
                # Whoever has a line is done with by now: nobody waits for another's.
                if slow or each.broken or not self._lines.are_moving(each.endpoint):
                    outcomes.append(outcome.postponed(each.delivery, until_s=each.later_s))
                else:
                    left.append(each)
            if not left:
                break
        outcomes += [outcome.postponed(each.delivery, until_s=each.later_s) for each in left]
        if outcomes:
            after = self._settle(message, outcomes)
        return after, hung

    @property
    def _lines(self) -> Lines:
        return Lines(state=self.state, holder=self.holder, lease_s=self.lease_s)

    def _begin(
        self, message: Message, planned: Sequence[Planned], attempts: list[Attempt]
    ) -> list[Planned]:
        """Add those that have a line now to `attempts`, and return those that have none."""
        crowded: list[Planned] = []
        for each in planned:
            line = self._lines.take(each.endpoint, broken=each.broken)
            if line is None:
                crowded.append(each)
                continue
            body, now_s = message.body.encode(), self.clock()
            headers = {
                "content-type": notice.CONTENT_TYPE,
                **signature.headers(each.keys, id=message.event, body=body, now_s=now_s),
            }
            post = Post(url=each.endpoint.url, headers=headers, body=body)
            attempts.append(
                Attempt(
                    delivery=each.delivery,
                    endpoint=each.endpoint,
                    post=post,
                    line=line,
                    at_s=now_s,
                )
            )
        return crowded

    def _carry_out(
        self, message: Message, attempts: Sequence[Attempt], outcomes: Sequence[Outcome]
    ) -> tuple[Message | None, bool]:
        """Like `run`. What became of others is written with the first answer."""
        after: Message | None = message
        hung = False
        for place, answer in self.webhook([each.post for each in attempts]):
            # Each by itself, as it comes: one that hangs keeps no other's line.
            attempt = attempts[place]
            judged = self._judge(message, attempt, answer)
            after = self._settle(message, [*outcomes, judged])
            outcomes = ()
            self._note_health(message, attempt, answer)
            self._lines.give_back(attempt.line)
            hung = hung or answer.hung
        return after, hung

    def _settle(self, message: Message, outcomes: Sequence[Outcome]) -> Message | None:
        return Outbox(store=self.store).change(
            message.tenant, message.id, lambda found: outcome.applied(found, outcomes)
        )

    def _plan(self, message: Message, delivery: Delivery, *, inline: bool) -> Planned | Outcome:
        tenant, now_s = message.tenant, self.clock()
        endpoint = addressees.read(self.store, layout.endpoint(tenant, delivery.endpoint))
        if endpoint is None:
            return outcome.dropped(delivery, why="The endpoint was deleted.")
        if endpoint.disabled:
            return outcome.dropped(delivery, why="The endpoint is disabled.")
        later_s = now_s + self.schedule.pause_s(f"{message.id}/{delivery.endpoint}")
        much_later_s = now_s + _PATIENT * (later_s - now_s)
        if endpoint.paused and now_s - message.created_s > KEEP_S:
            return outcome.dropped(delivery, why="The endpoint was paused for too long.")
        if endpoint.paused:
            return outcome.postponed(delivery, until_s=much_later_s)
        broken = self.state.held(leases.breaker(tenant, endpoint.id))
        if broken and inline and not delivery.attempts:
            return outcome.postponed(delivery, until_s=later_s)
        try:
            keys = self._keys(endpoint, now_s=now_s)
        except ValueError as error:
            _log.error("a delivery cannot be signed", extra={"facts": _facts(endpoint, str(error))})
            return outcome.postponed(delivery, until_s=much_later_s)
        return Planned(
            delivery=delivery, endpoint=endpoint, keys=keys, broken=broken, later_s=later_s
        )

    def _keys(self, endpoint: Endpoint, *, now_s: float) -> list[signature.Key]:
        """Raises ValueError where they cannot be opened."""
        if self.seal is None:
            raise ValueError("KINORA_MASTER_KEY is not set")
        about = endpoints.about(endpoint.tenant, endpoint.id)
        return [
            signature.Key(scheme=each.scheme, secret=self.seal.open(each.sealed, about=about))
            for each in endpoint.secrets
            if each.counts(now_s)
        ]

    def _judge(self, message: Message, attempt: Attempt, answer: Answer) -> Outcome:
        delivery = attempt.delivery
        DeliveryLog(store=self.store).add(
            message.tenant,
            Entry(
                endpoint=delivery.endpoint,
                message=message.id,
                event=message.event,
                type=message.type,
                number=delivery.attempts + 1,
                at_s=attempt.at_s,
                ms=answer.ms,
                status=answer.status,
                error=answer.error,
                response=answer.excerpt,
            ),
        )
        return outcome.of_answer(
            message, delivery, answer, schedule=self.schedule, now_s=self.clock()
        )

    def _note_health(self, message: Message, attempt: Attempt, answer: Answer) -> None:
        endpoint, now_s = attempt.endpoint, self.clock()
        breaker = leases.breaker(endpoint.tenant, endpoint.id)
        if 200 <= answer.status < 300:
            self.state.release(breaker, _BREAKER)
            self._lines.prove(endpoint)
            if endpoint.failing_since_s is not None:
                swap.change(self.store, _key(endpoint), Endpoint, health.well)
            return
        self.state.acquire(breaker, _BREAKER, ttl_s=self.schedule.breaker_s)

        def worse(found: Endpoint) -> Endpoint:
            if answer.status == GONE:
                return health.gone(found)
            return self.patience.after_failure(found, now_s=now_s)

        if (feared := worse(endpoint)) == endpoint:
            return
        if feared.disabled and not endpoint.disabled:
            self._announce(message, feared, at_s=now_s)
        swap.change(self.store, _key(endpoint), Endpoint, worse)

    def _announce(self, message: Message, endpoint: Endpoint, *, at_s: float) -> None:
        """Say it where somebody looks: in the log, and among the deliveries."""
        why = health.WHY_DISABLED[endpoint.disabled]
        _log.error("an endpoint is disabled", extra={"facts": _facts(endpoint, why)})
        DeliveryLog(store=self.store).add(
            endpoint.tenant,
            Entry(
                kind="disabled",
                endpoint=endpoint.id,
                message=message.id,
                event=message.event,
                type=message.type,
                number=0,
                at_s=at_s,
                error=why,
            ),
        )


def _key(endpoint: Endpoint) -> str:
    return layout.endpoint(endpoint.tenant, endpoint.id)


def _facts(endpoint: Endpoint, reason: str) -> dict[str, str]:
    return {"tenant": endpoint.tenant, "endpoint": endpoint.id, "reason": reason}
