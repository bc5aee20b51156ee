"""A job's tasks and its progress as people see them."""

from __future__ import annotations

from typing import Any

import pytest

from functions.jobs import leases, overview, tasks
from functions.jobs.overview import Overview
from functions.ports import Waiting
from tests import trails
from tests.fakes import ManualClock, MemoryState
from tests.trails import JOB, CountedStore, Record

PLAN = trails.plan_of(3)


def seen(*records: Record) -> Overview:
    store = CountedStore()
    trails.put(store, trails.manifest(), trails.plan(PLAN), *records)
    found = overview.read(store, JOB)
    assert found is not None
    return found


def by_id(job: Overview) -> dict[str, tasks.Task]:
    return {task.id: task for task in tasks.of(job)}


def states(job: Overview) -> dict[str, str]:
    return {task.id: task.state for task in tasks.of(job)}


def working(*held: str) -> MemoryState:
    """A state store in which workers hold these tasks, and one more has a slot."""
    state = MemoryState(clock=ManualClock())
    for number, task in enumerate([*held, "v00002"]):
        state.enqueue(
            [
                Waiting(
                    job=JOB, generation=1, task=task, tenant="acme", accelerator="cpu", order=number
                )
            ]
        )
    state.admit("cpu", cause="test", limit=9, ttl_s=60)
    for task in held:
        state.acquire(leases.task(JOB, 1, task), f"worker/of/{task}/9f86", ttl_s=30)
    return state


def test_a_task_runs_while_somebody_holds_it_and_waits_with_a_slot_alone() -> None:
    state = working("v00000", "v00001", "a1")
    state.report_progress(JOB, 1, "v00001", 25)
    state.report_progress(JOB, 1, "a1", 192_000)
    job = overview.live(seen(trails.receipt("v00000"), trails.failure("v00001", 1)), state)
    assert states(job) == {
        "v00000": "done",
        "v00001": "running",
        "v00002": "waiting",
        "a1": "running",
    }
    found = by_id(job)
    assert (found["v00001"].worker, found["v00001"].attempts) == ("worker/of/v00001", 2)
    assert (found["v00001"].frames_done, found["v00001"].share) == (25, 0.25)
    assert (found["a1"].frames_done, found["a1"].share) == (0, 0.5)
    assert (found["v00002"].worker, found["v00002"].attempts) == ("", 0)


def test_of_a_failed_job_the_tasks_that_failed_are_named() -> None:
    job = seen(trails.failure("v00001", 1), trails.failure("v00001", 2), trails.verdict("failed"))
    assert states(job)["v00001"] == "failed"
    assert by_id(job)["v00001"].attempts == 2
    assert states(job)["v00002"] == "waiting"


def test_a_job_that_was_called_off_has_tasks_that_nobody_works_on() -> None:
    job = seen(trails.verdict("cancelled"))
    assert overview.live(job, working("v00000")) is job
    assert set(states(job).values()) == {"waiting"}


def test_who_did_a_task_and_what_it_made_stands_in_its_receipt() -> None:
    store = CountedStore()
    trails.put(store, trails.receipt("v00001"))
    made = tasks.made(store, PLAN, "v00001")
    assert made == tasks.Made(worker="worker-of-v00001", size_bytes=200)
    assert tasks.made(store, PLAN, "v00002") is None
    job = seen(trails.receipt("v00001"))
    shown = {
        task.id: tasks.as_json(task) for task in tasks.of(job, {"v00001": made}, but={"v00000"})
    }
    assert shown["v00001"] == {
        "id": "v00001",
        "kind": "video",
        "renditions": ["720p", "360p"],
        "start": 100,
        "stop": 200,
        "state": "done",
        "worker": "worker-of-v00001",
        "attempts": 1,
        "frames_done": 100,
        "share": 1.0,
        "size_bytes": 200,
    }
    assert list(shown) == ["v00001", "v00002", "a1"]


def progress_of(job: Overview, *, after_s: float) -> dict[str, Any]:
    shown: dict[str, Any] = overview.as_json(job, now_s=trails.ACCEPTED_S + after_s)["progress"]
    return shown


def test_speed_counts_from_the_plan_and_what_remains_follows_from_it() -> None:
    job = overview.with_progress(seen(trails.receipt("v00000")), {"v00001": 50, "a1": 192_000})
    assert progress_of(job, after_s=2.0) == {
        "share": 0.5,
        "frames_done": 150,
        "frames_total": 300,
        "tasks_done": 1,
        "tasks_total": 4,
        "speed": 3.0,
        "eta_s": 2.0,
    }
    assert progress_of(job, after_s=0.0)["speed"] is None
    assert progress_of(seen(), after_s=5.0)["eta_s"] is None


def test_before_its_plan_nothing_is_known_of_how_far_a_job_is() -> None:
    store = CountedStore()
    trails.put(store, trails.manifest())
    job = overview.read(store, JOB)
    assert job is not None
    assert (job.state, list(tasks.of(job))) == ("accepted", [])
    shown = progress_of(job, after_s=9.0)
    assert (shown["share"], shown["frames_done"], shown["tasks_done"]) == (0, 0, 0)
    assert (shown["frames_total"], shown["tasks_total"], shown["eta_s"]) == (None, None, None)
    assert overview.as_json(job, now_s=0.0)["generation"] is None
    assert job.encoding_s(trails.ACCEPTED_S + 9.0) == 0.0


def test_a_preparation_stays_one_until_the_next_plan() -> None:
    store = CountedStore()
    trails.put(store, trails.manifest(), trails.plan(trails.preparation()), trails.receipt("m1"))
    job = overview.read(store, JOB)
    assert job is not None
    assert job.state == "preparing"
    assert [(task.id, task.kind, task.state) for task in tasks.of(job)] == [
        ("m1", "mezzanine", "done")
    ]
    assert progress_of(job, after_s=1.0)["tasks_done"] == 1


@pytest.mark.parametrize("brief", [True, False])
def test_an_ended_job_looks_the_same_at_any_time(brief: bool) -> None:
    store = CountedStore()
    trails.put(store, *trails.completed())
    job = (overview.summary if brief else overview.read)(store, JOB)
    assert job is not None
    assert overview.as_json(job, now_s=0.0) == overview.as_json(job, now_s=9e9)
    shown = progress_of(job, after_s=0.0)
    assert (shown["share"], shown["tasks_done"], shown["tasks_total"]) == (1.0, 3, 3)
    frames = (shown["frames_done"], shown["frames_total"])
    assert frames == ((None, None) if brief else (200, 200))


@pytest.mark.parametrize("state", ["failed", "cancelled"])
def test_a_list_says_of_an_ended_job_what_its_page_says_or_that_it_does_not_know(
    state: Any,
) -> None:
    store = CountedStore()
    trails.put(
        store,
        trails.manifest(),
        trails.plan(trails.plan_of(3)),
        trails.receipt("v00000"),
        trails.verdict(state, code="deadline", reason="Too late."),
    )
    page, line = overview.read(store, JOB), overview.summary(store, JOB)
    assert page is not None and line is not None
    whole, brief = (overview.as_json(job, now_s=0.0) for job in (page, line))
    assert brief["generation"] == whole["generation"] == 1
    for name, value in brief["progress"].items():
        assert value in (whole["progress"][name], None), name
    assert brief["progress"]["tasks_done"] == 1
    assert brief["progress"]["share"] is brief["progress"]["tasks_total"] is None
