"""Sound of real sources through the real handler and the real ffmpeg, held against the source beep
by beep."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import msgspec
import pytest

from eventing.contract import TaskCompleted
from functions.jobs import layout, record
from functions.jobs.plan import AudioTask
from functions.jobs.receipt import Receipt
from tests import planned
from tests.clips import ffmpeg
from tests.integration.encoder.world import RENDITIONS, World
from tests.planned import JOB

RATE = 48000


def beeping(path: Path, *, video_late: str = "0", sound_late: str = "0") -> Path:
    """Three seconds with a beep of a tenth of a second each second, from 0.5 s on."""
    ffmpeg(
        *("-itsoffset", video_late, "-f", "lavfi", "-i", "testsrc2=s=128x72:r=25:d=3"),
        *("-itsoffset", sound_late, "-f", "lavfi", "-i"),
        f"aevalsrc='if(between(mod(t,1),0.5,0.6),sin(2*PI*1000*t),0)':s={RATE}:d=3",
        *("-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-g", "25"),
        *("-c:a", "pcm_s16le", str(path)),
    )
    return path


def onsets(file: Path) -> list[int]:
    """Samples at which a beep starts after silence."""
    raw = array(
        "h",
        ffmpeg(
            *("-i", f"file:{file}", "-map", "0:a:0", "-ac", "1", "-ar", str(RATE)),
            *("-f", "s16le", "-"),
        ),
    )
    found: list[int] = []
    quiet = RATE
    for at, value in enumerate(raw):
        if abs(value) > 3000:
            if quiet > RATE // 20:
                found.append(at)
            quiet = 0
        else:
            quiet += 1
    return found


@pytest.mark.parametrize(
    ("video_late", "sound_late", "starts_s"),
    [
        ("0", "0", (Fraction(1, 2), Fraction(3, 2), Fraction(5, 2))),
        ("0", "0.25", (Fraction(3, 4), Fraction(7, 4), Fraction(11, 4))),
        ("0.4", "0", (Fraction(1, 10), Fraction(11, 10), Fraction(21, 10))),
    ],
)
def test_sound_stays_with_the_picture(
    video_late: str, sound_late: str, starts_s: Sequence[Fraction], world: World, tmp_path: Path
) -> None:
    source = beeping(tmp_path / "source.mov", video_late=video_late, sound_late=sound_late)
    plan = planned.plan(world.store, source, renditions=RENDITIONS[:1], chunk_segments=99)
    track = world.encode(plan)["audio-1"]
    # Priming and exactly the picture's length.
    assert sum(each.duration_ticks for each in track.segments) == 1024 + 3 * RATE
    found = onsets(world.file(track, tmp_path / "sound.mp4"))
    assert len(found) == 3
    for at, start_s in zip(found, starts_s, strict=True):
        assert abs(at - start_s * RATE) <= RATE // 1000, f"{at} for {start_s}"


def test_sound_that_ends_early_is_filled_with_silence(world: World, tmp_path: Path) -> None:
    source = tmp_path / "source.mov"
    ffmpeg(
        *("-f", "lavfi", "-i", "testsrc2=s=128x72:r=25:d=3", "-f", "lavfi", "-i"),
        *("sine=frequency=440:d=1", "-c:v", "libx264", "-preset", "ultrafast"),
        *("-pix_fmt", "yuv420p", "-c:a", "aac", str(source)),
    )
    plan = planned.plan(world.store, source, renditions=())
    (task,) = plan.tasks
    assert isinstance(task, AudioTask)
    track = world.encode(plan)["audio-1"]
    assert sum(each.duration_ticks for each in track.segments) == 1024 + 3 * RATE


def test_sound_by_its_ranges_is_that_of_the_whole(world: World, tmp_path: Path) -> None:
    source = tmp_path / "source.mov"
    ffmpeg(
        *("-f", "lavfi", "-i", "testsrc2=s=320x180:r=25:d=3,noise=alls=40:allf=t", "-f", "lavfi"),
        *("-i", "aevalsrc='0.5*sin(2*PI*(80+90*t)*t)':s=48000:d=3", "-c:v", "libx264", "-preset"),
        *("ultrafast", "-pix_fmt", "yuv420p", "-c:a", "aac", str(source)),
    )
    plan = planned.plan(world.store, source, renditions=())
    whole = world.encode(plan)["audio-1"]
    (task,) = plan.tasks
    assert isinstance(task, AudioTask)
    ranges = replace(plan, generation=2, tasks=(msgspec.structs.replace(task, spare_bytes=0),))
    world.store.create(layout.plan(JOB, 2), record.dump(ranges))
    (event,) = world.encoder.task_ready(planned.ready("a1", generation=2))
    assert isinstance(event, TaskCompleted)
    receipt = record.load(world.store.get(layout.receipt(JOB, 2, "a1")), Receipt)
    assert receipt.tracks == (whole,)
    assert receipt.source_bytes_read < source.stat().st_size // 4
