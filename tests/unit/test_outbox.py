"""The outbox: a message never lacks its entry in the due index, whoever dies, whoever is faster."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eventing.contract import JobFailed, identity
from eventing.errors import Unavailable
from functions.jobs import layout, record, swap
from functions.jobs.verdict import Verdict
from functions.ports import ObjectInfo
from functions.sweeper.due import due
from functions.webhooks import notice, outbox
from functions.webhooks.outbox import KEEP_S, Delivery, Message, Outbox
from tests.fakes import ManualClock, MemoryStore
from tests.flow.faults import Fault, FaultyStore, Killed, Kind

NOW_S = 1_800_000_000.0
JOB = "1" * 32
VERDICT = Verdict(
    job=JOB, tenant="t1", state="failed", code="deadline", reason="Too late.", decided_s=NOW_S
)


def message(*endpoints: str) -> Message:
    return notice.of_verdict(VERDICT, endpoints or ("one",), now_s=NOW_S)


def later(found: Message) -> Message:
    """The first delivery failed, and is due an hour later. Harmless again."""
    (first, *_) = found.deliveries
    if first.attempts:
        return found
    return found.with_delivery(replace(first, attempts=1, due_s=NOW_S + 3600))


def reminders(store: MemoryStore) -> list[str]:
    return [info.key for info in store.list(layout.DUE_PREFIX)]


def reminder_of(found: Message) -> str:
    return layout.due(found.due_ms, found.tenant, found.id)


def test_a_message_of_a_verdict_is_the_same_whoever_writes_it() -> None:
    first = message()
    second = replace(notice.of_verdict(VERDICT, ["one"], now_s=NOW_S + 50), created_s=NOW_S)
    assert first.body == second.body
    assert first.event == identity(
        JobFailed(job=JOB, tenant="t1", code="deadline", reason="Too late.")
    )


def test_trials_with_another_nonce_are_other_messages() -> None:
    ids = {notice.trial("t1", "one", nonce=nonce, now_s=NOW_S).id for nonce in ("a", "b")}
    assert len(ids) == 2


@given(
    st.lists(st.floats(0, 4e9), min_size=1, max_size=4),
    st.integers(0, 10**6),
)
def test_a_message_is_due_when_its_first_waiting_delivery_is(
    times_s: list[float], revision: int
) -> None:
    deliveries = tuple(
        Delivery(endpoint=str(number), due_s=due_s) for number, due_s in enumerate(times_s)
    )
    found = replace(message(), deliveries=deliveries, revision=revision)
    assert min(times_s) * 1000 <= found.due_ms <= min(times_s) * 1000 + 20
    assert found.due_ms != replace(found, revision=revision + 1).due_ms


def test_a_message_without_waiting_deliveries_is_due_when_it_is_to_go() -> None:
    done = message().with_delivery(Delivery(endpoint="one", state="delivered"))
    assert done.due_ms == (NOW_S + KEEP_S) * 1000


@pytest.mark.parametrize("kind", ["crash", "lost reply", "refused"])
def test_whoever_dies_while_writing_leaves_the_message_its_entry(kind: Kind) -> None:
    at, struck = 0, True
    while struck:
        at += 1
        store = MemoryStore()
        fault = Fault(kind=kind, at=at)
        outbox = Outbox(store=FaultyStore(store, fault))
        with suppress(Killed, Unavailable):
            outbox.create(message())
            outbox.change("t1", JOB, later)
        struck = fault.struck
        there = Outbox(store=store).read("t1", JOB)
        if there is not None:
            assert reminder_of(there) in reminders(store), at
    assert at > 6


def test_whoever_is_overtaken_while_writing_leaves_the_message_its_entry() -> None:
    at, struck = 0, True
    while struck:
        at += 1
        store = MemoryStore()
        outbox = Outbox(store=store)
        outbox.create(message("one", "two"))

        def replay(outbox: Outbox = outbox) -> None:
            outbox.change("t1", JOB, lambda found: found.replayed("two", NOW_S + 7))

        fault = Fault(kind="overtaken", at=at, overtake=replay)
        there = Outbox(store=FaultyStore(store, fault)).change("t1", JOB, later)
        struck = fault.struck
        there = outbox.read("t1", JOB)
        assert there is not None
        assert reminder_of(there) in reminders(store), at
        one, two = there.deliveries
        assert one.attempts == 1, "nothing is lost"
        assert two.due_s == (NOW_S + 7 if struck else NOW_S)
    assert at > 4


def test_a_message_that_is_there_already_is_the_one_that_counts() -> None:
    store = MemoryStore()
    outbox = Outbox(store=store)
    first = outbox.create(message("one"))
    second = notice.of_verdict(VERDICT, ["one", "two"], now_s=NOW_S + 50)
    assert outbox.create(second) == first
    assert reminders(store) == [reminder_of(first)]


def test_a_change_that_changes_nothing_writes_nothing() -> None:
    store = MemoryStore()
    outbox = Outbox(store=store)
    made = outbox.create(message())
    assert outbox.change("t1", JOB, lambda found: found) == made
    assert outbox.change("t1", "2" * 32, later) is None


def test_a_record_that_never_stands_still_is_left_for_later() -> None:
    store = MemoryStore()
    key = layout.outbox("t1", JOB)
    Outbox(store=store).create(message())

    class Restless(MemoryStore):
        def head(self, key: str) -> ObjectInfo | None:
            info = store.head(key)
            if info is not None and key.startswith(layout.outbox_prefix("t1")):
                store.put(key, store.get(key))
            return info

    restless = Restless()
    restless.read = store.read  # type: ignore[method-assign]
    with pytest.raises(Unavailable):
        swap.read(restless, key, Message)


def test_a_swap_is_refused_where_somebody_else_was_faster() -> None:
    store = MemoryStore()
    Outbox(store=store).create(message())
    key = layout.outbox("t1", JOB)
    found = swap.read(store, key, Message)
    assert found is not None
    store.put(key, record.dump(later(found.record)))
    assert not swap.replace(store, key, found, found.record)


# What a sweep publishes.


def fill(store: MemoryStore, tenant: str, count: int, *, from_s: float = NOW_S) -> None:
    for number in range(count):
        made = replace(message(), tenant=tenant, id=f"{number:032x}")
        Outbox(store=store).create(made.with_delivery(Delivery(endpoint="one", due_s=from_s)))


def test_only_what_is_due_is_published_and_as_the_same_event_every_time() -> None:
    store, clock = MemoryStore(), ManualClock(NOW_S)
    fill(store, "t1", 2)
    fill(store, "t2", 1, from_s=NOW_S + 60)
    first = list(due(store, now_s=clock(), limit=10))
    assert [each.tenant for each in first] == ["t1", "t1"]
    assert list(due(store, now_s=clock(), limit=10)) == first
    assert len(list(due(store, now_s=clock() + 61, limit=10))) == 3


def test_a_tenant_with_many_messages_leaves_room_for_the_others() -> None:
    store = MemoryStore()
    fill(store, "t1", 30)
    fill(store, "t2", 2, from_s=NOW_S + 1)
    found = list(due(store, now_s=NOW_S + 2, limit=10))
    assert [each.tenant for each in found].count("t2") == 2
    assert len(found) == 10


def test_what_is_no_entry_holds_nobody_up() -> None:
    store = MemoryStore()
    store.put(f"{layout.DUE_PREFIX}.notes", b"")
    fill(store, "t1", 1)
    assert len(list(due(store, now_s=NOW_S + 1, limit=10))) == 1


def test_the_index_is_read_from_any_time_on() -> None:
    store = MemoryStore()
    for number in range(4):
        fill(store, f"t{number}", 1, from_s=NOW_S + number)
    found = [each.tenant for each in outbox.reminders(store, from_ms=round(NOW_S * 1000) + 1000)]
    assert found == ["t1", "t2", "t3"]


def test_hurrying_a_delivery_is_harmless_again() -> None:
    waiting = message("one", "two").with_delivery(
        Delivery(endpoint="one", attempts=3, due_s=NOW_S + 60)
    )
    hurried = waiting.hurried("one", NOW_S + 5)
    assert hurried.delivery("one") == Delivery(endpoint="one", attempts=3, due_s=NOW_S + 5)
    assert hurried.delivery("two") == waiting.delivery("two")
    assert hurried.hurried("one", NOW_S + 5) == hurried
    assert hurried.hurried("none", NOW_S + 5) == hurried
