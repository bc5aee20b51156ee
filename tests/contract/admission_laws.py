"""The laws of admission over any history, against the plain store in memory."""

from __future__ import annotations

from collections.abc import Callable

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from functions.ports import StateStore
from tests.contract.waiting import HELD_S, waiting
from tests.fakes import ManualClock, MemoryState

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
