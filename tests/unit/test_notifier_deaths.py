"""Whoever dies and whatever is lost meanwhile, every delivery is made in the end."""

from __future__ import annotations

from contextlib import suppress

import pytest

from eventing.contract import WebhookDue
from eventing.errors import Unavailable
from functions.jobs import layout
from functions.notifier.handler import STRAY_S
from functions.sweeper.due import due
from functions.webhooks.outbox import KEEP_S
from tests.flow.faults import Fault, Killed, Kind
from tests.mailbox import FAILED, HUNG, JOB, TOOK_IT, Mailbox


@pytest.mark.parametrize("kind", ["crash", "lost reply", "refused"])
def test_a_notifier_that_dies_at_any_moment_loses_nothing(kind: Kind) -> None:
    at, struck = 0, True
    while struck:
        at += 1
        box = Mailbox()
        box.endpoint("one", answers=[FAILED, TOOK_IT])
        box.endpoint("two")
        fault = Fault(kind=kind, at=at)
        with suppress(Killed, Unavailable):
            box.handle(fault=fault)
        struck = fault.struck
        # Either the sweep tells of the verdict again, or the due index has the message.
        for _ in range(20):
            if box.open:
                box.handle()
            box.tick()
        assert not box.open
        assert box.states() == {"one": "delivered", "two": "delivered"}, (kind, at)
        sent = box.receivers.names
        assert sent.count("two") <= 1 + struck, (kind, at)
        assert len({post.headers["webhook-id"] for _, post in box.receivers.got}) == 1
        box.tick(STRAY_S)
        assert len(box.reminders) == 1, "only the one by which the message is removed"
    assert at > 25


def test_a_death_in_a_later_attempt_loses_nothing() -> None:
    at, struck = 0, True
    while struck:
        at += 1
        box = Mailbox()
        box.endpoint("one", answers=[HUNG, FAILED, TOOK_IT])
        box.handle()
        box.clock.advance(60)
        (event,) = due(box.store, now_s=box.clock(), limit=9)
        fault = Fault(kind="crash", at=at)
        with suppress(Killed):
            box.handle(event, fault)
        struck = fault.struck
        for _ in range(20):
            box.tick()
        assert box.states() == {"one": "delivered"}, at
    assert at > 10


def test_two_at_once_never_lose_a_delivery() -> None:
    at, struck = 0, True
    while struck:
        at += 1
        box = Mailbox()
        box.endpoint("one", answers=[FAILED, TOOK_IT])
        box.endpoint("two")
        fault = Fault(kind="overtaken", at=at, overtake=box.handle)
        box.handle(fault=fault)
        struck = fault.struck
        assert not box.open
        assert box.states() == {"one": "delivered", "two": "delivered"}, at
        assert len(box.receivers.got) == 3, "leases save what would be sent twice"
    assert at > 25


def test_a_flushed_state_store_loses_nothing() -> None:
    at, struck = 0, True
    while struck:
        at += 1
        box = Mailbox()
        box.endpoint("one", answers=[FAILED, TOOK_IT])

        def others(box: Mailbox = box) -> None:
            box.state.flush()
            box.handle()

        fault = Fault(kind="overtaken", at=at, overtake=others)
        box.handle(fault=fault)
        struck = fault.struck
        for _ in range(8):
            box.tick()
        assert box.states() == {"one": "delivered"}, at
        assert len({post.headers["webhook-id"] for _, post in box.receivers.got}) == 1


def test_an_entry_of_the_due_index_that_leads_nowhere_goes_after_a_while() -> None:
    box = Mailbox()
    stray = WebhookDue(tenant="t1", message="3" * 32, due_ms=int(box.clock() * 1000))
    key = layout.due(stray.due_ms, "t1", stray.message)
    box.store.create(key, b"")
    box.handle(stray)
    assert box.store.head(key) is not None, "its message may be about to be written"
    box.clock.advance(STRAY_S + 1)
    box.handle(stray)
    assert box.store.head(key) is None


def test_an_entry_that_a_message_lacks_is_put_back_by_any_other() -> None:
    box = Mailbox()
    box.endpoint("one", answers=[HUNG, TOOK_IT])
    box.handle()
    for key in box.reminders:
        box.store.delete(key)
    box.handle(WebhookDue(tenant="t1", message=JOB, due_ms=1))
    box.tick()
    assert box.states() == {"one": "delivered"}


def test_a_message_is_removed_a_month_later_through_the_same_index() -> None:
    box = Mailbox()
    box.endpoint("one")
    box.handle()
    box.tick(KEEP_S - 60)
    assert box.message() is not None
    box.tick(120)
    assert box.message() is None
    assert not box.reminders
