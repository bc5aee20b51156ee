"""Encoders finish together, also where segments are few and large."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest

from functions.jobs import catalogue
from functions.jobs.plan import Plan, VideoTask
from functions.jobs.profile import Options
from functions.media.cutting import chunks
from functions.media.cutting.cut import Costs, Cut
from functions.media.cutting.timeline import Timeline
from functions.planning.forecast import Outcome, expected, outcome
from functions.planning.survey import Survey
from tests.surveys import SETTING, film, packets, plan, sound, survey

DEFAULT = catalogue.read([catalogue.BUILT_IN])["default"]
SPLIT = ((30.0, 13.0), (26.0, 17.0), (35.0, 8.0), (40.0, 3.0))
"""Ways to share out 40 ms of a frame, with 3 ms of decoding in both."""


def source(seconds: int, height: int, *, more_frames: int = 4) -> Survey:
    frames = seconds * 30 + more_frames
    pictures = film(
        width=height * 16 // 9,
        height=height,
        timebase=Fraction(1, 30),
        nominal_rate=Fraction(30),
    )
    return survey(
        (pictures,),
        (sound(channels=2),),
        {0: packets(frames, group=250), 1: packets(seconds * 44_100 // 1024, delta=1024)},
    )


def planned(found: Survey, encoders: int) -> tuple[Plan, Outcome]:
    made = plan(found, profile=DEFAULT, setting=replace(SETTING, workers=encoders))
    return made, outcome(expected(made, found.tables), encoders=encoders)


def line(frames: int) -> Timeline:
    return Timeline(
        timebase=Fraction(1, 30),
        origin=0,
        rate=Fraction(30),
        frames=frames,
        constant=True,
        timescale=90_000,
        segment_frames=120,
    )


@pytest.mark.parametrize("height", [720, 1080])
@pytest.mark.parametrize("more_frames", [0, 4])
@pytest.mark.parametrize("seconds", [40, 52, 60, 90, 120, 300, 600])
def test_the_last_of_two_encoders_waits_no_longer_than_three_hundredths(
    seconds: int, height: int, more_frames: int
) -> None:
    _, found = planned(source(seconds, height, more_frames=more_frames), 2)
    assert found.idle_ms <= 0.03 * found.wall_ms


@pytest.mark.parametrize("height", [720, 1080])
@pytest.mark.parametrize("encoders", [2, 3, 4, 8, 16])
@pytest.mark.parametrize("seconds", [20, 60, 300])
def test_every_rendition_of_every_frame_is_made_once(
    seconds: int, encoders: int, height: int
) -> None:
    made, _ = planned(source(seconds, height), encoders)
    names = {each.name for each in made.video}
    ends = dict.fromkeys(names, 0)
    tasks = [task for task in made.tasks if isinstance(task, VideoTask)]
    assert len({task.id for task in tasks}) == len(tasks)
    for task in sorted(tasks, key=lambda task: task.start):
        for name in task.renditions:
            assert ends[name] == task.start
            ends[name] = task.stop
    assert set(ends.values()) == {seconds * 30 + 4}


def test_a_chunk_of_the_last_round_is_shared_out_by_renditions_and_comes_last() -> None:
    made, _ = planned(source(60, 1080), 2)
    *_, large, small = (task for task in made.tasks if isinstance(task, VideoTask))
    assert (large.start, large.stop) == (small.start, small.stop)
    assert large.stop == 1804
    assert {*large.renditions, *small.renditions} == {each.name for each in made.video}
    assert large.cost_ms >= small.cost_ms


def work_ms(made: Cut) -> float:
    """Of all tasks, where a frame is 40 ms and its decoding 3, a start 250 and the sound 2,000."""
    shared_ms = sum(250 + 3.0 * made.chunks[number].frames for number in made.shared)
    return 2_000 + sum(250 + 40.0 * chunk.frames for chunk in made.chunks) + shared_ms


@pytest.mark.parametrize("segments", [9, 12, 16, 25])
@pytest.mark.parametrize("workers", [2, 3, 4, 6])
def test_sharing_out_shortens_the_wall_and_is_little_work(segments: int, workers: int) -> None:
    alone = Costs(40.0, 3.0, 250.0, (2_000.0,))
    before = chunks.cut(line(segments * 120), alone, workers=workers, chunk_s=60)
    after = chunks.cut(
        line(segments * 120), replace(alone, shared_ms=SPLIT), workers=workers, chunk_s=60
    )
    assert after.wall_ms <= before.wall_ms
    assert work_ms(after) <= (1 + chunks.MAX_SHARED) * work_ms(before) + 250
    for number in range(1, len(after.chunks)):
        assert after.order.count(number) == (2 if number in after.shared else 1)


def test_who_finishes_together_shares_nothing() -> None:
    costs = Costs(40.0, 3.0, 250.0, shared_ms=SPLIT)
    even = chunks.cut(line(150 * 120), costs, workers=2, chunk_s=60)
    assert even.idle_ms <= 0.03 * even.wall_ms
    assert not even.shared
    assert not chunks.cut(line(15 * 120), costs, workers=1, chunk_s=60).shared


def test_a_few_frames_at_the_end_are_no_task_of_their_own() -> None:
    for encoders in (1, 2, 3, 4):
        made, _ = planned(source(60, 1080), encoders)
        assert all(
            task.stop - task.start >= 120 for task in made.tasks if isinstance(task, VideoTask)
        )
    alone = Costs(40.0, 3.0, 250.0)
    left = chunks.cut(line(1804), alone, workers=2, chunk_s=60, folds=False)
    assert left.chunks[-1].frames == 4


def test_a_forced_length_and_a_gpu_share_out_nothing() -> None:
    found = source(60, 1080)
    forced = plan(found, profile=DEFAULT, options=Options(chunk_segments=1))
    gpu = plan(
        found,
        profile=DEFAULT,
        options=Options(accelerator="gpu"),
        setting=replace(SETTING, gpu_workers=2),
    )
    for made in (forced, gpu):
        tasks = [task for task in made.tasks if isinstance(task, VideoTask)]
        assert len({task.start for task in tasks}) == len(tasks)
    assert len([task for task in forced.tasks if isinstance(task, VideoTask)]) == 16
