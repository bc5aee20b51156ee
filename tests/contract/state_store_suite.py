"""What every StateStore keeps of the port's promises. An adapter's test inherits these classes.

`StateStoreSuite` wants the fixtures `clock`, which the tests advance, and `state`, which lives by
it; `SharedStateStoreSuite` also `location`, an address at which other processes find it.
"""

from __future__ import annotations

import itertools
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import ClassVar

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from functions.ports import Slot, StateStore, Waiting
from tests.contract.racer import race
from tests.fakes import ManualClock, MemoryState

HELD_S = 60.0


def waiting(
    job: str,
    order: int,
    *,
    tenant: str = "anna",
    generation: int = 1,
    accelerator: str = "cpu",
    tenant_priority: int = 0,
    priority: int = 0,
    length: str = "short",
) -> Waiting:
    return Waiting(
        job=job,
        generation=generation,
        task=f"v{order}",
        tenant=tenant,
        accelerator=accelerator,
        order=order,
        tenant_priority=tenant_priority,
        priority=priority,
        length=length,
    )


def names(slots: Sequence[Slot]) -> list[str]:
    return [f"{slot.job}/{slot.task}" for slot in slots]


def admit(state: StateStore, cause: str, *, limit: int, accelerator: str = "cpu") -> list[str]:
    return names(state.admit(accelerator, cause=cause, limit=limit, ttl_s=HELD_S))


class StateStoreSuite:
    many: ClassVar[int] = 10_000
    """Tasks that wait at once in the test of many."""

    # Leases

    def test_a_lease_has_one_holder(self, state: StateStore) -> None:
        assert not state.held("task")
        assert state.acquire("task", "anna", ttl_s=10)
        assert state.held("task")
        assert not state.acquire("task", "ben", ttl_s=10)
        assert state.acquire("other", "ben", ttl_s=10)

    def test_the_holders_of_leases_are_known_while_they_have_them(
        self, state: StateStore, clock: ManualClock
    ) -> None:
        state.acquire("a", "anna", ttl_s=10)
        state.acquire("b", "ben", ttl_s=20)
        assert state.holders(["a", "b", "free"]) == {"a": "anna", "b": "ben"}
        assert state.holders([]) == {}
        assert state.holders([f"free{number}" for number in range(2000)] + ["a"]) == {"a": "anna"}
        clock.advance(10)
        assert state.holders(["a", "b"]) == {"b": "ben"}
        state.release("b", "ben")
        assert state.holders(["a", "b"]) == {}

    def test_a_lease_can_be_acquired_again_by_its_holder(self, state: StateStore) -> None:
        assert state.acquire("task", "anna", ttl_s=10)
        assert state.acquire("task", "anna", ttl_s=10)

    def test_a_lease_ends_when_its_time_is_over(
        self, state: StateStore, clock: ManualClock
    ) -> None:
        state.acquire("task", "anna", ttl_s=10)
        clock.advance(9)
        assert state.held("task")
        assert not state.acquire("task", "ben", ttl_s=10)
        clock.advance(1)
        assert not state.held("task")
        assert not state.renew("task", "anna", ttl_s=10)
        assert state.acquire("task", "ben", ttl_s=10)
        assert not state.renew("task", "anna", ttl_s=10)

    def test_a_renewed_lease_lives_on(self, state: StateStore, clock: ManualClock) -> None:
        state.acquire("task", "anna", ttl_s=10)
        for _ in range(5):
            clock.advance(8)
            assert state.renew("task", "anna", ttl_s=10)
        assert not state.renew("task", "ben", ttl_s=10)
        assert not state.renew("none", "anna", ttl_s=10)
        assert state.held("task")

    def test_only_the_holder_can_give_a_lease_back(self, state: StateStore) -> None:
        state.acquire("task", "anna", ttl_s=10)
        state.release("task", "ben")
        assert state.held("task")
        state.release("task", "anna")
        state.release("task", "anna")
        assert not state.held("task")
        assert state.acquire("task", "ben", ttl_s=10)

    def test_the_leases_of_one_that_died_are_given_back(self, state: StateStore) -> None:
        for lease, holder in (("a", "anna"), ("b", "anna"), ("c", "ben")):
            state.acquire(lease, holder, ttl_s=10)
        state.release_all("anna")
        assert [state.held(lease) for lease in "abc"] == [False, False, True]
        state.acquire("a", "anna", ttl_s=10)
        state.release_all("")
        assert not any(state.held(lease) for lease in "abc")

    def test_of_many_threads_one_acquires(self, state: StateStore) -> None:
        start = threading.Barrier(8)

        def run(holder: int) -> list[int]:
            start.wait()
            return [n for n in range(20) if state.acquire(f"{n}", f"{holder}", ttl_s=10)]

        with ThreadPoolExecutor(8) as pool:
            won = list(pool.map(run, range(8)))
        assert sorted(itertools.chain(*won)) == list(range(20))

    # Join

    def test_the_join_is_complete_with_its_last_task_and_ever_after(
        self, state: StateStore
    ) -> None:
        assert not state.complete("job", 1, "v0", total=3)
        assert not state.complete("job", 1, "v2", total=3)
        assert state.complete("job", 1, "v1", total=3)
        assert state.complete("job", 1, "v0", total=3)

    def test_a_generation_joins_for_itself(self, state: StateStore) -> None:
        assert not state.complete("job", 1, "v0", total=2)
        assert not state.complete("job", 2, "v0", total=2)
        assert not state.complete("other", 1, "v1", total=2)
        assert state.complete("job", 1, "v1", total=2)
        assert not state.complete("job", 2, "v0", total=2)

    @settings(
        max_examples=60,
        deadline=None,
        suppress_health_check=[
            HealthCheck.function_scoped_fixture,
            HealthCheck.differing_executors,
        ],
    )
    @given(order=st.lists(st.integers(0, 5), max_size=30), total=st.integers(1, 6))
    def test_the_join_is_a_set_and_never_a_counter(
        self, state: StateStore, order: list[int], total: int
    ) -> None:
        state.forget("job")
        seen = set()
        for number in (number % total for number in order):
            seen.add(number)
            joined = state.complete("job", 1, f"v{number}", total=total)
            assert joined == (len(seen) == total)

    def test_receipts_are_noted_together(self, state: StateStore) -> None:
        assert not state.complete("job", 1, total=4)
        assert not state.complete("job", 1, "v0", "v1", total=4)
        assert not state.complete("job", 1, "v1", "v2", "v1", total=4)
        assert not state.complete("job", 2, "v0", "v1", "v2", total=4)
        assert state.complete("job", 1, "v0", "v3", total=4)
        assert state.complete("job", 1, total=4)

    def test_of_thousands_noted_together_none_waits_or_holds_a_slot_any_more(
        self, state: StateStore
    ) -> None:
        count = 10_000  # more than Lua takes as arguments of one call
        state.enqueue([waiting("job", order) for order in range(count)])
        state.enqueue([waiting("other", order) for order in range(3)])
        assert len(admit(state, "start", limit=4)) == 4
        every = [f"v{order}" for order in range(count)]
        assert not state.complete("job", 1, *every[:-1], total=count)
        assert admit(state, "rest", limit=9) == [f"job/v{count - 1}", "other/v2"]
        assert state.complete("job", 1, every[-1], total=count)
        assert names(state.slots("job")) == []
        assert names(state.slots("other")) == ["other/v0", "other/v1", "other/v2"]

    def test_some_thread_finds_the_join_complete(self, state: StateStore) -> None:
        def run(thread: int) -> bool:
            mine = range(thread, 80, 8)
            return [state.complete("job", 1, f"v{n}", total=80) for n in mine][-1]

        with ThreadPoolExecutor(8) as pool:
            assert any(pool.map(run, range(8)))

    # Admission

    def test_slots_are_given_in_the_order_of_the_plan(self, state: StateStore) -> None:
        state.enqueue([waiting("job", order) for order in (3, 0, 2, 1)])
        assert admit(state, "start", limit=3) == ["job/v0", "job/v1", "job/v2"]
        assert names(state.slots("job")) == ["job/v0", "job/v1", "job/v2"]

    def test_a_slot_says_what_was_granted_and_when(
        self, state: StateStore, clock: ManualClock
    ) -> None:
        state.enqueue([waiting("job", 0, generation=2, accelerator="gpu")])
        (slot,) = state.admit("gpu", cause="start", limit=1, ttl_s=HELD_S)
        assert slot == Slot(
            job="job",
            generation=2,
            task="v0",
            accelerator="gpu",
            length="short",
            granted_s=clock.now_s,
        )
        assert state.slots("job") == [slot]

    def test_a_slot_has_the_length_of_its_task_as_often_as_it_is_given(
        self, state: StateStore, clock: ManualClock
    ) -> None:
        state.enqueue([waiting("job", 0, length="long"), waiting("job", 1)])
        for cause in ("start", "again"):
            slots = state.admit("cpu", cause=cause, limit=2, ttl_s=HELD_S)
            assert [slot.length for slot in slots] == ["long", "short"]
            assert state.slots("job") == state.granted("cpu") == slots
            clock.advance(HELD_S)
        state.forget("job")
        state.enqueue([waiting("job", 0)])
        (slot,) = state.admit("cpu", cause="anew", limit=1, ttl_s=HELD_S)
        assert slot.length == "short"

    def test_the_slots_of_an_accelerator_are_those_of_all_jobs(
        self, state: StateStore, clock: ManualClock
    ) -> None:
        assert state.granted("cpu") == []
        state.enqueue([waiting(job, order) for job in ("b", "a:c") for order in range(2)])
        state.enqueue([waiting("g", 0, accelerator="gpu")])
        admit(state, "start", limit=3)
        admit(state, "start", limit=3, accelerator="gpu")
        assert names(state.granted("cpu")) == ["a:c/v0", "b/v0", "a:c/v1"]
        assert names(state.granted("gpu")) == ["g/v0"]
        state.complete("b", 1, "v0", total=2)
        assert names(state.granted("cpu")) == ["a:c/v0", "a:c/v1"]
        clock.advance(HELD_S)
        assert state.granted("cpu") == []

    def test_a_slot_is_not_lost_while_somebody_keeps_it(
        self, state: StateStore, clock: ManualClock
    ) -> None:
        state.enqueue([waiting("job", order) for order in range(2)])
        assert admit(state, "start", limit=1) == ["job/v0"]
        for _ in range(4):
            clock.advance(HELD_S / 2)
            state.keep_slot("job", 1, "v0", ttl_s=HELD_S / 2 + 1)
        assert admit(state, "late", limit=1) == []
        assert names(state.slots("job")) == ["job/v0"]
        clock.advance(HELD_S / 2 + 1)
        assert admit(state, "lost", limit=1) == ["job/v0"]

    def test_to_keep_a_slot_never_shortens_it_and_gives_none(
        self, state: StateStore, clock: ManualClock
    ) -> None:
        state.enqueue([waiting("job", order) for order in range(2)])
        admit(state, "start", limit=1)
        state.keep_slot("job", 1, "v0", ttl_s=1)
        state.keep_slot("job", 1, "v1", ttl_s=HELD_S)
        state.keep_slot("none", 1, "v1", ttl_s=HELD_S)
        clock.advance(HELD_S - 1)
        assert names(state.slots("job")) == ["job/v0"]
        assert state.slots("none") == []
        clock.advance(1)
        assert state.slots("job") == []

    def test_a_completed_task_frees_its_slot_once(self, state: StateStore) -> None:
        state.enqueue([waiting("job", order) for order in range(6)])
        assert admit(state, "start", limit=2) == ["job/v0", "job/v1"]
        state.complete("job", 1, "v0", total=6)
        state.complete("job", 1, "v0", total=6)
        assert admit(state, "v0 done", limit=2) == ["job/v2"]
        assert admit(state, "nothing new", limit=2) == []

    def test_the_same_cause_is_answered_the_same_until_its_tasks_are_complete(
        self, state: StateStore
    ) -> None:
        state.enqueue([waiting("job", order) for order in range(6)])
        assert admit(state, "start", limit=3) == ["job/v0", "job/v1", "job/v2"]
        assert admit(state, "start", limit=3) == ["job/v0", "job/v1", "job/v2"]
        assert admit(state, "other", limit=3) == []
        state.complete("job", 1, "v1", total=6)
        assert admit(state, "other", limit=3) == ["job/v3"]
        assert admit(state, "start", limit=3) == ["job/v0", "job/v2"]
        assert admit(state, "start", limit=4) == ["job/v0", "job/v2", "job/v4"]

    def test_accelerators_have_slots_of_their_own(self, state: StateStore) -> None:
        state.enqueue([waiting("job", order) for order in range(2)])
        state.enqueue([waiting("job", order, accelerator="gpu") for order in range(2, 4)])
        assert admit(state, "start", limit=1) == ["job/v0"]
        assert admit(state, "start", limit=1, accelerator="gpu") == ["job/v2"]
        assert admit(state, "start", limit=1) == ["job/v0"]

    def test_enqueueing_again_changes_nothing(self, state: StateStore) -> None:
        tasks = [waiting("job", order) for order in range(4)]
        state.enqueue(tasks)
        assert admit(state, "start", limit=2) == ["job/v0", "job/v1"]
        state.complete("job", 1, "v0", total=4)
        state.enqueue(tasks)
        state.enqueue([])
        assert names(state.slots("job")) == ["job/v1"]
        assert admit(state, "more", limit=9) == ["job/v2", "job/v3"]

    def test_a_task_completed_before_it_was_granted_waits_no_more(self, state: StateStore) -> None:
        state.complete("job", 1, "v1", total=3)
        state.enqueue([waiting("job", order) for order in range(3)])
        state.complete("job", 1, "v0", total=3)
        assert admit(state, "start", limit=9) == ["job/v2"]

    def test_a_lost_slot_waits_again_in_its_place(
        self, state: StateStore, clock: ManualClock
    ) -> None:
        state.enqueue([waiting("job", order) for order in range(3)])
        assert admit(state, "start", limit=1) == ["job/v0"]
        clock.advance(HELD_S - 1)
        assert admit(state, "too early", limit=1) == []
        clock.advance(1)
        assert state.slots("job") == []
        assert admit(state, "now", limit=1) == ["job/v0"]
        assert admit(state, "start", limit=1) == []

    def test_what_was_forgotten_is_gone(self, state: StateStore) -> None:
        state.enqueue([waiting(job, order) for job in ("one", "two") for order in range(3)])
        admit(state, "start", limit=2)
        state.complete("one", 1, "v0", total=3)
        state.report_progress("one", 1, "v0", 5)
        state.forget("one")
        state.forget("one")
        assert state.slots("one") == []
        assert state.progress("one") == {}
        assert admit(state, "more", limit=9) == ["two/v1", "two/v2"]
        assert not state.complete("one", 1, "v1", total=2)

    def test_who_was_served_least_recently_is_next(self, state: StateStore) -> None:
        state.enqueue([waiting("a", order, tenant="anna") for order in range(9)])
        assert admit(state, "1", limit=4) == ["a/v0", "a/v1", "a/v2", "a/v3"]
        state.enqueue([waiting("b", order, tenant="ben") for order in range(9)])
        state.enqueue([waiting("c", order, tenant="ben") for order in range(9)])
        assert admit(state, "2", limit=10) == ["b/v0", "a/v4", "c/v0", "a/v5", "b/v1", "a/v6"]

    def test_who_comes_back_takes_the_place_that_is_theirs(self, state: StateStore) -> None:
        state.enqueue([waiting("a", order, tenant="anna") for order in range(9)])
        state.enqueue([waiting("b", 0, tenant="ben")])
        assert admit(state, "1", limit=3) == ["a/v0", "b/v0", "a/v1"]
        state.enqueue([waiting("b", 1, tenant="ben"), waiting("c", 0, tenant="cleo")])
        assert admit(state, "2", limit=6) == ["c/v0", "b/v1", "a/v2"]

    def test_tenants_of_a_higher_priority_go_before_all_others(self, state: StateStore) -> None:
        state.enqueue([waiting("a", order, tenant="anna") for order in range(2)])
        state.enqueue([waiting("b", 0, tenant="ben", tenant_priority=-1, priority=9)])
        state.enqueue(
            [waiting(job, order, tenant=job, tenant_priority=5) for job in "xy" for order in (0, 1)]
        )
        granted = ["x/v0", "y/v0", "x/v1", "y/v1", "a/v0", "a/v1", "b/v0"]
        assert admit(state, "start", limit=9) == granted

    def test_jobs_of_a_higher_priority_go_before_others_of_their_tenant_alone(
        self, state: StateStore
    ) -> None:
        state.enqueue([waiting("low", 0, priority=-9)])
        state.enqueue([waiting("usual", order) for order in (0, 1)])
        state.enqueue([waiting(job, order, priority=3) for job in ("p", "q") for order in (1, 0)])
        state.enqueue([waiting("b", order, tenant="ben") for order in range(4)])
        granted = ["p/v0", "b/v0", "q/v0", "b/v1", "p/v1", "b/v2", "q/v1", "b/v3"]
        assert admit(state, "start", limit=8) == granted
        assert admit(state, "more", limit=99) == ["usual/v0", "usual/v1", "low/v0"]

    def test_who_comes_late_with_a_higher_priority_is_next(self, state: StateStore) -> None:
        state.enqueue([waiting("a", order) for order in range(4)])
        assert admit(state, "1", limit=2) == ["a/v0", "a/v1"]
        state.enqueue([waiting("urgent", 0, priority=1)])
        state.enqueue([waiting("b", 0, tenant="ben", tenant_priority=1)])
        assert admit(state, "2", limit=5) == ["b/v0", "urgent/v0", "a/v2"]

    def test_a_lost_slot_keeps_its_priority(self, state: StateStore, clock: ManualClock) -> None:
        state.enqueue([waiting("a", 0, priority=1), waiting("b", 0)])
        assert admit(state, "1", limit=1) == ["a/v0"]
        clock.advance(HELD_S)
        assert admit(state, "2", limit=1) == ["a/v0"]

    @settings(
        max_examples=60,
        deadline=None,
        suppress_health_check=[
            HealthCheck.function_scoped_fixture,
            HealthCheck.differing_executors,
        ],
    )
    @given(
        jobs=st.lists(st.integers(1, 3), min_size=1, max_size=5),
        limits=st.sets(st.integers(1, 40), min_size=1, max_size=5),
    )
    def test_while_all_wait_no_tenant_gets_two_more_than_another(
        self, state: StateStore, jobs: list[int], limits: set[int]
    ) -> None:
        by_job = {
            f"tenant{n}": Counter({f"{n}-{job}": 0 for job in range(count)})
            for n, count in enumerate(jobs)
        }
        tenants = {job: tenant for tenant, mine in by_job.items() for job in mine}
        state.enqueue(
            [
                waiting(job, order, tenant=tenant)
                for job, tenant in tenants.items()
                for order in range(40)
            ]
        )
        for limit in sorted(limits):
            for slot in state.admit("cpu", cause=f"{limit}", limit=limit, ttl_s=HELD_S):
                by_job[tenants[slot.job]][slot.job] += 1
            served = [mine.total() for mine in by_job.values()]
            assert sum(served) == limit
            assert max(served) - min(served) <= 1
            for mine in by_job.values():
                assert max(mine.values()) - min(mine.values()) <= 1
        for job in tenants:
            state.forget(job)

    def test_one_long_job_does_not_keep_a_short_one_waiting(self, state: StateStore) -> None:
        state.enqueue([waiting("long", order) for order in range(1000)])
        granted = admit(state, "start", limit=4)
        state.enqueue([waiting("short", order) for order in range(3)])
        for task in itertools.count():
            state.complete("long", 1, granted[0].removeprefix("long/"), total=1000)
            granted = granted[1:] + admit(state, f"done {task}", limit=4)
            if "short/v2" in granted:
                break
            if not granted[0].startswith("long/"):
                state.complete("short", 1, granted.pop(0).removeprefix("short/"), total=3)
        assert task <= 6

    def test_many_tasks_flow_through(self, state: StateStore) -> None:
        count = self.many
        state.enqueue([waiting(f"job{n % 7}", n, tenant=f"t{n % 3}") for n in range(count)])
        flowing = state.admit("cpu", cause="start", limit=500, ttl_s=HELD_S)
        assert len(flowing) == 500
        for slot in flowing[:200]:
            state.complete(slot.job, 1, slot.task, total=count)
            cause = f"{slot.job}/{slot.task}"
            assert len(state.admit("cpu", cause=cause, limit=500, ttl_s=HELD_S)) == 1

    def test_threads_together_never_exceed_the_limit(self, state: StateStore) -> None:
        state.enqueue([waiting("job", order) for order in range(200)])

        def run(thread: int) -> list[str]:
            return [
                task for n in range(10) for task in admit(state, f"{thread}-{n}", limit=3 + n // 2)
            ]

        with ThreadPoolExecutor(8) as pool:
            granted = list(itertools.chain(*pool.map(run, range(8))))
        assert len(granted) == len(set(granted)) == 7

    # Progress

    def test_progress_is_the_last_word_of_each_task(self, state: StateStore) -> None:
        assert state.progress("job") == {}
        state.report_progress("job", 1, "v0", 10)
        state.report_progress("job", 1, "v1", 7)
        state.report_progress("job", 1, "v0", 20)
        state.report_progress("other", 1, "v0", 1)
        assert state.progress("job") == {"v0": 20, "v1": 7}

    def test_progress_is_of_all_generations_the_latest_that_has_the_task(
        self, state: StateStore
    ) -> None:
        state.report_progress("job", 1, "a1", 10)
        state.report_progress("job", 2, "v0", 7)
        state.report_progress("job", 10, "v1", 1)
        state.report_progress("job", 1, "v0", 99)
        state.report_progress("job", 1, "a1", 11)
        assert state.progress("job") == {"a1": 11, "v0": 7, "v1": 1}


class SharedStateStoreSuite(StateStoreSuite):
    def test_processes_together_never_exceed_the_limit(
        self, state: StateStore, location: str
    ) -> None:
        state.enqueue([waiting("job", order) for order in range(500)])
        granted = race("admit", location, names="ABCD", count=50)
        tasks = list(itertools.chain(*granted.values()))
        assert len(tasks) == len(set(tasks)) == 50

    def test_some_process_finds_the_join_complete(self, state: StateStore, location: str) -> None:
        completed = race("complete", location, names="ABCD", count=50)
        assert any(completed.values())
        assert state.complete("job", 1, "A0", total=200)


_JOBS = st.sampled_from(["job0", "job1", "job2", "job3"])
_TASKS = st.integers(0, 5)
_CAUSES = st.sampled_from(["cause0", "cause1", "cause2"])
_ACCELERATORS = st.sampled_from(["cpu", "gpu"])
_PRIORITIES = st.sampled_from([0, 0, 0, 9, -9])


def _tenant(job: str) -> str:
    return "anna" if job in ("job0", "job1") else job


def keeps_the_laws_of_admission(make: Callable[[ManualClock], StateStore]) -> None:
    """Any history: the store answers as the plain one in memory does, and keeps to the limit."""

    class Admission(RuleBasedStateMachine):
        def __init__(self) -> None:
            super().__init__()
            self.clock = ManualClock()
            self.state = make(self.clock)
            self.model = MemoryState(clock=self.clock)
            self.limit = 1
            self.complete_: set[tuple[str, str]] = set()

        @rule(
            job=_JOBS,
            tasks=st.lists(_TASKS, max_size=6),
            accelerator=_ACCELERATORS,
            tenant_priority=_PRIORITIES,
            priority=_PRIORITIES,
        )
        def enqueue(
            self,
            job: str,
            tasks: list[int],
            accelerator: str,
            tenant_priority: int,
            priority: int,
        ) -> None:
            wanted = [
                waiting(
                    job,
                    order,
                    tenant=_tenant(job),
                    accelerator=accelerator,
                    tenant_priority=tenant_priority,
                    priority=priority,
                    length="short" if order % 3 else "long",
                )
                for order in tasks
            ]
            self.state.enqueue(wanted)
            self.model.enqueue(wanted)

        @rule(cause=_CAUSES, limit=st.integers(0, 6), accelerator=_ACCELERATORS)
        def admit(self, cause: str, limit: int, accelerator: str) -> None:
            self.limit = max(self.limit, limit)
            got = self.state.admit(accelerator, cause=cause, limit=limit, ttl_s=HELD_S)
            assert got == self.model.admit(accelerator, cause=cause, limit=limit, ttl_s=HELD_S)
            assert {slot.accelerator for slot in got} <= {accelerator}
            assert not {(slot.job, slot.task) for slot in got} & self.complete_

        @rule(job=_JOBS, tasks=st.lists(_TASKS, max_size=3))
        def complete(self, job: str, tasks: list[int]) -> None:
            receipts = [f"v{task}" for task in tasks]
            joined = self.state.complete(job, 1, *receipts, total=6)
            assert joined == self.model.complete(job, 1, *receipts, total=6)
            self.complete_ |= {(job, receipt) for receipt in receipts}
            assert joined == (sum(done == job for done, _ in self.complete_) == 6)

        @precondition(lambda self: self.complete_)
        @rule(data=st.data())
        def complete_again(self, data: st.DataObject) -> None:
            job, task = data.draw(st.sampled_from(sorted(self.complete_)))
            self.complete(job, [int(task[1:])])

        @rule(job=_JOBS, task=_TASKS, seconds=st.sampled_from([1.0, HELD_S, 2 * HELD_S]))
        def keep_slot(self, job: str, task: int, seconds: float) -> None:
            self.state.keep_slot(job, 1, f"v{task}", ttl_s=seconds)
            self.model.keep_slot(job, 1, f"v{task}", ttl_s=seconds)

        @rule(job=_JOBS)
        def forget(self, job: str) -> None:
            self.state.forget(job)
            self.model.forget(job)
            self.complete_ = {name for name in self.complete_ if name[0] != job}

        @rule(seconds=st.sampled_from([1.0, HELD_S / 2, HELD_S]))
        def time_passes(self, seconds: float) -> None:
            self.clock.advance(seconds)

        @invariant()
        def slots_are_as_in_the_model_and_within_the_limit(self) -> None:
            held = []
            for n in range(4):
                slots = self.state.slots(f"job{n}")
                assert slots == self.model.slots(f"job{n}")
                held += slots
            for accelerator in ("cpu", "gpu"):
                assert self.state.granted(accelerator) == self.model.granted(accelerator)
                assert sum(slot.accelerator == accelerator for slot in held) <= self.limit

    run_state_machine_as_test(
        Admission,
        settings=settings(max_examples=50, stateful_step_count=40, deadline=None),
    )
