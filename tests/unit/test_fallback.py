"""What no GPU does the CPU does: the next generation, whoever writes it and however often."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import replace

import msgspec
import pytest

from eventing.contract import Event, JobCompleted, JobEncoded, TaskCompleted, TaskFailed, TaskReady
from functions.assembler import growth
from functions.assembler.report import Report
from functions.jobs import admission, ending, fallback, latest, layout, leases, overview, record
from functions.jobs import history as histories
from functions.jobs import tasks as shown
from functions.jobs.admission import Window
from functions.jobs.plan import Plan, VideoTask
from functions.jobs.receipt import Receipt
from functions.jobs.refusal import NO_ACCELERATOR
from functions.media.encoding.accelerator import ACCELERATORS
from functions.media.streams import hls
from functions.sweeper.handler import GPU_DEADLINE_S
from functions.sweeper.settings import Settings
from tests.flow.faults import Fault, Killed
from tests.flow.media import Encoder, Film, plan_of
from tests.flow.stage import Stage
from tests.sweeps import sweep

FILM = Film(chunks=3, gpu=True)
SPLIT = replace(FILM, split=True)


def broken(stage: Stage, task: str = "v0000") -> TaskFailed:
    """What an encoder without a GPU that works tells of the task, as it is on record."""
    encoder = Encoder(
        store=stage.store, state=stage.state, clock=stage.clock, worker="w", gpu_works=False
    )
    (told,) = encoder.task_ready(TaskReady(job=stage.job, generation=1, task=task))
    assert isinstance(told, TaskFailed)
    return told


def began(film: Film = FILM) -> Stage:
    """A job of which all is in flight that may be."""
    stage = Stage(film=film)
    let_in(stage)
    return stage


def let_in(stage: Stage) -> list[TaskReady]:
    window = Window(limit=stage.limit, gpu_limit=stage.limit)
    return list(admission.due(stage.state, window, ACCELERATORS, cause="start"))


def now(stage: Stage) -> Plan:
    plan = latest.plan(stage.store, stage.job)
    assert plan is not None
    return plan


def finish(stage: Stage, events: list[Event]) -> list[Event]:
    """Do what is due until nothing is, these first, and what was let in at the start."""
    told: list[Event] = []
    encoder = Encoder(store=stage.store, state=stage.state, clock=stage.clock, worker="w")
    while events or (events := [*let_in(stage)]):
        event = events.pop(0)
        told.append(event)
        if isinstance(event, TaskReady):
            events += encoder.task_ready(event)
        elif isinstance(event, TaskCompleted):
            events += stage.assembler().task_completed(event)
        elif isinstance(event, TaskFailed):
            events += stage.assembler().task_failed(event)
        elif isinstance(event, JobEncoded):
            events += stage.assembler().job_encoded(event)
    return told


# The plan.


def test_whole_renditions_move_and_everything_else_stays_what_it_was() -> None:
    before = Stage(film=SPLIT).plan
    after = fallback.without(before, before.task("v0001-a"), "so it is")
    assert (after.generation, after.takes_over) == (2, True)
    assert {each.name: each.accelerator for each in after.video} == {"240p": "cpu", "480p": "gpu"}
    kept = {task.id: task for task in after.tasks if after.generation_of(task) == 1}
    assert set(kept) == {"v0000-b", "v0001-b", "v0002-b", "a1"}
    for task in kept.values():
        assert msgspec.structs.replace(task, since=0) == before.task(task.id)
    for number in range(3):
        old, new = before.task(f"v000{number}-a"), after.task(f"v000{number}-a-g2")
        assert isinstance(old, VideoTask) and isinstance(new, VideoTask)
        assert (new.accelerator, new.cost_ms, new.since) == ("cpu", old.fallback_ms, 0)
        assert (new.start, new.stop, new.renditions) == (old.start, old.stop, old.renditions)
    assert [task.id.removesuffix("-g2") for task in after.tasks] == [
        task.id for task in before.tasks
    ]
    assert fallback.discarded(before, after) == {1: ["v0000-a", "v0001-a", "v0002-a"]}


def test_renditions_that_share_a_task_move_together() -> None:
    before = Stage(film=FILM).plan
    after = fallback.without(before, before.task("v0002"), "so it is")
    assert {each.accelerator for each in after.video} == {"cpu"}
    assert {task.accelerator for task in after.tasks} == {"cpu"}


def test_the_note_names_what_moved_and_why() -> None:
    before = Stage(film=SPLIT).plan
    after = fallback.without(before, before.task("v0001-a"), fallback.broken("v0001-a"))
    (note,) = after.notes
    assert note.startswith(f"{NO_ACCELERATOR}: ")
    assert "240p" in note and "480p" not in note and "v0001-a" in note


def test_a_second_move_begins_with_the_first() -> None:
    stage = Stage(film=SPLIT)
    first = fallback.settle(stage.store, stage.plan, stage.plan.task("v0000-a"), "one")
    # Who knows only the first plan asks for the other half.
    second = fallback.settle(stage.store, stage.plan, stage.plan.task("v0000-b"), "other")
    assert (first.generation, second.generation) == (2, 3)
    assert [each.accelerator for each in second.video] == ["cpu", "cpu"]
    assert {task.id: second.generation_of(task) for task in second.tasks} == {
        **{f"v000{number}-a-g2": 2 for number in range(3)},
        **{f"v000{number}-b-g3": 3 for number in range(3)},
        "a1": 1,
    }
    assert len(second.notes) == 2


def test_who_comes_second_takes_what_is_there() -> None:
    stage = Stage(film=FILM)
    one = fallback.settle(stage.store, stage.plan, stage.plan.task("v0000"), "one")
    other = fallback.settle(stage.store, stage.plan, stage.plan.task("v0002"), "other")
    assert one == other == now(stage)


def test_a_task_that_is_done_meanwhile_moves_nothing() -> None:
    stage = began()
    stage.do("v0000")
    task = stage.plan.task("v0000")
    assert fallback.settle(stage.store, stage.plan, task, "late") == stage.plan


# The assembler.


def test_a_worker_without_a_gpu_makes_the_cpu_go_on() -> None:
    stage = began()
    told = list(stage.assembler().task_failed(broken(stage)))
    # Sound keeps the slot that it has; the pictures get what is left of the CPU's.
    assert told == [
        TaskReady(job=stage.job, generation=2, task="v0000-g2"),
        TaskReady(job=stage.job, generation=2, task="v0001-g2"),
    ]
    assert {(slot.generation, slot.task) for slot in stage.state.slots(stage.job)} == {
        (1, "a1"),
        (2, "v0000-g2"),
        (2, "v0001-g2"),
    }


def test_the_same_failure_again_and_others_of_the_same_plan_change_nothing() -> None:
    stage = began()
    failures = [broken(stage), broken(stage, "v0001")]
    first = list(stage.assembler().task_failed(failures[0]))
    assert list(stage.assembler().task_failed(failures[0])) == first
    assert list(stage.assembler().task_failed(failures[1])) == []
    assert now(stage).generation == 2


def test_any_other_failure_of_what_was_discarded_is_no_verdict() -> None:
    stage = began()
    list(stage.assembler().task_failed(broken(stage)))
    late = TaskFailed(
        job=stage.job,
        generation=1,
        task="v0001",
        attempt=3,
        code="decode_failed",
        reason="It cannot be decoded.",
        final=True,
    )
    list(stage.assembler().task_failed(late))
    assert ending.read(stage.store, stage.job) is None


def test_what_was_done_of_other_renditions_is_not_done_again() -> None:
    stage = began(SPLIT)
    sound, kept = stage.do("a1"), stage.do("v0000-b")
    events: list[Event] = [sound, broken(stage, "v0000-a"), kept]
    told = finish(stage, events)
    assert isinstance(told[-1], JobCompleted)
    ready = sorted(event.task for event in told if isinstance(event, TaskReady))
    assert ready == ["v0000-a-g2", "v0001-a-g2", "v0001-b", "v0002-a-g2", "v0002-b"]


def test_a_receipt_of_what_was_discarded_is_told_of_in_vain() -> None:
    stage = began()
    late = stage.do("v0001")
    told = finish(stage, [stage.do("a1"), broken(stage), late])
    assert isinstance(told[-1], JobCompleted)
    assert told.count(JobEncoded(job=stage.job, generation=2)) == 1
    assert JobEncoded(job=stage.job, generation=1) not in told


def test_a_generation_that_was_replaced_is_not_assembled() -> None:
    stage = began()
    stage.do_all()
    key = layout.receipt(stage.job, 1, "v0001")
    late = stage.store.get(key)
    stage.store.delete(key)
    fallback.settle(stage.store, stage.plan, stage.plan.task("v0001"), "late")
    stage.store.create(key, late)  # a GPU did it after all
    assert list(stage.assembler().job_encoded(JobEncoded(job=stage.job, generation=1))) == []
    assert ending.read(stage.store, stage.job) is None


def test_whoever_dies_in_the_middle_of_it_leaves_what_the_next_one_completes() -> None:
    for at in range(1, 60):
        stage = began()
        event, fault = broken(stage), Fault(kind="crash", at=at)
        with contextlib.suppress(Killed):
            list(stage.assembler(fault).task_failed(event))
        if fault.calls < at:
            return
        told = finish(stage, [stage.do("a1"), event])
        assert isinstance(told[-1], JobCompleted), at
    raise AssertionError("it never came through")


def test_the_report_has_the_reason_and_counts_nothing_twice() -> None:
    stage = began(SPLIT)
    done = stage.do("v0001-a")
    finish(stage, [stage.do("a1"), done, broken(stage, "v0000-a")])
    report = record.load(stage.store.get(layout.media(stage.job, layout.REPORT)), Report)
    assert report.generation == 2
    assert [note.partition(":")[0] for note in report.notes] == [NO_ACCELERATOR]
    counted = sorted((task.id, task.generation, task.accelerator) for task in report.tasks)
    assert counted == [
        ("a1", 1, "cpu"),
        ("v0000-a-g2", 2, "cpu"),
        ("v0000-b", 1, "gpu"),
        ("v0001-a", 1, "gpu"),
        ("v0001-a-g2", 2, "cpu"),
        ("v0001-b", 1, "gpu"),
        ("v0002-a-g2", 2, "cpu"),
        ("v0002-b", 1, "gpu"),
    ]


def test_a_playlist_that_showed_what_was_discarded_begins_anew() -> None:
    stage = began()
    for task in ("v0000", "v0001"):
        list(stage.assembler().task_completed(stage.do(task)))
    shown_before = stage.text("240p/playlist.m3u8")
    assert hls.length(shown_before) == 2
    list(stage.assembler().task_failed(broken(stage, "v0002")))
    plan = now(stage)
    list(stage.assembler().task_completed(stage.do("v0001-g2", plan=plan)))
    assert (
        hls.length(stage.text("240p/playlist.m3u8")) == 0
        or stage.text("240p/playlist.m3u8") == shown_before
    )
    list(stage.assembler().task_completed(stage.do("v0000-g2", plan=plan)))
    text = stage.text("240p/playlist.m3u8")
    assert hls.length(text) == 2
    assert hls.init_of(text) != hls.init_of(shown_before)
    named = {line for line in text.splitlines() if line.endswith(".m4s")}
    assert named.isdisjoint(shown_before.splitlines())
    # What a player has already read of can still be fetched.
    for line in shown_before.splitlines():
        if line.endswith(".m4s"):
            assert stage.store.head(layout.media(stage.job, f"240p/{line}")) is not None


def test_a_late_word_of_what_was_discarded_mixes_no_playlist() -> None:
    stage = began()
    stage.do("v0000")
    stage.do("v0001")
    list(stage.assembler().task_failed(broken(stage, "v0002")))
    list(stage.assembler().task_completed(stage.do("v0000-g2", plan=now(stage))))
    begun = stage.text("240p/playlist.m3u8")
    assert hls.length(begun) == 1
    # Whoever read the plan before there was a next one, and was held up since.
    for task in ("v0000", "v0001"):
        growth.grow(stage.store, stage.plan, stage.plan.task(task))
    assert stage.text("240p/playlist.m3u8") == begun


# The sweeper.


def test_a_task_that_no_gpu_takes_in_time_moves_and_says_so() -> None:
    stage = began()
    stage.clock.advance(GPU_DEADLINE_S + 1)
    told = [event for event in sweep(stage) if isinstance(event, TaskReady)]
    assert [event.task for event in told if event.generation == 2] == ["v0000-g2", "v0001-g2"]
    assert {slot.generation for slot in stage.state.slots(stage.job) if slot.task != "a1"} == {2}
    (note,) = now(stage).notes
    assert "within 300 s" in note


def test_a_task_that_a_gpu_works_on_stays_there() -> None:
    stage = began()
    for task in ("v0000", "v0001", "v0002"):
        assert stage.state.acquire(leases.task(stage.job, 1, task), "w", ttl_s=900)
    stage.clock.advance(GPU_DEADLINE_S + 1)
    sweep(stage)
    assert now(stage).generation == 1


def test_where_no_gpu_is_at_work_nobody_waits_for_a_slot_to_find_out() -> None:
    stage = began()
    # Behind the first job's slots.
    behind = [stage.accept(replace(FILM, name=f"film-{number}")).job for number in range(3)]
    stage.clock.advance(GPU_DEADLINE_S + 1)
    young = stage.accept(replace(FILM, name="young")).job
    sweep(stage)
    generations = {job: latest.plan(stage.store, job) for job in (*behind, young)}
    assert {job: plan and plan.generation for job, plan in generations.items()} == {
        **dict.fromkeys(behind, 2),
        young: 1,
    }


def test_who_waits_behind_a_gpu_that_works_goes_on_waiting() -> None:
    stage = began()
    assert stage.state.acquire(leases.task(stage.job, 1, "v0001"), "w", ttl_s=900)
    behind = stage.accept(replace(FILM, name="behind")).job
    stage.clock.advance(GPU_DEADLINE_S + 1)
    sweep(stage)
    plan = latest.plan(stage.store, behind)
    assert plan is not None
    assert plan.generation == 1


def test_before_the_deadline_the_task_is_told_of_again() -> None:
    stage = began()
    stage.clock.advance(GPU_DEADLINE_S - 1)
    told = sweep(stage)
    assert TaskReady(job=stage.job, generation=1, task="v0000", accelerator="gpu") in told
    assert now(stage).generation == 1


def test_sweeper_and_assembler_at_once_write_one_generation() -> None:
    for at in range(1, 40):
        stage = began()
        event = broken(stage)
        stage.clock.advance(GPU_DEADLINE_S + 1)
        told: list[Event] = []
        overtake = Fault(
            kind="overtaken",
            at=at,
            overtake=lambda stage=stage, event=event, told=told: told.extend(  # type: ignore[misc]
                stage.assembler().task_failed(event)
            ),
        )
        told += sweep(stage, fault=overtake)
        assert now(stage).generation == 2
        told = finish(stage, [each for each in told if not isinstance(each, TaskFailed)])
        assert isinstance(told[-1], JobCompleted), at
        if not overtake.struck:
            return
    raise AssertionError("the sweep never ended")


def test_slots_of_what_was_discarded_are_given_back_after_a_flush_too() -> None:
    stage = began()
    list(stage.assembler().task_failed(broken(stage)))
    stage.state.flush()
    # A late word of the plan that was replaced lets its tasks wait, and gives them slots.
    admission.register(stage.state, stage.plan, stage.manifest(), set())
    let_in(stage)
    sweep(stage)
    assert all(now(stage).has(slot.generation, slot.task) for slot in stage.state.slots(stage.job))


def test_a_deadline_is_shorter_than_a_slot_is_believed() -> None:
    env = {"KINORA_STORE": "x", "KINORA_STATE": "y"}
    assert Settings.read(env).gpu_deadline_s == GPU_DEADLINE_S < Settings.read(env).window.ttl_s
    with pytest.raises(ValueError, match="KINORA_GPU_DEADLINE_S"):
        Settings.read({**env, "KINORA_GPU_DEADLINE_S": "900"})


def test_slots_for_gpus_are_counted_apart() -> None:
    env = {"KINORA_ENCODERS": "10", "KINORA_GPU_ENCODERS": "2"}
    window = Window.read(env)
    assert (window.limit_of("cpu"), window.limit_of("gpu")) == (12, 4)
    assert Window.read({**env, "KINORA_GPU_ENCODER_SLOTS": "3"}).limit_of("gpu") == 3


# What is told of it.


def _moved() -> Iterator[Stage]:
    stage = began(SPLIT)
    list(stage.assembler().task_completed(stage.do("a1")))
    list(stage.assembler().task_failed(broken(stage, "v0000-a")))
    list(stage.assembler().task_completed(stage.do("v0000-a-g2", plan=now(stage))))
    yield stage


def test_progress_counts_what_was_taken_over() -> None:
    (stage,) = _moved()
    seen = overview.read(stage.store, stage.job)
    assert seen is not None
    assert seen.generation == 2
    assert seen.done == {"a1", "v0000-a-g2"}
    assert stage.state.acquire(leases.task(stage.job, 1, "v0000-b"), "w7/1", ttl_s=60)
    live = overview.live(seen, stage.state)
    told = {task.id: task for task in shown.of(live)}
    assert (told["v0000-b"].state, told["v0000-b"].worker) == ("running", "w7")
    assert told["a1"].state == "done"
    plan = now(stage)
    assert shown.made(stage.store, plan, "a1") is not None


def test_the_history_tells_what_led_to_the_generation() -> None:
    (stage,) = _moved()
    manifest = replace(stage.manifest(), profile=None)
    assert manifest.job == stage.job
    facts = {fact.id: fact for fact in histories.read(stage.store, stage.job)}
    ready = next(
        fact
        for fact in facts.values()
        if isinstance(fact.event, TaskReady) and fact.event.generation == 2
    )
    assert isinstance(facts[ready.cause].event, TaskFailed)
    completed = {
        (fact.event.generation, fact.event.task)
        for fact in facts.values()
        if isinstance(fact.event, TaskCompleted)
    }
    assert completed == {(1, "a1"), (2, "v0000-a-g2")}


def test_a_summary_of_a_job_that_took_over_counts_all_of_its_tasks() -> None:
    stage = began(SPLIT)
    finish(stage, [stage.do("a1"), broken(stage, "v0000-a")])
    seen = overview.summary(stage.store, stage.job)
    assert seen is not None
    told = overview.as_json(seen, now_s=0.0)
    assert told["progress"]["tasks_done"] == told["progress"]["tasks_total"] == 7


def test_a_receipt_that_was_taken_over_stays_where_it_was() -> None:
    (stage,) = _moved()
    receipt = record.load(stage.store.get(layout.receipt(stage.job, 1, "a1")), Receipt)
    assert receipt.generation == 1
    assert stage.store.head(layout.receipt(stage.job, 2, "a1")) is None
    assert plan_of(stage.manifest(), SPLIT, 1) == stage.plan
