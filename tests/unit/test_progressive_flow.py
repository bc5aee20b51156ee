"""One MP4 beside the streams: the generation that follows, whoever writes it and however often."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import replace

import pytest

from eventing.contract import (
    Event,
    JobCompleted,
    JobEncoded,
    JobFailed,
    TaskCompleted,
    TaskFailed,
    TaskReady,
)
from functions.assembler.report import Report
from functions.jobs import admission, ending, latest, layout, overview, progressive, record
from functions.jobs import history as histories
from functions.jobs import tasks as shown
from functions.jobs.admission import Window
from functions.jobs.plan import PROGRESSIVE_TASK, Plan, ProgressiveTask
from functions.jobs.receipt import Receipt
from functions.media.encoding.accelerator import ACCELERATORS
from tests.flow.faults import Fault, Killed
from tests.flow.media import ALWAYS, Encoder, Film
from tests.flow.stage import Stage
from tests.sweeps import sweep

FILM = Film(chunks=2, progressive=True)


def finish(stage: Stage, events: list[Event], *, gpu_works: bool = True) -> list[Event]:
    """Do what is due until nothing is, these first."""
    told: list[Event] = []
    encoder = Encoder(
        store=stage.store, state=stage.state, clock=stage.clock, worker="w", gpu_works=gpu_works
    )
    while events or (events := let_in(stage)):
        event = events.pop(0)
        told.append(event)
        match event:
            case TaskReady():
                events += encoder.task_ready(event)
            case TaskCompleted():
                events += stage.assembler().task_completed(event)
            case TaskFailed():
                events += stage.assembler().task_failed(event)
            case JobEncoded():
                events += stage.assembler().job_encoded(event)
    return told


def let_in(stage: Stage) -> list[Event]:
    window = Window(limit=stage.limit, gpu_limit=stage.limit)
    return [*admission.due(stage.state, window, ACCELERATORS, cause="start")]


def now(stage: Stage) -> Plan:
    plan = latest.plan(stage.store, stage.job)
    assert plan is not None
    return plan


def encoded(stage: Stage, generation: int = 1) -> JobEncoded:
    return JobEncoded(job=stage.job, generation=generation)


def ready(stage: Stage) -> TaskReady:
    return TaskReady(job=stage.job, generation=2, task=PROGRESSIVE_TASK)


# The plan.


def test_the_next_generation_adds_one_task_and_keeps_all_others() -> None:
    before = Stage(FILM).plan
    after = progressive.following(before)
    *kept, added = after.tasks
    assert (after.generation, after.takes_over, after.makes_file) == (2, True, True)
    assert [task.id for task in kept] == [task.id for task in before.tasks]
    assert {after.generation_of(task) for task in kept} == {1}
    assert isinstance(added, ProgressiveTask)
    assert (added.video, added.audio, added.accelerator) == ("480p", "audio-1", "cpu")
    assert after.generation_of(added) == 2


@pytest.mark.parametrize(
    ("film", "video", "audio"),
    [(replace(FILM, sounds=0), "480p", ""), (replace(FILM, sounds=2), "480p", "audio-1")],
)
def test_it_is_of_the_largest_rung_and_the_first_sound(film: Film, video: str, audio: str) -> None:
    task = progressive.following(Stage(film).plan).task(PROGRESSIVE_TASK)
    assert isinstance(task, ProgressiveTask)
    assert (task.video, task.audio) == (video, audio)


def test_a_long_film_is_copied_by_a_long_task() -> None:
    plan = Stage(FILM).plan
    assert plan.timeline is not None
    long = replace(plan, timeline=replace(plan.timeline, frames=10**8))
    assert progressive.following(plan).task(PROGRESSIVE_TASK).length == "short"
    assert progressive.following(long).task(PROGRESSIVE_TASK).length == "long"


# From one generation to the other.


def test_nobody_who_did_not_ask_gets_a_file() -> None:
    stage = Stage(replace(FILM, progressive=False))
    (told,) = [each for each in finish(stage, []) if isinstance(each, JobCompleted)]
    assert told.progressive == ""
    assert now(stage).generation == 1


def test_the_file_is_made_when_every_segment_is_there_and_the_verdict_names_it() -> None:
    stage = Stage(FILM)
    told = finish(stage, [])
    assert [each.generation for each in told if isinstance(each, JobEncoded)] == [1, 2]
    completed = told[-1]
    assert isinstance(completed, JobCompleted)
    assert completed.progressive.startswith(f"media/{stage.job}/progressive-")
    assert stage.store.head(completed.progressive) is not None
    verdict = ending.read(stage.store, stage.job)
    assert verdict is not None and verdict.progressive == completed.progressive


def test_the_report_names_the_file_and_its_task_and_counts_nothing_twice() -> None:
    stage = Stage(FILM)
    finish(stage, [])
    report = record.load(stage.text("report.json").encode(), Report)
    (file,) = report.files
    assert (file.video, file.audio) == ("480p", "audio-1")
    assert file.size_bytes == len(stage.store.get(file.key))
    assert [(task.id, task.generation, task.kind) for task in report.tasks] == [
        ("v0000", 1, "video"),
        ("v0001", 1, "video"),
        ("a1", 1, "audio"),
        ("p1", 2, "progressive"),
    ]
    assert report.tasks[-1].renditions == ("480p", "audio-1")


def test_a_mezzanine_comes_before_and_a_file_behind() -> None:
    stage = Stage(replace(FILM, prepare=True))
    told = finish(stage, [])
    stage.store.create(
        layout.plan(stage.job, 2),
        record.dump(replace(Stage(FILM).plan, job=stage.job, generation=2)),
    )
    plan = now(stage)
    admission.register(stage.state, plan, stage.manifest(), set())
    told = finish(stage, [])
    assert isinstance(told[-1], JobCompleted)
    assert [task.id for task in now(stage).tasks][-1] == "p1"
    report = record.load(stage.text("report.json").encode(), Report)
    assert [task.id for task in report.tasks] == ["m1", "v0000", "v0001", "a1", "p1"]


def test_a_gpu_that_breaks_and_a_file_are_two_generations() -> None:
    stage = Stage(replace(FILM, gpu=True))
    told = finish(stage, [], gpu_works=False)
    assert isinstance(told[-1], JobCompleted)
    plan = now(stage)
    assert plan.generation == 3
    assert {task.id: plan.generation_of(task) for task in plan.tasks} == {
        "v0000-g2": 2,
        "v0001-g2": 2,
        "a1": 1,
        "p1": 3,
    }


def test_every_event_again_and_late_changes_nothing() -> None:
    stage = Stage(FILM)
    told = finish(stage, [])
    before = {info.key: info.etag for info in stage.store.list("")}
    for event in told:
        finish(stage, [event])
    assert {info.key: info.etag for info in stage.store.list("")} == before
    assert not stage.state.slots(stage.job)


def test_a_completed_task_that_is_told_of_again_in_between_ends_nothing() -> None:
    stage = Stage(FILM)
    *_, last = stage.do_all()
    for event in stage.do_all():
        list(stage.assembler().task_completed(event))
    assert list(stage.assembler().job_encoded(encoded(stage))) == [ready(stage)]
    assert list(stage.assembler().task_completed(last)) == []
    assert ending.read(stage.store, stage.job) is None


def test_told_again_that_all_is_encoded_the_task_is_let_in_again() -> None:
    stage = Stage(FILM)
    stage.do_all()
    first = list(stage.assembler().job_encoded(encoded(stage)))
    assert list(stage.assembler().job_encoded(encoded(stage))) == first
    assert [slot.task for slot in stage.state.slots(stage.job)] == ["p1"]


def test_after_a_death_at_any_call_the_same_event_goes_on() -> None:
    at, struck = 0, True
    while struck:
        at += 1
        stage = Stage(FILM)
        stage.do_all()
        fault = Fault(kind="crash", at=at)
        with contextlib.suppress(Killed):
            list(stage.assembler(fault, worker="dead").job_encoded(encoded(stage)))
        struck = fault.struck
        stage.clock.advance(31)
        told = finish(stage, [*stage.assembler().job_encoded(encoded(stage))])
        assert isinstance(told[-1], JobCompleted), at
        assert now(stage).generation == 2
    assert at > 8


def test_a_sweep_finds_a_job_that_stands_still_between_the_two() -> None:
    for lost in ("the event", "the task", "the state"):
        stage = Stage(FILM)
        stage.do_all()
        if lost != "the event":
            progressive.settle(stage.store, stage.plan)
        if lost == "the state":
            stage.state.flush()
        stage.clock.advance(600)
        told = finish(stage, sweep(stage))
        assert isinstance(told[-1], JobCompleted), lost


def test_a_cancelled_job_leaves_neither_task_nor_file() -> None:
    at, struck = 0, True
    while struck:
        at += 1
        stage = Stage(FILM)
        stage.do_all()
        fault = Fault(kind="overtaken", at=at, overtake=stage.cancel)
        list(stage.assembler(fault).job_encoded(encoded(stage)))
        struck = fault.struck
        if struck:
            assert not stage.state.remembered(), at
            assert not list(stage.store.list("media/")), at


def test_a_file_that_cannot_be_made_fails_the_job() -> None:
    told = finish(Stage(replace(FILM, failing="p1", failures=ALWAYS)), [])
    assert isinstance(told[-1], JobFailed)


def test_a_receipt_without_its_file_is_no_whole() -> None:
    stage = Stage(FILM)
    events = finish(stage, stage_until_file(stage))
    assert isinstance(events[-1], JobFailed)
    assert events[-1].code == "output_invalid"


def stage_until_file(stage: Stage) -> list[Event]:
    """Everything done, and a receipt of the file that names none."""
    stage.do_all()
    list(stage.assembler().job_encoded(encoded(stage)))
    stage.do(PROGRESSIVE_TASK, plan=now(stage))
    key = layout.receipt(stage.job, 2, PROGRESSIVE_TASK)
    receipt = record.load(stage.store.get(key), Receipt)
    stage.store.put(key, record.dump(replace(receipt, file=None)))
    return [encoded(stage, 2)]


# What people see of it.


def test_a_job_whose_file_is_being_made_is_assembling() -> None:
    stage = Stage(FILM)
    states = []
    for task in stage.plan.tasks:
        states.append(overview.read(stage.store, stage.job).state)  # type: ignore[union-attr]
        stage.do(task.id)
    list(stage.assembler().job_encoded(encoded(stage)))
    seen = overview.read(stage.store, stage.job)
    assert seen is not None
    assert [*states, seen.state] == ["encoding", "encoding", "encoding", "assembling"]
    (made,) = [each for each in shown.of(seen) if each.kind == "progressive"]
    assert (made.renditions, made.state) == (("480p", "audio-1"), "waiting")


def test_what_happened_tells_of_both_generations() -> None:
    stage = Stage(FILM)
    told = list(facts_of(finish(stage, [])))
    facts = histories.read(stage.store, stage.job)
    types = [fact.event for fact in facts]
    for event in told:
        assert event in types
    (due,) = [fact for fact in facts if fact.event == ready(stage)]
    assert (due.producer, due.cause) == (
        "assembler",
        next(fact.id for fact in facts if fact.event == encoded(stage)),
    )


def facts_of(told: list[Event]) -> Iterator[Event]:
    """Of what is ready only the first of a generation is on record."""
    yield from (event for event in told if not isinstance(event, TaskReady))
