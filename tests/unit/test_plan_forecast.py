"""What a plan will take: tasks, bytes, and time with any number of encoders."""

from __future__ import annotations

import json
from dataclasses import replace
from io import StringIO

import pytest
from rich.console import Console

from functions.jobs.manifest import Manifest
from functions.jobs.plan import AudioTask, VideoTask
from functions.jobs.profile import Options
from functions.media.cutting import schedule
from functions.media.cutting.rates import Rates, learn
from functions.planning.forecast import expected, outcome
from knative.cli import outlook, preview
from knative.cli.preview import Outlook
from tests.bench.makespan import makespan_ms
from tests.surveys import FILM, PROFILE, SETTING, film, packets, plan, sound, survey

PLAN = plan(FILM)
TASKS = expected(PLAN, FILM.tables)


def told(**changed: object) -> Outlook:
    facts: dict[str, object] = {
        "size_bytes": 12_345_678,
        "codec": "h264",
        "width": 1280,
        "height": 720,
        "remux": None,
        "plan": PLAN,
        "tasks": TASKS,
        "outcomes": [outcome(TASKS, encoders=count) for count in (1, 2, 1000)],
    }
    return Outlook(**(facts | changed))  # type: ignore[arg-type]


def shown(preview: Outlook) -> str:
    console = Console(file=StringIO(), width=120)
    for thing in outlook.tables(preview, source="film.mp4"):
        console.print(thing)
    assert isinstance(console.file, StringIO)
    return console.file.getvalue()


def test_tasks_read_what_their_packets_hold() -> None:
    for each in TASKS:
        if isinstance(each.task, VideoTask):
            assert each.read_bytes == 900 * (each.task.stop_packet - each.task.first_packet)
        else:
            assert isinstance(each.task, AudioTask)
            assert each.read_bytes in (900 * len(FILM.tables[1].packets), FILM.source.size_bytes)


def test_without_an_index_every_task_reads_everything() -> None:
    whole = survey((film(),), (sound(),), {0: packets(500), 1: packets(900, delta=1024)}, index="")
    read = {each.read_bytes for each in expected(plan(whole), whole.tables)}
    assert read == {whole.source.size_bytes}


@pytest.mark.parametrize("encoders", [1, 2, 3, 1000])
def test_the_wall_is_that_of_the_tasks_taken_in_order(encoders: int) -> None:
    found = outcome(TASKS, encoders=encoders)
    costs = [each.task.cost_ms for each in TASKS]
    assert found.wall_ms == schedule.run(costs, encoders).wall_ms
    assert found.cpu_ms == sum(costs)
    assert (found.tasks, found.encoders) == (len(costs), encoders)


def test_a_remux_comes_before_everything() -> None:
    unprepared = survey((film(),), (sound(),), {}, prepared=False)
    remux = expected(plan(unprepared), {})
    alone, both = outcome(TASKS, encoders=2), outcome(remux, TASKS, encoders=2)
    assert both.wall_ms == alone.wall_ms + remux[0].task.cost_ms
    assert both.tasks == alone.tasks + 1
    text = shown(told(remux=plan(unprepared), tasks=[*remux, *TASKS]))
    assert "it is remuxed first" in text
    assert "the file, made seekable" in text


def test_a_file_that_was_asked_for_besides_comes_after_everything() -> None:
    manifest = Manifest(
        job="0" * 32, tenant="a", source=FILM.source, options=Options(progressive=True),
        profile=PROFILE, accepted_s=0.0,
    )  # fmt: skip
    after = preview.file_of(PLAN, manifest)
    assert [each.task.id for each in after] == ["p1"]
    alone, both = outcome(TASKS, encoders=2), outcome(TASKS, after, encoders=2)
    assert both.wall_ms == alone.wall_ms + after[0].task.cost_ms
    assert "one MP4 of the largest" in shown(told(tasks=[*TASKS, *after]))


def test_people_see_every_rendition_task_and_time() -> None:
    text = shown(told())
    for word in ("film.mp4: 1280x720 h264, 1,030 frames at 25 fps (41 s), 12.3 MB", "720p", "deu",
                 "v0000-a", "0 to 100", "1,000", "built-in rates"):  # fmt: skip
        assert word in text, text


def test_many_tasks_are_summed_up() -> None:
    long = survey((film(),), (), {0: packets(30_000)})
    made = plan(long)
    tasks = expected(made, long.tables)
    text = shown(told(plan=made, tasks=tasks))
    assert f"{len(tasks) - outlook.SHOWN} more" in text


def test_what_was_learned_is_told() -> None:
    rates = Rates()
    for job in ("a", "b", "c"):
        rates = learn(rates, job, {"encode/medium": 50.0})
    made = plan(FILM, setting=replace(SETTING, rates=rates))
    text = shown(told(plan=made))
    assert "encode/medium (3 jobs)" in text
    assert "Built in: decode/h264" in text
    found = outlook.as_json(told(plan=made), source="film.mp4")["rates"]
    assert found["encode/medium"] == {"value": 50.0, "learned_from_jobs": 3}


def test_programs_get_every_task_and_exact_figures() -> None:
    found = json.loads(json.dumps(outlook.as_json(told(), source="film.mp4")))
    assert [task["id"] for task in found["tasks"]] == [task.id for task in PLAN.tasks]
    assert found["totals"]["cpu_s"] * 1000 == pytest.approx(
        sum(task.cost_ms for task in PLAN.tasks)
    )
    assert found["timeline"]["frames"] == 1030
    assert [each["encoders"] for each in found["encoders"]] == [1, 2, 1000]
    assert {each["name"] for each in found["renditions"]} == {"720p", "360p", "audio-1"}


def test_what_only_shows_after_the_remux_is_not_made_up() -> None:
    unprepared = survey((film(),), (sound(),), {}, prepared=False)
    remux = plan(unprepared)
    tasks = expected(remux, {})
    text = shown(told(remux=remux, plan=None, tasks=tasks, outcomes=[]))
    assert "only then can be told" in text
    assert (
        outlook.as_json(told(remux=remux, plan=None, tasks=tasks), source="f")["timeline"] is None
    )


@pytest.mark.parametrize("encoders", [1, 2, 3, 10])
def test_admission_gives_tasks_out_in_the_order_that_the_wall_is_reckoned_with(
    encoders: int,
) -> None:
    made = plan(FILM, setting=replace(SETTING, workers=encoders))
    took_ms = {task.id: float(task.cost_ms) for task in made.tasks}
    run = schedule.run(list(took_ms.values()), encoders)
    assert makespan_ms(made, took_ms, encoders) == pytest.approx(run.wall_ms)
