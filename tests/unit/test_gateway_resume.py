"""An endpoint that goes on: what waited for it is due at once, and nothing else is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from starlette.testclient import TestClient

from eventing.contract import WebhookDue
from eventing.errors import Unavailable
from functions.gateway.hooks import resume
from functions.jobs import layout, record, swap
from functions.jobs.verdict import Verdict
from functions.ports import ObjectInfo
from functions.sweeper.due import due
from functions.webhooks import health, notice
from functions.webhooks.endpoint import Endpoint
from functions.webhooks.outbox import Delivery, Message, Outbox
from tests.fakes import MemoryStore
from tests.gateway import Gateway
from tests.webhooks import put_endpoint

LATER_S = 1000.0
E1, E2 = "1" * 32, "2" * 32


class Site:
    """A gateway, and two endpoints of one tenant."""

    def __init__(self) -> None:
        self.gateway = Gateway()
        self.outbox = Outbox(store=self.gateway.store)
        self.acme: TestClient = self.gateway.client("acme")
        for name in (E1, E2):
            put_endpoint(self.gateway.store, name, tenant="acme")

    @property
    def now_s(self) -> float:
        return self.gateway.clock()

    def stop(self, changed: Callable[[Endpoint], Endpoint]) -> None:
        key = layout.endpoint("acme", E1)
        assert swap.change(self.gateway.store, key, Endpoint, changed)

    def pause(self) -> None:
        self.stop(lambda found: replace(found, paused=True))

    def waits(
        self, number: int, *deliveries: Delivery, tenant: str = "acme", in_s: float = LATER_S
    ) -> Message:
        """A message that waits for the endpoint that was stopped, or these deliveries."""
        verdict = Verdict(
            job=f"{number:032x}", tenant=tenant, state="failed", code="deadline",
            reason="Too late.", decided_s=self.now_s,
        )  # fmt: skip
        told = notice.of_verdict(verdict, [E1], now_s=self.now_s)
        waiting = deliveries or (Delivery(endpoint=E1, due_s=self.now_s + in_s),)
        return self.outbox.create(replace(told, deliveries=waiting))

    def patch(self, **fields: object) -> int:
        return self.acme.patch(f"/api/v1/webhooks/{E1}", json=fields).status_code

    def now(self, message: Message) -> Message:
        found = self.outbox.read(message.tenant, message.id)
        assert found is not None
        return found

    @property
    def told(self) -> list[str]:
        """The messages that were said to be due."""
        events = self.gateway.events
        assert all(isinstance(event, WebhookDue) for event in events)
        return [event.message for event in events if isinstance(event, WebhookDue)]

    def swept(self, *, after_s: float = 1.0) -> list[str]:
        """The messages that a sweep would publish then."""
        found = due(self.gateway.store, now_s=self.now_s + after_s, limit=1000)
        return [each.message for each in found]


def test_what_waited_for_a_paused_endpoint_is_due_once_it_goes_on() -> None:
    site = Site()
    site.pause()
    messages = [site.waits(number) for number in range(3)]
    assert site.patch(paused=False) == 200
    assert site.told == [message.id for message in messages]
    assert site.swept() == site.told
    for message in messages:
        (delivery,) = site.now(message).deliveries
        assert (delivery.state, delivery.due_s) == ("waiting", site.now_s)
        assert site.now(message).reminder in site.gateway.events


@pytest.mark.parametrize(
    "disabled", [health.gone, lambda found: replace(found, disabled="failing")]
)
def test_retries_to_an_endpoint_that_is_enabled_again_are_due_and_keep_their_count(
    disabled: Callable[[Endpoint], Endpoint],
) -> None:
    site = Site()
    site.stop(disabled)
    message = site.waits(1, Delivery(endpoint=E1, attempts=6, due_s=site.now_s + 36_000 * 1.1))
    assert site.patch(disabled=False) == 200
    assert site.told == [message.id]
    (delivery,) = site.now(message).deliveries
    assert (delivery.attempts, delivery.due_s) == (6, site.now_s)


def test_other_deliveries_stay_as_they_are() -> None:
    site = Site()
    site.pause()
    later_s = site.now_s + LATER_S
    done = Delivery(endpoint=E1, state="delivered", attempts=1, due_s=later_s)
    others = [
        site.waits(1, done, Delivery(endpoint=E2, due_s=later_s)),
        site.waits(2, Delivery(endpoint=E2, due_s=later_s)),
        site.waits(3, tenant="other"),
        site.waits(4, in_s=-10),
    ]
    both = site.waits(5, Delivery(endpoint=E2, due_s=later_s), Delivery(endpoint=E1, due_s=later_s))
    site.patch(paused=False)
    assert site.told == [both.id]
    assert [site.now(message) for message in others] == others
    e2, e1 = site.now(both).deliveries
    assert (e2.due_s, e1.due_s) == (later_s, site.now_s)


@pytest.mark.parametrize(
    "fields",
    [{"paused": True}, {"description": "New"}, {"disabled": False}, {"url": "https://b.example/"}],
)
def test_while_an_endpoint_is_paused_nothing_is_hurried(fields: dict[str, object]) -> None:
    site = Site()
    site.pause()
    message = site.waits(1)
    assert site.patch(**fields) == 200
    assert site.told == []
    assert site.now(message) == message


def test_an_endpoint_that_is_disabled_is_not_hurried_by_going_on() -> None:
    site = Site()
    site.stop(health.gone)
    message = site.waits(1)
    assert site.patch(paused=False) == 200
    assert site.now(message) == message


def test_so_many_are_hurried_at_a_time_and_the_same_request_again_goes_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(resume, "MOST_READ", 2)
    site = Site()
    site.pause()
    messages = [site.waits(number, in_s=LATER_S + number) for number in range(5)]
    for count in (2, 4, 5, 5):
        site.patch(paused=False)
        # What was hurried is handled, or at least no longer lies ahead.
        site.gateway.clock.advance(1)
        assert site.told == [message.id for message in messages[:count]]


def test_of_everybodys_entries_so_many_are_listed_and_no_more(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(resume, "MOST_LISTED", 4)
    site = Site()
    site.pause()
    for number in range(3):
        site.waits(number, tenant="other", in_s=LATER_S / 2)
    first, second = site.waits(8), site.waits(9, in_s=LATER_S + 1)
    site.patch(paused=False)
    assert site.told == [first.id]
    assert site.now(second) == second


def test_a_message_that_only_waits_for_its_removal_is_not_looked_at() -> None:
    site = Site()
    site.pause()
    done = site.waits(1, Delivery(endpoint=E1, state="delivered"))
    site.patch(paused=False)
    assert site.told == []
    assert site.now(done) == done


def test_without_a_broker_what_waited_is_found_by_the_next_sweep() -> None:
    site = Site()

    def refuse(event: object) -> None:
        raise Unavailable("no broker")

    site.gateway.publish = refuse
    site.pause()
    messages = [site.waits(number) for number in range(3)]
    assert site.patch(paused=False) == 200
    assert site.swept() == [message.id for message in messages]


def test_an_entry_whose_message_is_gone_holds_nobody_up() -> None:
    site = Site()
    site.pause()
    gone, there = site.waits(1), site.waits(2)
    site.gateway.store.delete(layout.outbox("acme", gone.id))
    site.patch(paused=False)
    assert site.told == [there.id]


def test_a_store_that_goes_away_meanwhile_leaves_the_endpoint_going() -> None:
    site = Site()
    site.pause()
    message = site.waits(1)

    class Gone(MemoryStore):
        def list(self, prefix: str, *, after: str = "") -> Iterator[ObjectInfo]:
            if prefix == layout.DUE_PREFIX:
                raise Unavailable("no store")
            return super().list(prefix, after=after)

    site.gateway.store.__class__ = Gone
    assert site.patch(paused=False) == 200
    there = record.load(site.gateway.store.get(layout.endpoint("acme", E1)), Endpoint)
    assert not there.paused
    assert site.now(message) == message
