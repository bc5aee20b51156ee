"""The sweep: whatever stands still is set going again, from the object store alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from eventing.cloudevent import CloudEvent
from eventing.contract import (
    TICK,
    Event,
    JobAccepted,
    JobCancelled,
    JobEncoded,
    JobFailed,
    ObjectCreated,
    SourcePrepared,
    TaskCompleted,
    TaskReady,
    WebhookDue,
)
from eventing.envelope import wrap
from eventing.errors import Unavailable
from functions.jobs import admission, ending, layout, leases, parking, record
from functions.jobs.admission import Window
from functions.jobs.plan import Plan
from functions.jobs.profile import Options
from functions.ports import Slot
from functions.sweeper.handler import KEEP_UNKNOWN_S, Limits, Sweeper
from functions.sweeper.settings import Settings
from functions.sweeper.share import share
from tests.fakes import MemoryUploads
from tests.flow.faults import Fault
from tests.flow.media import Film, plan_of
from tests.flow.stage import Stage
from tests.sweeps import STALE_S, bare, sweep


def ready(plan: Plan, *tasks: str) -> list[TaskReady]:
    return [TaskReady(job=plan.job, generation=plan.generation, task=task) for task in tasks]


# Open jobs.


def test_where_no_job_is_open_the_rest_is_done_without_a_state_store(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stage = bare(Stage())

    def away(accelerator: str) -> list[Slot]:
        raise Unavailable("no connection")

    monkeypatch.setattr(stage.state, "granted", away)
    assert sweep(stage) == []
    stage.accept(Film())
    with pytest.raises(Unavailable):
        sweep(stage)


def test_a_job_that_moves_is_left_alone() -> None:
    stage = Stage()
    list(admission.due(stage.state, Window(limit=3, ttl_s=900), ["cpu"], cause="x"))
    assert sweep(stage) == []


def test_a_job_without_a_plan_is_accepted_again_once_that_took_too_long() -> None:
    stage = bare(Stage())
    job = stage.accept(Film(), planned=False).job
    assert sweep(stage) == []
    stage.clock.advance(STALE_S + 1)
    assert sweep(stage) == [JobAccepted(job=job, tenant="t1")]


def test_a_job_that_is_being_planned_is_left_alone() -> None:
    stage = bare(Stage())
    job = stage.accept(Film(), planned=False).job
    stage.clock.advance(STALE_S + 1)
    stage.state.acquire(leases.planning(job), "chunker", ttl_s=30)
    assert sweep(stage) == []


def test_an_open_marker_without_a_manifest_begins_the_job_again() -> None:
    stage = bare(Stage())
    event = ObjectCreated(bucket="uploads", key="t1/a.mp4", etag="1")
    stage.store.create(layout.open_marker(event.job), record.dump(event))
    assert sweep(stage) == []
    stage.clock.advance(STALE_S + 1)
    assert sweep(stage) == [event]


def test_an_open_marker_that_says_nothing_goes_after_a_while() -> None:
    stage = bare(Stage())
    stage.store.create(layout.open_marker("1" * 32), b"")
    stage.clock.advance(STALE_S + 1)
    assert sweep(stage) == []
    assert stage.store.head(layout.open_marker("1" * 32)) is not None
    stage.clock.advance(3600)
    sweep(stage)
    assert stage.store.head(layout.open_marker("1" * 32)) is None


def test_a_verdict_that_nobody_was_told_of_is_told_again() -> None:
    stage = Stage()
    ending.decide(
        stage.store, job=stage.job, tenant="t1", state="cancelled", code="cancelled",
        reason="By request.", now_s=0,
    )  # fmt: skip
    cancelled = JobCancelled(job=stage.job, tenant="t1", reason="By request.")
    assert sweep(stage) == [cancelled]
    assert sweep(stage) == [cancelled]
    assert not stage.state.remembered()
    stage.store.delete(layout.open_marker(stage.job))
    assert sweep(stage) == []


def test_a_job_past_its_deadline_fails() -> None:
    stage = Stage()
    stage.clock.advance(Options().deadline_s + 1)
    (told,) = sweep(stage)
    assert isinstance(told, JobFailed)
    assert told.code == "deadline"
    assert "24 hours" in told.reason
    assert not stage.state.remembered()


def test_a_slot_whose_task_nobody_works_on_is_published_again() -> None:
    stage = Stage(Film(chunks=4), limit=2)
    list(admission.due(stage.state, Window(limit=2, ttl_s=900), ["cpu"], cause="x"))
    stage.clock.advance(STALE_S + 1)
    stage.state.acquire(leases.task(stage.job, 1, "v0001"), "encoder", ttl_s=30)
    assert sweep(stage) == ready(stage.plan, "v0000")


def test_a_slot_whose_task_is_done_goes_to_the_next() -> None:
    stage = Stage(Film(chunks=4, sounds=0), limit=2)
    list(admission.due(stage.state, Window(limit=2, ttl_s=900), ["cpu"], cause="x"))
    stage.do("v0001")
    assert sweep(stage) == ready(stage.plan, "v0002")


def test_a_job_whose_tasks_are_all_done_is_encoded() -> None:
    stage = Stage(Film(chunks=2))
    stage.do_all()
    encoded = JobEncoded(job=stage.job, generation=1)
    assert sweep(stage) == [encoded]
    stage.state.acquire(leases.assembly(stage.job), "assembler", ttl_s=30)
    assert sweep(stage) == []
    stage.clock.advance(31)
    assert sweep(stage) == [encoded]


def test_a_mezzanine_that_is_done_prepares_the_source() -> None:
    stage = Stage(Film(prepare=True))
    stage.do_all()
    assert sweep(stage) == [SourcePrepared(job=stage.job, generation=1)]


def test_a_long_task_that_nobody_works_on_is_told_of_again_as_a_long_one() -> None:
    stage = Stage(Film(chunks=0, sounds=1, long_sounds=True))
    (told,) = admission.due(stage.state, Window(limit=3, ttl_s=900), ["cpu"], cause="x")
    stage.clock.advance(STALE_S + 1)
    assert sweep(stage) == [told]
    assert told.length == "long"


def test_the_latest_plan_is_the_one_that_counts() -> None:
    stage = Stage(Film(prepare=True, chunks=1, rungs=1, sounds=0), limit=9)
    list(stage.assembler().task_completed(stage.do("m1")))
    for generation in (2, 9, 10):
        plan = plan_of(stage.manifest(), replace(stage.film, prepare=False), generation)
        stage.store.create(layout.plan(stage.job, generation), record.dump(plan))
    assert sweep(stage) == [TaskReady(job=stage.job, generation=10, task="v0000")]


def test_a_flushed_state_store_costs_nothing_but_a_sweep() -> None:
    stage = Stage(Film(chunks=4, sounds=0), limit=2)
    list(admission.due(stage.state, Window(limit=2, ttl_s=900), ["cpu"], cause="x"))
    last = [stage.do(task) for task in ("v0000", "v0002")][-1]
    stage.state.flush()
    assert sweep(stage) == ready(stage.plan, "v0001", "v0003")
    assert list(stage.assembler().task_completed(last)) == []
    done = [stage.do("v0001"), stage.do("v0003")][-1]
    list(stage.assembler().task_completed(replace(done, task="v0001")))
    assert list(stage.assembler().task_completed(done)) == [JobEncoded(job=stage.job, generation=1)]


def test_a_job_cancelled_at_any_moment_of_a_sweep_leaves_nothing_behind() -> None:
    at, struck = 0, True
    while struck:
        at += 1
        stage = Stage(Film(chunks=2))
        stage.do("v0000")
        stage.state.flush()
        fault = Fault(kind="overtaken", at=at, overtake=stage.cancel)
        sweep(stage, fault=fault)
        struck = fault.struck
        if struck:
            assert not stage.state.remembered(), at
    assert at > 10


def test_a_record_that_cannot_be_read_does_not_hold_up_the_others() -> None:
    stage = Stage(Film(chunks=1, sounds=0))
    stage.do_all()
    broken = "0" * 32
    stage.store.create(layout.open_marker(broken), b"")
    stage.store.create(layout.manifest(broken), b"not a manifest")
    assert sweep(stage) == [JobEncoded(job=stage.job, generation=1)]


def test_one_tick_looks_at_so_many_jobs_and_no_more() -> None:
    stage = bare(Stage())
    jobs = {stage.accept(Film(name=f"film-{number}"), planned=False).job for number in range(10)}
    stage.clock.advance(STALE_S + 1)
    seen: set[str] = set()
    for number in range(40):
        told = sweep(stage, tick=f"tick-{number}", limits=Limits(jobs=3))
        assert len(told) == 3
        seen |= {each.job for each in told}
    assert seen == jobs


# Parked events.


def park(stage: Stage, event: Event) -> str:
    sent = wrap(event, producer="x", time="2026-01-01T00:00:00Z")
    dead = sent.with_extensions(knativeerrorcode="503", knativeerrordest="http://x.local/")
    key = parking.key_of(dead)
    stage.store.put(key, parking.dump(dead))
    return key


def test_parked_events_are_delivered_again_the_oldest_first_and_then_gone() -> None:
    stage = Stage(Film(chunks=3), limit=1)
    list(admission.due(stage.state, Window(limit=1, ttl_s=900), ["cpu"], cause="x"))
    tasks = ["v0002", "v0000", "v0001"]
    for task in tasks:
        park(stage, TaskCompleted(job=stage.job, generation=1, task=task))
        stage.clock.advance(1)
    told = sweep(stage, limits=Limits(parked=2))
    assert [each.task for each in told if isinstance(each, TaskCompleted)] == tasks[:2]
    assert len(list(stage.store.list(layout.PARKED_PREFIX))) == 1


def test_a_parked_event_stays_until_its_publishing_succeeded() -> None:
    stage = bare(Stage())
    key = park(stage, JobAccepted(job="1" * 32, tenant="t1"))
    sweeper = Sweeper(
        store=stage.store,
        state=stage.state,
        uploads=MemoryUploads(stage.store),
        clock=stage.clock,
        window=Window(limit=1),
    )
    told = iter(sweeper.tick(CloudEvent(id="1", source="/ping", type=TICK)))
    next(told)
    assert stage.store.head(key) is not None
    assert list(told) == []
    assert stage.store.head(key) is None


def test_a_parked_event_of_a_job_that_ended_is_dropped() -> None:
    stage = Stage()
    park(stage, JobAccepted(job=stage.job, tenant="t1"))
    park(stage, WebhookDue(message=stage.job, tenant="t1", due_ms=1))
    stage.store.delete(layout.open_marker(stage.job))
    ending.decide(
        stage.store, job=stage.job, tenant="t1", state="failed", code="deadline", reason="",
        now_s=0,
    )  # fmt: skip
    assert sweep(stage) == []
    assert not list(stage.store.list(layout.PARKED_PREFIX))
    assert not stage.state.remembered()


def test_a_parked_event_that_cannot_be_read_is_dropped() -> None:
    stage = bare(Stage())
    stage.store.put(layout.parked("1" * 32, "2" * 32), b"{")
    assert sweep(stage) == []
    assert not list(stage.store.list(layout.PARKED_PREFIX))


def test_a_parked_event_that_names_no_job_is_only_kept_for_people_to_see() -> None:
    stage = bare(Stage())
    stage.store.put(layout.parked("", "2" * 32), b"{}")
    assert sweep(stage) == []
    assert list(stage.store.list(layout.PARKED_PREFIX))
    stage.clock.advance(KEEP_UNKNOWN_S + 1)
    assert sweep(stage) == []
    assert not list(stage.store.list(layout.PARKED_PREFIX))


@pytest.mark.parametrize("items", [[], [1], [1, 2, 3], list(range(100))])
def test_a_share_is_bounded_and_without_repeats(items: Sequence[int]) -> None:
    for seed in "abcdef":
        taken = share(items, limit=3, seed=seed)
        assert len(taken) == len({*taken}) == min(3, len(items))
        assert {*taken} <= {*items}


def test_settings_are_read_from_the_environment() -> None:
    env = {
        "KINORA_STORE": "s",
        "KINORA_STATE": "t",
        "KINORA_TENANTS": '{"acme-in": "acme"}',
        "KINORA_STALE_S": "3",
    }
    settings = Settings.read(env)
    assert settings.buckets == ("uploads", "acme-in")
    assert (settings.stale_s, settings.settle_s) == (3, 120)
    assert Settings.read({**env, "KINORA_STORE": "s3://kinora"}).settle_s == 20
    assert Settings.read({**env, "KINORA_SETTLE_S": "7"}).settle_s == 7
