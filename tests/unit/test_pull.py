"""Pull mode: each task that waits is handled once, and a pod without work goes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from eventing import job, pull
from eventing.cloudevent import CloudEvent
from eventing.contract import Event, TaskCompleted, TaskReady
from eventing.envelope import unwrap
from eventing.errors import Rejected, Unavailable
from eventing.host import Host
from functions.encoder.pull import due
from functions.jobs import leases
from functions.ports import Waiting
from tests.contract.event_samples import JOB
from tests.fakes import ManualClock, MemoryState


def ready(task: str) -> TaskReady:
    return TaskReady(job=JOB, generation=1, task=task)


@dataclass
class World:
    """An encoder whose tasks take ten seconds, and what waits for it."""

    waiting: list[str] = field(default_factory=list)
    failing: dict[str, Exception] = field(default_factory=dict)
    later: dict[float, str] = field(default_factory=dict)
    """What comes to wait, by time."""
    clock: ManualClock = field(default_factory=ManualClock)
    done: list[str] = field(default_factory=list)
    told: list[CloudEvent] = field(default_factory=list)
    missing: Exception | None = None

    def encode(self, task: TaskReady) -> Iterator[Event]:
        self.clock.advance(10)
        if task.task in self.failing:
            raise self.failing[task.task]
        self.done.append(task.task)
        yield TaskCompleted(job=JOB, generation=1, task=task.task)

    def due(self) -> list[TaskReady]:
        if self.missing is not None:
            raise self.missing
        for at_s in [at_s for at_s in self.later if at_s <= self.clock()]:
            self.waiting.append(self.later.pop(at_s))
        return [ready(task) for task in self.waiting]

    def work(self) -> int:
        host = Host("encoder", {TaskReady: self.encode}, publish=self.told.append)
        return pull.work(host, self.due, clock=self.clock, sleep=self.clock.advance)


def test_what_waits_is_handled_in_its_order_and_once_though_it_still_waits() -> None:
    world = World(["v0", "v1", "a1"])
    assert world.work() == job.DONE
    assert world.done == ["v0", "v1", "a1"]
    assert [unwrap(event) for event in world.told] == [
        TaskCompleted(job=JOB, generation=1, task=task) for task in world.done
    ]


def test_a_pod_without_work_waits_a_moment_for_more() -> None:
    world = World()
    begun_s = world.clock()
    world.later = {begun_s + pull.LINGER_S - 1: "v0", begun_s + 3 * pull.LINGER_S: "late"}
    assert world.work() == job.DONE
    assert world.done == ["v0"]


def test_a_pod_begins_nothing_after_its_time_however_much_waits() -> None:
    world = World([f"v{number}" for number in range(1000)])
    assert world.work() == job.DONE
    assert len(world.done) == pull.TAKES_S / 10


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (Unavailable("full"), job.NOT_NOW),
        (Rejected("task_unknown", "The plan has no such task."), job.REFUSED),
        (ZeroDivisionError(), job.DEFECT),
    ],
)
def test_what_fails_is_left_to_others_and_stops_nobody(error: Exception, code: int) -> None:
    world = World(["v0", "v1"], failing={"v0": error})
    assert world.work() == code
    assert world.done == ["v1"]


def test_a_state_store_that_is_away_is_asked_again_for_a_moment() -> None:
    world = World(["v0"], missing=Unavailable("no connection"))
    assert world.work() == job.NOT_NOW
    assert world.done == []


@pytest.fixture
def state() -> MemoryState:
    state = MemoryState()
    state.enqueue(
        [
            Waiting(
                job=JOB,
                generation=1,
                task=task,
                tenant="acme",
                accelerator=accelerator,
                order=order,
                length=length,
            )
            for order, (task, accelerator, length) in enumerate(
                [("v0", "cpu", "short"), ("v1", "gpu", "short"), ("a1", "cpu", "long")]
            )
        ]
    )
    return state


def test_only_what_has_a_slot_is_due_and_the_length_is_told(state: MemoryState) -> None:
    assert due(state, "cpu") == []
    state.admit("cpu", cause="start", limit=1, ttl_s=60)
    assert due(state, "cpu") == [ready("v0")]
    state.admit("cpu", cause="more", limit=2, ttl_s=60)
    long = TaskReady(job=JOB, generation=1, task="a1", length="long")
    assert due(state, "cpu") == [ready("v0"), long]
    assert due(state, "gpu") == []


def test_what_somebody_works_on_is_not_due_to_others(state: MemoryState) -> None:
    state.admit("cpu", cause="start", limit=2, ttl_s=60)
    state.acquire(leases.task(JOB, 1, "v0"), "worker", ttl_s=30)
    assert [task.task for task in due(state, "cpu")] == ["a1"]
    state.complete(JOB, 1, "a1", total=3)
    assert due(state, "cpu") == []


@pytest.mark.parametrize("argv", [[], ["a", "b"]])
def test_one_module_is_named(argv: list[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        pull.main(argv)
    assert caught.value.code == "usage: python -m eventing.pull MODULE"
