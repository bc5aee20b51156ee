"""The assembler: ended tasks become growing playlists, manifests, a report and one verdict."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from fractions import Fraction

import msgspec
import pytest

from eventing.contract import (
    Event,
    JobCancelled,
    JobCompleted,
    JobEncoded,
    JobFailed,
    SourcePrepared,
    TaskCompleted,
    TaskFailed,
    TaskReady,
)
from eventing.errors import Unavailable
from functions.assembler import growth, whole
from functions.assembler.attempts import exhausted
from functions.assembler.report import Report
from functions.assembler.settings import Settings
from functions.jobs import admission, ending, layout, leases, record
from functions.jobs.admission import Window
from functions.jobs.plan import VideoTask
from functions.jobs.receipt import Receipt
from functions.media.streams import hls
from tests.flow.faults import Fault, Killed
from tests.flow.media import Film, plan_of
from tests.flow.stage import Stage


def encoded(stage: Stage) -> JobEncoded:
    return JobEncoded(job=stage.job, generation=stage.plan.generation)


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


def change_receipt(stage: Stage, task: str, change: dict[str, int]) -> None:
    """Put a receipt there that differs in the facts of its first track's last segment."""
    key = layout.receipt(stage.job, 1, task)
    receipt = record.load(stage.store.get(key), Receipt)
    (track, *others) = receipt.tracks
    last = replace(track.segments[-1], **change)  # type: ignore[arg-type]
    track = replace(track, segments=(*track.segments[:-1], last))
    stage.store.put(key, record.dump(replace(receipt, tracks=(track, *others))))


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
        assert encoded(stage) not in list(stage.assembler().task_completed(event))
    assert encoded(stage) in list(stage.assembler().task_completed(last))
    assert encoded(stage) in list(stage.assembler().task_completed(most[0]))


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
        list(stage.assembler(fault).job_encoded(encoded(stage)))
        struck = fault.struck
        verdict = ending.read(stage.store, stage.job)
        assert verdict is not None
        assert bool(stage.text("master.m3u8")) is (verdict.state == "completed")
        assert bool(list(stage.store.list("media/"))) is (verdict.state == "completed")
    assert at > 20


# Playlists that grow.


def test_playlists_grow_with_what_is_done_without_a_gap() -> None:
    stage = Stage(Film(chunks=4, rungs=1, sounds=0))
    lengths = []
    for task in ("v0002", "v0000", "v0003", "v0001"):
        list(stage.assembler().task_completed(stage.do(task)))
        lengths.append(hls.length(stage.text("240p/playlist.m3u8")))
    assert lengths == [0, 1, 1, 4]
    assert not hls.ended(stage.text("240p/playlist.m3u8"))


def test_a_playlist_only_ever_grows_at_its_end() -> None:
    stage = Stage(Film(chunks=4))
    before = ""
    for event in stage.do_all():
        list(stage.assembler().task_completed(event))
        now = stage.text("240p/playlist.m3u8")
        assert now.startswith(before)
        before = now
    list(stage.assembler().job_encoded(encoded(stage)))
    assert stage.text("240p/playlist.m3u8").startswith(before)


def offered(stage: Stage, *tasks: str) -> list[str]:
    """What the early master names when these have been done."""
    for task in tasks:
        list(stage.assembler().task_completed(stage.do(task)))
    return sorted(name.partition("/")[0] for name in hls.playlists_of(stage.text("early.m3u8")))


def test_the_early_master_comes_with_the_lowest_rung_and_sound_and_grows_with_the_others() -> None:
    stage = Stage(Film(chunks=2, rungs=2, split=True, sounds=2))
    assert offered(stage, "v0000-a") == []
    assert offered(stage, "a1") == ["240p", "audio-1"]
    assert offered(stage, "v0001-a") == ["240p", "audio-1"]
    assert offered(stage, "v0000-b") == ["240p", "480p", "audio-1"]
    assert offered(stage, "a2") == ["240p", "480p", "audio-1", "audio-2"]


def test_the_early_master_waits_for_the_lowest_rung_and_for_the_first_sound() -> None:
    stage = Stage(Film(chunks=2, rungs=2, split=True, sounds=2))
    assert offered(stage, "v0000-b", "a2", "a1") == []
    assert offered(stage, "v0000-a") == ["240p", "480p", "audio-1", "audio-2"]


def test_without_sound_or_pictures_the_early_master_waits_for_neither() -> None:
    assert offered(Stage(Film(chunks=2, rungs=1, sounds=0)), "v0000") == ["240p"]


def test_two_that_offer_at_once_lose_no_rendition() -> None:
    for at in range(1, 40):
        stage = Stage(Film(chunks=2, rungs=2, split=True))
        offered(stage, "v0000-a")
        sound, other = stage.do("a1"), stage.do("v0000-b")

        def others(stage: Stage = stage, other: TaskCompleted = other) -> None:
            list(stage.assembler().task_completed(other))

        fault = Fault(kind="overtaken", at=at, overtake=others)
        list(stage.assembler(fault).task_completed(sound))
        if not fault.struck:
            others()
        assert offered(stage) == ["240p", "480p", "audio-1"], at


def test_a_playlist_is_not_rewritten_with_every_task_of_a_long_plan() -> None:
    stage = Stage(Film(chunks=200, rungs=1, sounds=0))
    etags = set()
    for task in stage.plan.tasks:
        stage.do(task.id)
        growth.grow(stage.store, stage.plan, task)
        info = stage.store.head(layout.media_playlist(stage.job, "240p"))
        assert info is not None
        etags.add(info.etag)
    assert len(etags) == 50


def test_a_lost_race_over_a_playlist_does_no_harm() -> None:
    for at in range(1, 15):
        stage = Stage(Film(chunks=3, rungs=1, sounds=0))
        first, second, third = stage.do_all()

        def others(stage: Stage = stage, second: TaskCompleted = second) -> None:
            list(stage.assembler().task_completed(second))

        list(stage.assembler(Fault(kind="overtaken", at=at, overtake=others)).task_completed(first))
        list(stage.assembler().task_completed(third))
        assert hls.length(stage.text("240p/playlist.m3u8")) == 3


def test_a_playlist_that_ended_never_opens_again() -> None:
    for at in range(1, 15):
        stage = Stage(Film(chunks=2, rungs=1, sounds=0))
        first, second = stage.do_all()
        stage.state.complete(stage.job, 1, "v0001", total=2)

        def assembled(stage: Stage = stage) -> None:
            list(stage.assembler().job_encoded(encoded(stage)))

        fault = Fault(kind="overtaken", at=at, overtake=assembled)
        list(stage.assembler(fault).task_completed(first))
        list(stage.assembler().task_completed(second))
        if fault.struck:
            assert hls.ended(stage.text("240p/playlist.m3u8")), at
            assert hls.length(stage.text("240p/playlist.m3u8")) == 2


def test_what_does_not_fit_is_left_for_the_assembly_to_find() -> None:
    stage = Stage(Film(chunks=2, rungs=1, sounds=0))
    events = stage.do_all()
    change_receipt(stage, "v0001", {"duration_ticks": 10**9})
    for event in events:
        list(stage.assembler().task_completed(event))
    assert hls.length(stage.text("240p/playlist.m3u8")) <= 1


def requests(chunks: int) -> int:
    """Of a job's whole join, to both stores."""
    stage, counted = Stage(Film(chunks=chunks, rungs=1)), Fault()
    assembler = stage.assembler(counted)
    for task in stage.plan.tasks:
        list(assembler.task_completed(stage.do(task.id)))
    return counted.calls


def test_the_requests_of_a_join_grow_with_its_tasks_and_not_with_their_square() -> None:
    few, many = requests(100), requests(300)
    assert many < 3 * few


def test_a_plan_is_read_once_however_many_of_its_tasks_end() -> None:
    stage, read = Stage(Film(chunks=20)), []
    get = stage.store.get
    stage.store.get = lambda key: read.append(key) or get(key)  # type: ignore[method-assign, func-returns-value]
    assembler = stage.assembler()
    for task in stage.plan.tasks:
        list(assembler.task_completed(stage.do(task.id)))
    own = read.count(layout.plan(stage.job, 1)) - 2 * len(stage.plan.tasks)  # the encoder's
    assert own == 1


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


def finish(stage: Stage) -> list[Event]:
    stage.do_all()
    return list(stage.assembler().job_encoded(encoded(stage)))


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
    (told,) = finish(stage)
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
    assert list(stage.assembler().job_encoded(encoded(stage))) == []
    assert ending.read(stage.store, stage.job) is None


def test_assembling_twice_tells_the_same_and_changes_nothing() -> None:
    stage = Stage()
    told = finish(stage)
    before = {info.key: info.etag for info in stage.store.list("media/")}
    assert list(stage.assembler().job_encoded(encoded(stage))) == told
    assert {info.key: info.etag for info in stage.store.list("media/")} == before


def test_while_one_assembles_another_comes_back_later() -> None:
    stage = Stage()
    stage.do_all()
    stage.state.acquire(leases.assembly(stage.job), "other", ttl_s=30)
    with pytest.raises(Unavailable):
        list(stage.assembler().job_encoded(encoded(stage)))
    stage.clock.advance(31)
    assert len(list(stage.assembler().job_encoded(encoded(stage)))) == 1


def test_after_a_death_at_any_call_the_next_assembly_ends_the_same() -> None:
    expected: list[Event] = []
    at, struck = 0, True
    while struck:
        at += 1
        stage = Stage(Film(chunks=2))
        stage.do_all()
        fault = Fault(kind="crash", at=at)
        with contextlib.suppress(Killed):
            list(stage.assembler(fault, worker="dead").job_encoded(encoded(stage)))
        struck = fault.struck
        stage.clock.advance(31)
        told = list(stage.assembler().job_encoded(encoded(stage)))
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
    change_receipt(stage, task, change)
    (event,) = stage.assembler().job_encoded(encoded(stage))
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


# The report.


def test_the_report_tells_what_was_made_of_what_and_what_it_took() -> None:
    stage = Stage(Film(chunks=3, rungs=2, sounds=1))
    finish(stage)
    report = record.load(stage.text("report.json").encode(), Report)
    assert (report.schema, report.job, report.tenant) == (1, stage.job, "t1")
    assert report.source == stage.manifest().source
    assert report.encoder == stage.plan.encoder
    assert report.timeline == stage.plan.timeline
    pictures = [each for each in report.renditions if each.kind == "video"]
    assert [(each.name, each.frames, each.segments) for each in pictures] == [
        ("240p", stage.film.frames, 3),
        ("480p", stage.film.frames, 3),
    ]
    assert all(each.duration_s == Fraction(stage.film.frames, 25) for each in pictures)
    (sound,) = [each for each in report.renditions if each.kind == "audio"]
    assert (sound.channels, sound.sample_rate, sound.language) == (2, 48000, "und")
    assert [task.id for task in report.tasks] == [task.id for task in stage.plan.tasks]
    assert report.totals.cpu_ms == sum(task.cpu_ms for task in report.tasks) == 400
    assert report.totals.source_bytes_read == 4000
    stored = sum(
        info.size_bytes
        for info in stage.store.list(f"media/{stage.job}/")
        if info.key.endswith((".mp4", ".m4s"))
    )
    assert report.totals.size_bytes == stored


def test_the_report_counts_the_mezzanine() -> None:
    stage = Stage(Film(prepare=True, chunks=1, rungs=1, sounds=0))
    stage.do("m1")
    first = stage.plan
    film = replace(stage.film, prepare=False)
    stage.plan = plan_of(stage.manifest(), film, 2)
    stage.store.create(layout.plan(stage.job, 2), record.dump(stage.plan))
    finish(stage)
    report = record.load(stage.text("report.json").encode(), Report)
    assert [(task.id, task.generation, task.kind) for task in report.tasks] == [
        ("m1", first.generation, "mezzanine"),
        ("v0000", 2, "video"),
    ]
    assert report.totals.cpu_ms == 200


def test_the_report_tells_of_lost_pictures_once_whoever_lost_them() -> None:
    for split in (False, True):
        stage = Stage(Film(chunks=3, rungs=2, split=split))
        stage.do_all()
        for task in stage.plan.tasks:
            if isinstance(task, VideoTask):
                key = layout.receipt(stage.job, 1, task.id)
                receipt = record.load(stage.store.get(key), Receipt)
                lost = 4 if task.start == 0 else int(task.stop == stage.film.frames)
                stage.store.put(key, record.dump(replace(receipt, lost=lost)))
        list(stage.assembler().job_encoded(encoded(stage)))
        report = record.load(stage.text("report.json").encode(), Report)
        assert report.notes == (
            *stage.plan.notes,
            "5 pictures could not be decoded: the ones before them stand still",
        )


def test_a_receipt_that_says_nothing_of_lost_pictures_lost_none() -> None:
    stage = Stage(Film(chunks=1, rungs=1))
    stage.do_all()
    said = msgspec.json.decode(stage.store.get(layout.receipt(stage.job, 1, "v0000")))
    del said["lost"]
    assert record.load(msgspec.json.encode(said), Receipt).lost == 0


def test_the_report_is_plain_json_without_floats_for_positions() -> None:
    stage = Stage()
    finish(stage)
    raw = msgspec.json.decode(stage.text("report.json"))
    assert raw["timeline"]["rate"] == "25/1"
    assert isinstance(raw["renditions"][0]["average_bps"], int)


def test_settings_are_read_from_the_environment() -> None:
    env = {"KINORA_STORE": "s", "KINORA_STATE": "t", "KINORA_ENCODERS": "4"}
    settings = Settings.read(env)
    assert (settings.window.limit, settings.lease_s) == (6, 30)
    assert settings.worker
    assert Settings.read({**env, "KINORA_WORKER": "w1"}).worker == "w1"
