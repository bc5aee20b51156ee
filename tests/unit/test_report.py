"""The report of a job: what was made of what, what it took, and what could not be decoded."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import msgspec

from functions.assembler.report import Report
from functions.jobs import layout, record
from functions.jobs.plan import VideoTask
from functions.jobs.receipt import Receipt
from tests.flow.media import Film, plan_of
from tests.flow.stage import Stage


def test_the_report_tells_what_was_made_of_what_and_what_it_took() -> None:
    stage = Stage(Film(chunks=3, rungs=2, sounds=1))
    stage.finish()
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
    stage.finish()
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
        list(stage.assembler().job_encoded(stage.encoded()))
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
    stage.finish()
    raw = msgspec.json.decode(stage.text("report.json"))
    assert raw["timeline"]["rate"] == "25/1"
    assert isinstance(raw["renditions"][0]["average_bps"], int)
