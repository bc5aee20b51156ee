"""A task that takes far longer than estimated is issued a second time, once, where one is free."""

from __future__ import annotations

from dataclasses import replace

import pytest

from eventing.contract import JobCompleted, TaskReady, identity
from eventing.envelope import unwrap
from functions.encoder.pull import due
from functions.jobs import admission, layout, leases, record, tasks
from functions.jobs.admission import Window
from functions.jobs.receipt import Copy
from functions.sweeper.stragglers import FACTOR, SPARE_S
from tests.flow.media import HUNG_S, Film
from tests.flow.site import Site
from tests.flow.stage import Stage
from tests.sweeps import sweep

LIMIT = 4
ESTIMATE_S = 0.1
"""Of the films that are made up here."""


def working(*, chunks: int = 1, limit: int = LIMIT, worker: str = "w1") -> Stage:
    """Every task that got a slot is worked on from now on."""
    stage = Stage(Film(chunks=chunks, sounds=0), limit=limit)
    for told in admission.due(stage.state, Window(limit=limit, ttl_s=9000), ["cpu"], cause="x"):
        hold(stage, told.task, worker)
    return stage


def hold(stage: Stage, task: str, worker: str = "w1", copy: int = 0) -> None:
    lease = leases.task(stage.job, 1, task, copy)
    assert stage.state.acquire(lease, leases.holder(worker, stage.clock(), "a"), ttl_s=9000)


def copy_of(stage: Stage, task: str = "v0000") -> TaskReady:
    return TaskReady(job=stage.job, generation=1, task=task, copy=1)


def test_a_task_far_beyond_its_estimate_is_issued_a_second_time_and_that_is_on_record() -> None:
    stage = working()
    began_s = stage.clock()
    stage.clock.advance(ESTIMATE_S + SPARE_S)
    assert sweep(stage) == []
    stage.clock.advance(1)
    assert sweep(stage) == [copy_of(stage)]
    told = record.load(stage.store.get(layout.copy(stage.job, 1, "v0000")), Copy)
    assert (told.worker, told.began_s, told.issued_s) == ("w1", began_s, stage.clock())


def test_it_is_issued_a_second_time_once() -> None:
    stage = working()
    stage.clock.advance(100)
    assert sweep(stage) == [copy_of(stage)]
    for _ in range(3):
        stage.clock.advance(100)
        assert sweep(stage) == []


def test_both_events_are_different_ones_and_each_is_itself_again() -> None:
    first, second = (TaskReady(job="1" * 32, generation=1, task="v0", copy=n) for n in (0, 1))
    assert identity(first) != identity(second)
    assert identity(second) == identity(replace(second))


def test_what_was_estimated_to_take_long_may_take_long() -> None:
    stage = working()
    (task,) = stage.plan.tasks
    import msgspec

    minutes = msgspec.structs.replace(task, cost_ms=100_000)
    stage.store.put(layout.plan(stage.job, 1), record.dump(replace(stage.plan, tasks=(minutes,))))
    stage.clock.advance(100 * FACTOR)
    assert sweep(stage) == []
    stage.clock.advance(1)
    assert sweep(stage) == [copy_of(stage)]


def test_where_everything_takes_long_nothing_is_far_beyond() -> None:
    """Another machine is no quicker than this one, by what the job's other tasks took."""
    stage = working(chunks=2)
    done = stage.state
    done.release(leases.task(stage.job, 1, "v0000"), leases.holder("w1", stage.clock(), "a"))
    stage.do("v0000")
    key = layout.receipt(stage.job, 1, "v0000")
    took = replace(stage.receipts()["v0000"], started_s=0.0, finished_s=1000 * ESTIMATE_S)
    stage.store.put(key, record.dump(took))
    stage.clock.advance(140)
    assert sweep(stage) == []
    stage.clock.advance(1000 * ESTIMATE_S * FACTOR)
    assert copy_of(stage, "v0001") in sweep(stage)


@pytest.mark.parametrize(
    ("chunks", "limit", "copies"), [(2, 4, 0), (3, 5, 0), (2, 5, 1), (2, 6, 2)]
)
def test_no_more_are_issued_than_encoders_are_free(chunks: int, limit: int, copies: int) -> None:
    """There are two encoders less than slots."""
    stage = working(chunks=chunks, limit=limit)
    stage.clock.advance(100)
    assert len(sweep(stage)) == copies


def test_the_longest_at_work_comes_first() -> None:
    stage = Stage(Film(chunks=2, sounds=0), limit=5)
    list(admission.due(stage.state, Window(limit=5, ttl_s=9000), ["cpu"], cause="x"))
    hold(stage, "v0001")
    stage.clock.advance(1)
    hold(stage, "v0000")
    stage.clock.advance(100)
    assert sweep(stage) == [copy_of(stage, "v0001")]


def test_a_second_attempt_that_is_at_work_keeps_the_task_from_others() -> None:
    stage = working()
    stage.clock.advance(100)
    assert sweep(stage) == [copy_of(stage)]
    second = leases.task(stage.job, 1, "v0000", 1)
    stage.state.release(second, leases.WANTED)
    hold(stage, "v0000", "w2", copy=1)
    stage.state.release_all(leases.holder("w1", stage.clock() - 100, "a"))
    stage.clock.advance(100)
    assert sweep(stage) == []


def test_those_who_pull_are_told_of_a_second_attempt_that_is_wanted() -> None:
    stage = working()
    assert due(stage.state, "cpu") == []
    stage.clock.advance(100)
    sweep(stage)
    assert due(stage.state, "cpu") == [copy_of(stage)]
    stage.state.release(leases.task(stage.job, 1, "v0000", 1), leases.WANTED)
    hold(stage, "v0000", "w2", copy=1)
    assert due(stage.state, "cpu") == []


def test_whoever_is_seen_at_work_is_the_first_attempt_or_else_the_second() -> None:
    stage = working(worker="w1")
    stage.clock.advance(100)
    sweep(stage)
    assert tasks.workers(stage.state, stage.plan) == {"v0000": "w1"}
    first = leases.task(stage.job, 1, "v0000")
    stage.state.release(first, stage.state.holders([first])[first])
    assert tasks.workers(stage.state, stage.plan) == {}
    second = leases.task(stage.job, 1, "v0000", 1)
    stage.state.release(second, leases.WANTED)
    hold(stage, "v0000", "w2", copy=1)
    assert tasks.workers(stage.state, stage.plan) == {"v0000": "w2"}


def test_a_holder_tells_who_it_is_and_when_it_began() -> None:
    holder = leases.holder("pod-7/a", 1_800_000_000.125, "9f86d0")
    assert leases.worker_of(holder) == "pod-7/a"
    assert leases.began_s(holder) == 1_800_000_000.125
    assert [leases.began_s(each) for each in ("w", "w/9f86", "pod-1/x-y", "")] == [None] * 4


def test_a_job_whose_encoder_hangs_is_completed_by_the_second_attempt() -> None:
    site = Site()
    job = site.drop(Film(chunks=1, rungs=1, sounds=0)).job
    while not any(each.event.type == TaskReady.type for each in site.broker.pending):
        site.deliver(0)
    site.deliver(0, hangs=True)
    began_s = site.clock()
    while not site.told:
        site.tick()
        site.deliver_all()
    assert site.clock() - began_s < HUNG_S / 10
    verdict = site.verdict(job)
    assert verdict is not None
    assert verdict.state == "completed"
    ready = [unwrap(event) for event in site.broker.accepted if event.type == TaskReady.type]
    assert [event.copy for event in ready if isinstance(event, TaskReady)] == [0, 1]
    assert any(event.type == JobCompleted.type for event in site.broker.accepted)
