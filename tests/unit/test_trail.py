"""A job's records are found in few requests, however many there are."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from functions.jobs import layout, overview
from functions.jobs.trail import STRAGGLERS, WHOLE, Trail
from tests import trails
from tests.fakes import MemoryStore
from tests.trails import JOB, CountedStore


def test_everything_that_a_job_left_is_in_its_trail() -> None:
    store = CountedStore()
    trails.put(store, *trails.completed(), trails.failure("v00000", 1))
    trail = Trail(store, JOB)
    assert trail.follow()
    assert trail.generation == 1
    assert trail.done(1) == dict.fromkeys(("v00000", "v00001", "a1"), trails.ACCEPTED_S)
    plan = trail.plan(1)
    assert plan is not None
    assert trail.attempts_of(plan) == {"v00000": 1}
    assert (trail.manifest(), trail.plan(1)) == (trails.manifest()[1], trails.plan_of(2))
    assert (trail.failure((1, "v00000", 1)), trail.verdict()) == (
        trails.failure("v00000", 1)[1],
        trails.verdict()[1],
    )
    assert not trail.follow()


def test_a_job_of_which_nothing_is_there_has_an_empty_trail() -> None:
    trail = Trail(CountedStore(), JOB)
    assert not trail.follow()
    assert (trail.manifest(), trail.plan(0), trail.plan(1), trail.verdict()) == (None,) * 4
    assert trail.failure((1, "v00000", 1)) is None


def test_names_that_are_no_records_are_left_alone() -> None:
    store = CountedStore()
    for name in ("plan-x.json", "plan-.json", "receipts/x/v1", "receipts/1/v1/2", "note"):
        store.create(layout.records_prefix(JOB) + name, b"?")
    assert not Trail(store, JOB).follow()


def test_a_job_is_read_in_four_requests_and_summed_up_in_three() -> None:
    store = CountedStore()
    trails.put(store, *trails.completed())
    assert overview.read(store, JOB) is not None
    assert store.requests == 4
    store.requests = 0
    assert overview.summary(store, JOB) is not None
    assert store.requests == 3
    store.delete(layout.verdict(JOB))
    store.requests = 0
    assert overview.summary(store, JOB) is not None
    assert store.requests == 3


def test_a_record_is_read_once() -> None:
    store = CountedStore()
    trails.put(store, *trails.completed())
    trail = Trail(store, JOB)
    trail.follow()
    overview.of(trail)
    store.requests = 0
    overview.of(trail)
    assert store.requests == 0
    trail.follow()
    assert store.requests == 1


def test_ten_thousand_tasks_are_listed_once_and_afterwards_only_their_ends() -> None:
    store = CountedStore()
    plan = trails.plan_of(10_000)
    trails.put(store, trails.manifest(), trails.plan(plan))
    for number in range(9_000):
        store.create(layout.receipt(JOB, 1, f"v{number:05d}"), b"")
    trail = Trail(store, JOB)
    trail.follow()
    assert store.requests == 10  # pages
    assert overview.of(trail) is not None
    for number in range(9_000, 9_020):
        store.create(layout.receipt(JOB, 1, f"v{number:05d}"), b"")
        store.requests = 0
        assert trail.follow()
        # Failures and plans, the sound and three tasks by name, and what comes after.
        assert store.requests == 2 + STRAGGLERS
        assert f"v{number:05d}" in trail.done(1)


MANY = WHOLE + 100
PLAN = trails.plan_of(MANY)


@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_whatever_comes_in_whatever_order_is_found_at_the_next_look(data: st.DataObject) -> None:
    store = MemoryStore()
    trails.put(store, trails.manifest(), trails.plan(PLAN))
    tasks = [task.id for task in PLAN.tasks]
    first = data.draw(st.sets(st.sampled_from(tasks), max_size=8).map(lambda out: [*out]))
    for task in tasks:
        if task not in first and task < f"v{MANY - 20:05d}":
            store.create(layout.receipt(JOB, 1, task), b"")
    trail = Trail(store, JOB)
    trail.follow()
    assert len(trail.done(1)) > WHOLE
    left = data.draw(st.permutations([task for task in tasks if task not in trail.done(1)]))
    while left:
        share = data.draw(st.integers(1, len(left)))
        for task in left[:share]:
            store.create(layout.receipt(JOB, 1, task), b"")
        left = left[share:]
        if data.draw(st.booleans()):
            trails.put(store, trails.failure(tasks[0], len(left) + 1))
        assert trail.follow()
        assert set(trail.done(1)) == set(tasks) - set(left)
    trails.put(store, trails.verdict())
    assert trail.follow()
    assert trail.verdict() is not None
