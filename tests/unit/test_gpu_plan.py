"""What a plan gives to GPUs, and what becomes of it where there is none."""

from __future__ import annotations

from dataclasses import replace

import msgspec
import pytest

from functions.jobs import fallback
from functions.jobs.plan import AudioTask, VideoTask
from functions.jobs.profile import Options
from functions.jobs.refusal import NO_ACCELERATOR
from tests.surveys import PROFILE, SETTING, film, long_film, packets, plan, sound, survey

GPU_SETTING = replace(SETTING, gpu_workers=1)
ASKED = Options(accelerator="gpu")


def test_who_asks_for_a_gpu_gets_pictures_planned_for_one_and_nothing_else() -> None:
    made = plan(long_film(), options=ASKED, setting=GPU_SETTING)
    assert {task.accelerator for task in made.tasks if isinstance(task, VideoTask)} == {"gpu"}
    assert {task.accelerator for task in made.tasks if isinstance(task, AudioTask)} == {"cpu"}
    assert {each.accelerator for each in made.video} == {"gpu"}
    # Sound is not kept waiting by pictures, should those be the CPU's in the end.
    assert isinstance(made.tasks[1], AudioTask)
    assert made.notes == ()


def test_an_option_counts_before_the_profile() -> None:
    profile = msgspec.structs.replace(
        PROFILE, video=msgspec.structs.replace(PROFILE.video, accelerator="gpu")
    )
    by_profile = plan(long_film(), profile=profile, setting=GPU_SETTING)
    against_it = plan(
        long_film(), profile=profile, options=Options(accelerator="cpu"), setting=GPU_SETTING
    )
    assert by_profile.video[0].accelerator == "gpu"
    assert against_it.video[0].accelerator == "cpu"
    assert plan(long_film(), setting=GPU_SETTING).video[0].accelerator == "cpu"


def test_without_gpu_encoders_the_plan_is_the_cpus_but_for_a_note() -> None:
    without = plan(long_film(), options=ASKED)
    assert [note.partition(":")[0] for note in without.notes] == [NO_ACCELERATOR]
    assert replace(without, notes=()) == plan(long_film())


def test_only_sound_needs_no_gpu_and_no_note() -> None:
    made = plan(survey((), (sound(0),), {0: packets(900, delta=1024)}), options=ASKED)
    assert (made.notes, [task.accelerator for task in made.tasks]) == ((), ["cpu"])


def test_a_source_is_prepared_by_the_cpu() -> None:
    made = plan(
        survey((film(),), (sound(),), {}, prepared=False), options=ASKED, setting=GPU_SETTING
    )
    assert [task.accelerator for task in made.tasks] == ["cpu"]


@pytest.mark.parametrize("preset", ["ultrafast", "medium", "veryslow"])
@pytest.mark.parametrize("workers", [1, 4])
def test_what_a_gpu_shall_do_the_cpu_could_do_as_well(preset: str, workers: int) -> None:
    profile = msgspec.structs.replace(
        PROFILE, video=msgspec.structs.replace(PROFILE.video, preset=preset)
    )
    setting = replace(SETTING, gpu_workers=workers)
    made = plan(long_film(), profile=profile, options=ASKED, setting=setting)
    for task in made.tasks:
        if isinstance(task, VideoTask):
            assert task.cost_ms < 120_000
            assert task.fallback_ms <= 121_000 or task.stop - task.start == 100
    moved = fallback.without(made, made.tasks[0], "so it is")
    chunks_of = {(task.start, task.stop) for task in made.tasks if isinstance(task, VideoTask)}
    assert {
        (task.start, task.stop) for task in moved.tasks if isinstance(task, VideoTask)
    } == chunks_of
    assert sum(stop - start for start, stop in chunks_of) == 15_000


def test_chunks_are_cut_for_the_encoders_that_have_a_gpu() -> None:
    few = plan(long_film(2000), options=ASKED, setting=replace(SETTING, gpu_workers=1))
    many = plan(long_film(2000), options=ASKED, setting=replace(SETTING, gpu_workers=8))
    assert len(few.tasks) < len(many.tasks)
    assert (
        few.tasks
        == plan(
            long_film(2000), options=ASKED, setting=replace(SETTING, workers=9, gpu_workers=1)
        ).tasks
    )


def test_a_task_is_long_wherever_it_may_end_up() -> None:
    setting = replace(GPU_SETTING, long_task_s=10.0)
    made = plan(long_film(), options=ASKED, setting=setting)
    for task in made.tasks:
        if isinstance(task, VideoTask):
            assert (task.length == "long") == (task.fallback_ms > 10_000)
