"""The assembler: ended tasks become playlists, manifests and one verdict."""

from __future__ import annotations

import contextlib
from dataclasses import replace

import pytest

from eventing.contract import (
    Event,
    JobCancelled,
    JobCompleted,
    JobFailed,
    SourcePrepared,
    TaskCompleted,
    TaskFailed,
    TaskReady,
)
from eventing.errors import Unavailable
from functions.assembler import whole
from functions.assembler.attempts import exhausted
from functions.assembler.settings import Settings
from functions.jobs import admission, ending, leases
from functions.jobs.admission import Window
from functions.media.streams import hls
from tests.flow.faults import Fault, Killed
from tests.flow.media import Film
from tests.flow.stage import Stage


def failed(
    stage: Stage, attempt: int = 1, code: str = "decode_failed", task: str = "v0000"
) -> TaskFailed:
    return TaskFailed(
        job=stage.job,
        generation=1,
        task=task,
        attempt=attempt,
        code=code,
        reason="It cannot be decoded.",
    )


# Completed tasks.


def test_a_completed_task_without_a_receipt_is_not_believed_yet() -> None:
    stage = Stage()
    event = TaskCompleted(job=stage.job, generation=1, task="v0000")
    with pytest.raises(Unavailable):
        list(stage.assembler().task_completed(event))


def test_a_completed_task_lets_the_next_one_in_of_whichever_job() -> None:
    stage = Stage(Film(chunks=1, sounds=0), limit=1)
    other = stage.accept(Film(name="other", chunks=2, sounds=0))
    (first,) = admission.due(stage.state, Window(limit=1, ttl_s=60), ["cpu"], cause="x")
    assert first.job in (stage.job, other.job)
    done = stage.do("v0000", plan=stage.plan if first.job == stage.job else other)
    told = [each for each in stage.assembler().task_completed(done) if isinstance(each, TaskReady)]
    assert len(told) == 1
    assert told[0].job != first.job


def test_only_the_last_task_makes_the_job_encoded_and_does_so_again() -> None:
    stage = Stage(Film(chunks=2))
    *most, last = stage.do_all()
    for event in most:
        assert stage.encoded() not in list(stage.assembler().task_completed(event))
    assert stage.encoded() in list(stage.assembler().task_completed(last))
    assert stage.encoded() in list(stage.assembler().task_completed(most[0]))


def test_the_mezzanine_makes_the_source_prepared() -> None:
    stage = Stage(Film(prepare=True))
    (done,) = stage.do_all()
    assert list(stage.assembler().task_completed(done)) == [
        SourcePrepared(job=stage.job, generation=1)
    ]


def test_a_task_of_a_job_that_ended_frees_its_slot_for_others() -> None:
    stage = Stage(Film(chunks=2, sounds=0), limit=2)
    list(admission.due(stage.state, Window(limit=2, ttl_s=60), ["cpu"], cause="x"))
    other = stage.accept(Film(name="other", chunks=1, sounds=0))
    done = stage.do("v0000")
    stage.cancel()
    told = list(stage.assembler().task_completed(done))
    assert JobCancelled(job=stage.job, tenant="t1", reason="By request.") in told
    assert TaskReady(job=other.job, generation=1, task="v0000") in told
    assert stage.state.remembered() == {other.job}


def test_a_job_cancelled_at_any_moment_leaves_nothing_behind() -> None:
    at, struck = 0, True
    while struck:
        at += 1
        stage = Stage(Film(chunks=2))
        done = stage.do("v0000")
        stage.do("a1")
        fault = Fault(kind="overtaken", at=at, overtake=stage.cancel)
        list(stage.assembler(fault).task_completed(done))
        struck = fault.struck
        if struck:
            assert not stage.state.remembered(), at
            assert not list(stage.store.list("media/")), at
    assert at > 10


def test_a_job_cancelled_at_any_moment_of_its_assembly_has_all_outputs_or_none() -> None:
    at, struck = 0, True
    while struck:
        at += 1
        stage = Stage(Film(chunks=2))
        stage.do_all()
        fault = Fault(kind="overtaken", at=at, overtake=stage.cancel)
        list(stage.assembler(fault).job_encoded(stage.encoded()))
        struck = fault.struck
        verdict = ending.read(stage.store, stage.job)
        assert verdict is not None
        assert bool(stage.text("master.m3u8")) is (verdict.state == "completed")
        assert bool(list(stage.store.list("media/"))) is (verdict.state == "completed")
    assert at > 20


# Failed tasks.


def test_a_failed_task_is_tried_again_and_keeps_its_slot() -> None:
    stage = Stage(Film(chunks=2), limit=1)
    list(admission.due(stage.state, Window(limit=1, ttl_s=60), ["cpu"], cause="x"))
    again = TaskReady(job=stage.job, generation=1, task="v0000")
    assert list(stage.assembler().task_failed(failed(stage))) == [again]
    assert [slot.task for slot in stage.state.slots(stage.job)] == ["v0000"]


def test_a_long_task_that_failed_is_tried_again_as_a_long_one() -> None:
    stage = Stage(Film(chunks=1, sounds=1, long_sounds=True))
    again = TaskReady(job=stage.job, generation=1, task="a1", length="long")
    assert list(stage.assembler().task_failed(failed(stage, task="a1"))) == [again]


def test_the_third_failure_fails_the_job_with_its_code_and_reason() -> None:
    stage = Stage()
    (told, *_) = stage.assembler().task_failed(failed(stage, attempt=3))
    assert told == JobFailed(
        job=stage.job, tenant="t1", code="decode_failed", reason="It cannot be decoded."
    )
    verdict = ending.read(stage.store, stage.job)
    assert verdict is not None
    assert (verdict.state, verdict.code) == ("failed", "decode_failed")


@pytest.mark.parametrize(
    ("code", "attempt", "final", "over"),
    [
        ("decode_failed", 1, False, False),
        ("decode_failed", 2, False, False),
        ("decode_failed", 3, False, True),
        ("decode_failed", 1, True, True),
        ("encoder_crashed", 1, False, False),
        ("encoder_crashed", 2, False, True),
        ("resource_limit", 2, False, True),
        ("frames_missing", 2, False, False),
    ],
)
def test_how_often_a_task_may_fail(code: str, attempt: int, final: bool, over: bool) -> None:
    stage = Stage()
    assert exhausted(replace(failed(stage, attempt, code), final=final)) is over


def test_a_failure_of_a_task_that_another_attempt_did_is_nothing() -> None:
    stage = Stage()
    stage.do("v0000")
    assert list(stage.assembler().task_failed(failed(stage, attempt=3))) == []
    assert ending.read(stage.store, stage.job) is None


# Assembly.


@pytest.mark.parametrize(
    "film",
    [
        Film(chunks=3),
        Film(chunks=1, rungs=1, sounds=0),
        Film(chunks=2, rungs=2, split=True, sounds=2),
    ],
)
def test_an_encoded_job_is_completed_with_everything_it_names(film: Film) -> None:
    stage = Stage(film)
    (told,) = stage.finish()
    assert isinstance(told, JobCompleted)
    for key in (told.master, told.manifest, told.report):
        assert stage.store.head(key) is not None
    for rendition in whole.renditions_of(stage.plan):
        text = stage.text(f"{rendition.name}/playlist.m3u8")
        assert hls.ended(text)
        assert f"{rendition.name}/playlist.m3u8" in stage.text("master.m3u8")
        assert f">{rendition.name}/<" in stage.text("manifest.mpd")


def test_a_job_that_is_not_encoded_is_not_assembled() -> None:
    stage = Stage(Film(chunks=2))
    stage.do("v0000")
    assert list(stage.assembler().job_encoded(stage.encoded())) == []
    assert ending.read(stage.store, stage.job) is None


def test_assembling_twice_tells_the_same_and_changes_nothing() -> None:
    stage = Stage()
    told = stage.finish()
    before = {info.key: info.etag for info in stage.store.list("media/")}
    assert list(stage.assembler().job_encoded(stage.encoded())) == told
    assert {info.key: info.etag for info in stage.store.list("media/")} == before


def test_while_one_assembles_another_comes_back_later() -> None:
    stage = Stage()
    stage.do_all()
    stage.state.acquire(leases.assembly(stage.job), "other", ttl_s=30)
    with pytest.raises(Unavailable):
        list(stage.assembler().job_encoded(stage.encoded()))
    stage.clock.advance(31)
    assert len(list(stage.assembler().job_encoded(stage.encoded()))) == 1


def test_after_a_death_at_any_call_the_next_assembly_ends_the_same() -> None:
    expected: list[Event] = []
    at, struck = 0, True
    while struck:
        at += 1
        stage = Stage(Film(chunks=2))
        stage.do_all()
        fault = Fault(kind="crash", at=at)
        with contextlib.suppress(Killed):
            list(stage.assembler(fault, worker="dead").job_encoded(stage.encoded()))
        struck = fault.struck
        stage.clock.advance(31)
        told = list(stage.assembler().job_encoded(stage.encoded()))
        expected = expected or told
        assert told == expected
        assert not stage.state.held(leases.assembly(stage.job))
    assert at > 20


@pytest.mark.parametrize(
    ("task", "change", "told"),
    [
        ("v0001", {"frames": 5}, "frames, planned"),
        ("v0001", {"number": 7}, "missing"),
        ("v0000", {"duration_ticks": 51_199}, "starts at"),
        ("v0001", {"duration_ticks": 51_200}, "of pictures"),
        ("a1", {"duration_ticks": 1}, "of sound"),
    ],
)
def test_parts_that_make_no_whole_fail_the_job(
    task: str, change: dict[str, int], told: str
) -> None:
    stage = Stage(Film(chunks=2, rungs=1))
    stage.do_all()
    stage.change_receipt(task, change)
    (event,) = stage.assembler().job_encoded(stage.encoded())
    assert isinstance(event, JobFailed)
    assert event.code == "output_invalid"
    assert told in event.reason


def test_sound_may_end_within_22_ms_or_a_picture_of_the_plan() -> None:
    stage = Stage(Film(chunks=2, rungs=1))
    stage.do_all()
    receipts = stage.receipts()
    (track,) = receipts["a1"].tracks
    last = track.segments[-1]
    for difference_ms, right in ((0, True), (39, True), (-39, True), (41, False), (-41, False)):
        longer = replace(last, duration_ticks=last.duration_ticks + 48 * difference_ms)
        changed = replace(track, segments=(*track.segments[:-1], longer))
        receipts["a1"] = replace(receipts["a1"], tracks=(changed,))
        if right:
            whole.put_together(stage.plan, receipts)
        else:
            with pytest.raises(ValueError, match="of sound"):
                whole.put_together(stage.plan, receipts)


def test_settings_are_read_from_the_environment() -> None:
    env = {"KINORA_STORE": "s", "KINORA_STATE": "t", "KINORA_ENCODERS": "4"}
    settings = Settings.read(env)
    assert (settings.window.limit, settings.lease_s) == (6, 30)
    assert settings.worker
    assert Settings.read({**env, "KINORA_WORKER": "w1"}).worker == "w1"
