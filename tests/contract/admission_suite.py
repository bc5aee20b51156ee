"""What every StateStore keeps of slots: who gets one, for how long, and who is next."""

from __future__ import annotations

import itertools
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import ClassVar

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from functions.ports import Slot, StateStore
from tests.contract.waiting import HELD_S, admit, names, waiting
from tests.fakes import ManualClock


class AdmissionSuite:
    many: ClassVar[int] = 10_000
    """Tasks that wait at once in the test of many."""

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
