"""Attempts at a delivery: how far apart they are, and what becomes of it and its endpoint."""

from __future__ import annotations

from dataclasses import replace

import pytest

from eventing.contract import identity
from functions.jobs import layout, leases
from functions.jobs.seal import Seal
from functions.ports import Answer
from functions.webhooks.retry import DELAYS_S, JITTER
from tests.mailbox import FAILED, HUNG, TOLD, TOOK_IT, Mailbox

DAY_S = 86400.0


def test_the_second_attempt_comes_after_five_seconds_in_the_same_invocation() -> None:
    box = Mailbox()
    box.endpoint("one", answers=[FAILED, TOOK_IT])
    box.handle()
    (pause_s,) = box.pauses
    assert pause_s == pytest.approx(5, rel=JITTER + 0.01)
    assert box.states() == {"one": "delivered"}
    first, second = (post for _, post in box.receivers.got)
    assert first.body == second.body
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    assert first.headers["webhook-timestamp"] < second.headers["webhook-timestamp"]
    assert not box.open


def test_an_endpoint_that_hung_is_not_waited_for() -> None:
    box = Mailbox()
    box.endpoint("one", answers=[HUNG])
    box.handle()
    assert not box.pauses
    assert len(box.receivers.got) == 1
    assert box.states() == {"one": "waiting"}
    assert not box.open


def test_the_attempts_are_as_far_apart_as_the_schedule_says_and_then_it_is_given_up() -> None:
    box = Mailbox()
    box.endpoint("one", answers=[FAILED])
    box.handle()
    while box.states() == {"one": "waiting"}:
        box.tick(10.0)
    assert box.states() == {"one": "given up"}
    times_s = [float(post.headers["webhook-timestamp"]) for _, post in box.receivers.got]
    assert len(times_s) == 1 + len(DELAYS_S)
    for earlier, later, delay_s in zip(times_s, times_s[1:], DELAYS_S, strict=False):
        assert delay_s * (1 - JITTER) - 1 <= later - earlier <= delay_s * (1 + JITTER) + 22
    assert len({post.headers["webhook-id"] for _, post in box.receivers.got}) == 1
    assert [entry.number for entry in box.log("one")] == [8, 7, 6, 5, 4, 3, 2, 1]


def test_one_endpoint_that_fails_costs_the_others_nothing() -> None:
    box = Mailbox()
    box.endpoint("good")
    box.endpoint("bad", answers=[FAILED])
    box.handle()
    assert box.states() == {"good": "delivered", "bad": "waiting"}
    assert box.receivers.names.count("good") == 1


@pytest.mark.parametrize("header", ["120", "Fri, 15 Jan 2027 08:02:00 GMT"])
def test_an_endpoint_that_asks_for_time_gets_it(header: str) -> None:
    box = Mailbox()
    assert box.clock() == 1_800_000_000  # 2027-01-15 08:00:00 GMT
    busy = Answer(status=429, error="It answered 429.", retry_after=header)
    box.endpoint("one", answers=[busy, TOOK_IT])
    box.handle()
    assert not box.pauses
    assert box.tick(119) == 0
    assert box.tick(2) == 1
    assert box.states() == {"one": "delivered"}


def test_an_endpoint_that_is_gone_is_disabled_and_its_log_says_why() -> None:
    box = Mailbox()
    box.endpoint("one", answers=[Answer(status=410, error="It answered 410.")])
    box.handle()
    assert box.read_endpoint("one").disabled == "gone"
    assert box.states() == {"one": "dropped"}
    newest, attempt = box.log("one")
    assert (newest.kind, attempt.kind) == ("disabled", "attempt")
    assert "410" in newest.error
    box.handle(box.end("2" * 32))
    assert len(box.receivers.got) == 1


def test_an_endpoint_that_takes_nothing_for_days_is_disabled() -> None:
    box = Mailbox()
    box.endpoint("one", answers=[FAILED])
    began_s = box.clock()
    number = 2
    while not box.read_endpoint("one").disabled:
        box.handle(box.end(f"{number:032x}"))
        box.tick(3 * 3600)
        number += 1
    assert 5 * DAY_S <= box.clock() - began_s <= 5.5 * DAY_S
    assert box.read_endpoint("one").disabled == "failing"
    assert "disabled" in {entry.kind for entry in box.log("one")}
    box.tick(2 * DAY_S)
    assert not {"waiting"} & set(box.states(f"{number - 1:032x}").values())


def test_one_delivery_that_goes_well_makes_an_endpoint_well() -> None:
    box = Mailbox()
    box.endpoint("one", answers=[FAILED, TOOK_IT])
    box.handle()
    assert box.read_endpoint("one").failing_since_s is None
    assert not box.state.held(leases.breaker("t1", "one"))


def test_an_endpoint_that_was_deleted_gets_nothing_more() -> None:
    box = Mailbox()
    box.endpoint("one", answers=[HUNG])
    box.handle()
    box.store.delete(layout.endpoint("t1", "one"))
    box.tick()
    assert box.states() == {"one": "dropped"}
    assert len(box.receivers.got) == 1


def test_deliveries_to_a_paused_endpoint_wait_without_counting() -> None:
    box = Mailbox()
    box.endpoint("one")
    box.change("one", lambda found: replace(found, paused=True))
    box.handle()
    for _ in range(30):
        box.tick(600)
    assert not box.receivers.got
    assert not box.open
    box.change("one", lambda found: replace(found, paused=False))
    box.tick(1800)
    assert box.states() == {"one": "delivered"}
    (entry,) = box.log("one")
    assert entry.number == 1


@pytest.mark.parametrize("seal", [None, Seal((bytes([1]) * 32,))])
def test_what_cannot_be_signed_waits_without_counting(seal: Seal | None) -> None:
    box = Mailbox(seal=seal)
    box.endpoint("one")
    box.handle()
    assert box.states() == {"one": "waiting"}
    assert not box.receivers.got
    box.seal = Mailbox().seal
    box.tick(1800)
    assert box.states() == {"one": "delivered"}


def test_every_attempt_is_in_the_log_with_what_was_answered() -> None:
    box = Mailbox()
    box.endpoint("one", answers=[FAILED, TOOK_IT])
    box.handle()
    second, first = box.log("one")
    assert (first.status, first.error, first.response, first.ms) == (
        500,
        "It answered 500.",
        "oh no",
        12,
    )
    assert (first.number, second.number, second.status) == (1, 2, 204)
    assert first.event == identity(TOLD)
