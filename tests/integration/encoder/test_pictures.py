"""Real sources through the real handler and the real ffmpeg, chunk by chunk, then held against
the source frame by frame."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest

from eventing.contract import TaskCompleted
from functions.jobs import layout, record
from functions.jobs.plan import Plan, VideoTask
from functions.jobs.receipt import Receipt
from functions.media.cutting.timeline import source_frames
from tests import planned
from tests.clips import cut_clip, ffmpeg, frame_sums, make_clip
from tests.integration.encoder.world import RENDITIONS, World
from tests.planned import JOB
from tests.real_media import media_file

WIDTH, HEIGHT = 64, 36
"""Pictures are compared as small as this, by their brightness."""


def pictures(file: Path, *options: str) -> list[bytes]:
    """The brightness of every presented picture, made small."""
    raw = ffmpeg(
        *(*options, "-i", f"file:{file}", "-map", "0:v:0", "-fps_mode", "passthrough"),
        *("-vf", f"scale={WIDTH}:{HEIGHT}:flags=area:out_range=tv,format=yuv420p,extractplanes=y"),
        *("-f", "rawvideo", "-"),
    )
    size = WIDTH * HEIGHT
    return [raw[at : at + size] for at in range(0, len(raw), size)]


def shown_at(file: Path) -> list[int]:
    """Ticks of every presented picture."""
    return [ticks for ticks, _ in frame_sums("-copyts", "-i", f"file:{file}", "-map", "0:v:0")]


def difference(one: bytes, two: bytes) -> int:
    return sum((a - b) * (a - b) for a, b in zip(one, two, strict=True))


def check_pictures(plan: Plan, source: Path, made: Path, *, moving: bool = True) -> None:
    """Each output picture shows its source picture, and at joins no neighbour fits better."""
    line = plan.timeline
    assert line is not None
    found = pictures(made)
    assert len(found) == line.frames
    of_source = source_frames(line, shown_at(source))
    numbers = [of_source(frame) for frame in range(line.frames)]
    originals = pictures(source)
    expected = [originals[number] for number in numbers]
    # Within 12 grey levels everywhere (root mean square): an encode is lossy, but not so lossy.
    for frame in range(line.frames):
        assert difference(found[frame], expected[frame]) < 144 * WIDTH * HEIGHT, f"frame {frame}"
    joins = [task.start for task in plan.tasks if isinstance(task, VideoTask) and task.start]
    assert len(joins) == -(-line.frames // line.segment_frames) - 1
    if not moving:
        return
    for start in joins:
        for frame in range(max(1, start - 2), min(line.frames - 1, start + 3)):
            here = difference(found[frame], expected[frame])
            for neighbour in (frame - 1, frame + 1):
                if numbers[neighbour] != numbers[frame]:
                    there = difference(found[frame], expected[neighbour])
                    assert here < there, f"frame {frame} looks like {neighbour}"


@pytest.mark.parametrize(
    "name", ["closed.mp4", "open.mp4", "open-hevc.mp4", "intra.mov", "holes.mp4", "jitter.mp4"]
)
def test_chunks_encoded_alone_join_without_a_seam(name: str, world: World, tmp_path: Path) -> None:
    source = make_clip(name, tmp_path)
    plan = planned.plan(world.store, source, renditions=RENDITIONS)
    tracks = world.encode(plan)
    for rendition in RENDITIONS:
        made = world.file(tracks[rendition.name], tmp_path / f"{rendition.name}.mp4")
        check_pictures(plan, source, made)


def test_what_an_edit_list_cuts_away_stays_away(world: World, tmp_path: Path) -> None:
    source = cut_clip(make_clip("closed.mp4", tmp_path), tmp_path, start_s=1.37)
    plan = planned.plan(world.store, source, renditions=RENDITIONS[:1])
    check_pictures(plan, source, world.file(world.encode(plan)["144p"], tmp_path / "made.mp4"))


def test_a_source_without_an_index_is_decoded_from_its_start(world: World, tmp_path: Path) -> None:
    source = make_clip("closed.mp4", tmp_path)
    plan = planned.plan(world.store, source, renditions=RENDITIONS[:1], indexed=False)
    check_pictures(plan, source, world.file(world.encode(plan)["144p"], tmp_path / "made.mp4"))


def test_presentation_starts_at_zero_and_every_picture_lasts_one_frame(
    world: World, tmp_path: Path
) -> None:
    source = make_clip("closed.mp4", tmp_path)
    plan = planned.plan(world.store, source, renditions=RENDITIONS[:1])
    track = world.encode(plan)["144p"]
    made = world.file(track, tmp_path / "made.mp4")
    assert plan.timeline is not None
    times = shown_at(made)
    assert {after - before for before, after in pairwise(times)} == {plan.timeline.frame_ticks}
    assert [segment.start_ticks for segment in track.segments] == [
        number * 30 * plan.timeline.frame_ticks for number in range(4)
    ]


@pytest.mark.media
@pytest.mark.parametrize("name", ["bigbuckbunny-720p25.mp4", "bikes-640x272.mp4"])
def test_real_files_cut_at_every_segment_join_without_a_seam(
    name: str, world: World, tmp_path: Path
) -> None:
    source = media_file(f"real/{name}")
    plan = planned.plan(world.store, source, renditions=RENDITIONS)
    tracks = world.encode(plan)
    for rendition in RENDITIONS:
        made = world.file(tracks[rendition.name], tmp_path / f"{rendition.name}.mp4")
        check_pictures(plan, source, made)


@pytest.mark.media
@pytest.mark.parametrize(
    ("name", "format"),
    [
        ("sample.avi", "avi"),
        ("bbb_2500ms.ts", "mpegts"),
        ("sample_with_srt.mkv", "matroska"),
    ],
)
def test_a_mezzanine_shows_and_sounds_like_its_source(
    name: str, format: str, world: World, tmp_path: Path
) -> None:
    source = media_file(f"real/{name}")
    plan = planned.preparation(world.store, source, format=format)
    assert isinstance(world.handle("m1"), TaskCompleted)
    copy = tmp_path / "mezzanine.mov"
    copy.write_bytes(world.store.get(layout.mezzanine(plan.source.digest)))
    assert pictures(copy) == pictures(source)
    found = planned.facts(copy, "mov", 1)
    assert found.timeline is not None
    assert all(table.complete and table.located for table in found.tables.values())
    assert len(found.media.audio) == 1


def test_a_mezzanine_that_is_there_is_not_made_again(world: World, tmp_path: Path) -> None:
    source = make_clip("closed.mp4", tmp_path)
    plan = planned.preparation(world.store, source, format="mov")
    world.store.create(layout.mezzanine(plan.source.digest), b"there")
    assert isinstance(world.handle("m1"), TaskCompleted)
    receipt = record.load(world.store.get(layout.receipt(JOB, 1, "m1")), Receipt)
    assert (receipt.tracks, receipt.source_bytes_read) == ((), 0)
