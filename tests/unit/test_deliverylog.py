"""The delivery log: the newest first, and never more than is kept."""

from __future__ import annotations

import pytest

from functions.webhooks import log as deliverylog
from functions.webhooks.log import KEEP_S, DeliveryLog, Entry
from tests.fakes import MemoryStore

NOW_S = 1_800_000_000.0


def entry(number: int, *, at_s: float = NOW_S) -> Entry:
    return Entry(
        endpoint="one",
        message=f"{number:032x}",
        event=f"{number:032x}",
        type="dev.kinora.job.failed.v1",
        number=1,
        at_s=at_s + number,
        status=204,
    )


def messages(log: DeliveryLog, *, after: str = "", limit: int = 100) -> list[int]:
    return [int(each.message, 16) for _, each in log.page("t1", "one", after=after, limit=limit)]


def test_the_newest_entry_comes_first_and_pages_follow_each_other() -> None:
    log = DeliveryLog(store=MemoryStore())
    for number in range(5):
        log.add("t1", entry(number))
    first = list(log.page("t1", "one", limit=2))
    assert [int(each.message, 16) for _, each in first] == [4, 3]
    assert messages(log, after=first[-1][0]) == [2, 1, 0]


def test_two_attempts_in_one_moment_are_two_entries() -> None:
    log = DeliveryLog(store=MemoryStore())
    log.add("t1", entry(1, at_s=NOW_S))
    log.add("t1", entry(2, at_s=NOW_S - 1))
    assert sorted(messages(log)) == [1, 2]


def test_what_is_too_old_or_too_much_goes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deliverylog, "KEEP", 3)
    log = DeliveryLog(store=MemoryStore())
    for number in range(5):
        log.add("t1", entry(number))
    log.prune("t1", "one", now_s=NOW_S + 10)
    assert messages(log) == [4, 3, 2]
    log.prune("t1", "one", now_s=NOW_S + KEEP_S + 3.5)
    assert messages(log) == [4]


def test_a_log_does_not_grow_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deliverylog, "KEEP", 10)
    store = MemoryStore()
    log = DeliveryLog(store=store)
    for number in range(600):
        log.add("t1", entry(number))
    assert len(list(store.list(""))) < 250


def test_one_endpoints_log_is_not_anothers() -> None:
    store = MemoryStore()
    log = DeliveryLog(store=store)
    log.add("t1", entry(1))
    log.add("t2", entry(2))
    log.clear("t1", "one")
    assert messages(log) == []
    assert len(list(store.list(""))) == 1
