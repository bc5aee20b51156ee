"""Every chunk, decoded alone from its byte ranges, gives exactly its frames of the whole decode."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from functions.adapters import binaries, process, scratch
from functions.adapters.directory import DirectoryStore
from functions.encoder.fetch import Copy
from functions.jobs.manifest import Manifest, SourceObject
from functions.jobs.plan import Fingerprint, Plan, VideoTask
from functions.jobs.profile import Options, Profile, Rung, VideoProfile
from functions.media.cutting import presentation
from functions.media.cutting.timeline import Timeline, source_frames
from functions.media.encoding import argv as words
from functions.media.source import guard, index
from functions.planning.drawing import Setting, draw
from functions.planning.surveyor import Surveyor
from tests.clips import CLIPS, cut_clip, digests, ffmpeg, frame_sums, make_clip
from tests.parameter_sets import forget_reordering
from tests.real_media import media_file

REAL = (
    "bigbuckbunny-720p25.mp4",
    "bikes-640x272.mp4",
    "nasa-2video-2audio-1subtitle.mp4",
    "portrait_4k60.mp4",
    "sample_edit_list.mp4",
    "sample_no_bframes.mp4",
    "sample_rotate_and_reflect.mp4",
    "sample_shorter_audio.mp4",
    "sample_video_only.mp4",
    "sample_with_increasing_timestamps_360p.mp4",
    "hlg10-color-test.mp4",
    "dv-pal-interlaced.mov",
    "prores-422-proxy.mov",
    "xdcam-ex-1080i60.mov",
)


@pytest.mark.parametrize("name", sorted(CLIPS))
def test_chunks_of_one_segment_decode_to_the_whole(name: str, tmp_path: Path) -> None:
    _check(make_clip(name, tmp_path), tmp_path, joins=1)


@pytest.mark.parametrize("name", ["closed.mp4", "open.mp4"])
def test_a_clip_that_an_edit_list_cuts_decodes_to_what_is_presented(
    name: str, tmp_path: Path
) -> None:
    clip = cut_clip(make_clip(name, tmp_path), tmp_path, start_s=1.37)
    _check(clip, tmp_path, joins=2)


@pytest.mark.parametrize("name", ["closed.mp4", "holes.mp4"])
def test_how_far_pictures_are_reordered_need_not_stand_in_their_stream(
    name: str, tmp_path: Path
) -> None:
    clip = make_clip(name, tmp_path)
    forget_reordering(clip)
    _check(clip, tmp_path, joins=1)


def test_an_excerpt_is_of_the_track_that_is_shown_whatever_stands_before_it(tmp_path: Path) -> None:
    film, other = make_clip("closed.mp4", tmp_path), make_clip("intra.mov", tmp_path)
    clip, cover = tmp_path / "covered.mp4", tmp_path / "cover.jpg"
    ffmpeg("-i", f"file:{film}", "-frames:v", "1", f"file:{cover}")
    ffmpeg(
        *("-i", f"file:{film}", "-i", f"file:{other}", "-i", f"file:{cover}"),
        *("-map", "0:v", "-map", "1:v", "-map", "2:v", "-c", "copy"),
        *("-disposition:v:2", "attached_pic", "-timecode", "01:00:00:00", f"file:{clip}"),
    )
    _check(clip, tmp_path, joins=1)


def test_a_chunk_is_read_as_an_excerpt_then_with_the_headers_then_whole(tmp_path: Path) -> None:
    clip = make_clip("closed.mp4", tmp_path)
    store = DirectoryStore(tmp_path / "store", durable=False)
    plan = _plan(store, clip, tmp_path)
    task = next(each for each in plan.tasks if isinstance(each, VideoTask) and each.first_packet)
    copy, file, data = (
        Copy(store, plan, tmp_path, lambda: None),
        tmp_path / "source",
        clip.read_bytes(),
    )
    ways = copy.chunk(task)
    assert next(ways).excerpt
    assert file.stat().st_size < len(data)
    second = next(ways)
    assert (second.excerpt, second.seek_us is None) == (False, False)
    # Nothing of the excerpt is left in it.
    pairs = zip(file.read_bytes(), data, strict=True)
    assert all(byte in (0, own) for byte, own in pairs)
    third = next(ways)
    assert (third.excerpt, third.seek_us) == (False, None)
    assert file.read_bytes() == data
    assert list(ways) == []


@pytest.mark.parametrize(
    "name",
    ["closed.mp4", "open.mp4", "open-hevc.mp4", "open-mpeg2.mov", "holes.mp4", "jitter.mp4"],
)
def test_a_clip_that_begins_before_its_first_keyframe_is_shown_from_there(
    name: str, tmp_path: Path
) -> None:
    whole, clip = make_clip(name, tmp_path), tmp_path / "cut.mp4"
    drop = "noise=drop=lt(n\\,5)"
    ffmpeg("-i", f"file:{whole}", "-c", "copy", "-bsf:v", drop, f"file:{clip}")
    store = DirectoryStore(tmp_path / "store", durable=False)
    plan = _plan(store, clip, tmp_path)
    line = plan.timeline
    assert line is not None
    packets = index.decode(store.get(plan.index)).track(plan.video_track).packets
    presented = presentation.of(packets).ticks
    # What a plain decode of the whole clip ends with: in the cut one much of it is torn.
    shown = digests(frame_sums("-i", f"file:{whole}"))[-len(presented) :]
    of_source = source_frames(line, presented)
    expected = [shown[of_source(frame)] for frame in range(line.frames)]
    assert any("before the first keyframe" in note for note in plan.notes)
    # With the headers and within the whole file, which has torn pictures before the first one.
    for each in (plan, _without_excerpts(store, plan), replace(plan, index="")):
        for task in (task for task in plan.tasks if isinstance(task, VideoTask)):
            found = _decode(store, each, task, line, tmp_path / task.id)
            assert found == expected[task.start : task.stop], f"{task.id}: {task}"


@pytest.mark.media
@pytest.mark.parametrize("name", REAL)
def test_chunks_of_real_files_decode_to_the_whole(name: str, tmp_path: Path) -> None:
    _check(media_file(f"real/{name}"), tmp_path, joins=0)


def _check(file: Path, folder: Path, *, joins: int) -> None:
    """From excerpts, where they can be made, and with the headers of the whole."""
    store = DirectoryStore(folder / "store", durable=False)
    plan = _plan(store, file, folder)
    line = plan.timeline
    assert line is not None
    # Not by the plan: what one plain decode of the whole file shows.
    shown = frame_sums("-copyts", "-i", f"file:{file}", "-map", f"0:{plan.video_track}")
    of_source = source_frames(line, [ticks for ticks, _ in shown])
    expected = [shown[of_source(frame)][1] for frame in range(line.frames)]
    if line.constant:
        assert expected == digests(shown)
    tasks = sorted(
        (task for task in plan.tasks if isinstance(task, VideoTask)), key=lambda task: task.start
    )
    assert len(tasks) == -(-line.frames // line.segment_frames) > joins
    assert (tasks[0].start, tasks[-1].stop) == (0, line.frames)
    for each in (plan, _without_excerpts(store, plan)):
        for task in tasks:
            found = _decode(store, each, task, line, folder / task.id)
            assert found == expected[task.start : task.stop], f"{task.id}: {task}"


def _without_excerpts(store: DirectoryStore, plan: Plan) -> Plan:
    """The same plan, where the index describes no track."""
    found = index.decode(store.get(plan.index))
    tracks = tuple(replace(track, description=b"") for track in found.tracks)
    assert tracks != found.tracks
    store.create("work/bare", index.encode(replace(found, tracks=tracks)))
    return replace(plan, index="work/bare")


def _plan(store: DirectoryStore, file: Path, folder: Path) -> Plan:
    store.create("uploads/acme/film", file)
    info = store.head("uploads/acme/film")
    assert info is not None
    source = SourceObject(
        bucket="uploads", key="acme/film", version="", etag=info.etag, size_bytes=info.size_bytes
    )
    manifest = Manifest(
        job="0" * 32,
        tenant="acme",
        source=source,
        options=Options(chunk_segments=1),
        profile=Profile(
            name="test",
            segment_s=1,
            video=VideoProfile(ladder=(Rung(height=64, maxrate_kbps=400, bufsize_kbps=800),)),
        ),
        accepted_s=0.0,
    )
    surveyor = Surveyor(
        store=store,
        process=process.run,
        ffprobe=binaries.ffprobe,
        ffmpeg=binaries.ffmpeg,
        scratch=partial(scratch.folder, folder / "scratch"),
    )
    survey = surveyor.original(source, lambda: None)
    assert survey.index
    assert not list((folder / "scratch").iterdir())
    setting = Setting(encoder=Fingerprint(version="", sha256=""), workers=2, bounds=guard.Bounds())
    return draw(manifest, 1, survey, setting)


def _decode(
    store: DirectoryStore, plan: Plan, task: VideoTask, line: Timeline, folder: Path
) -> list[str]:
    """The chunk's frames as the encoder sees them, before any scaling."""
    folder.mkdir(exist_ok=True)
    source = next(Copy(store, plan, folder, lambda: None).chunk(task))
    filters = f"trim=start_pts={task.trim_start}:end_pts={task.trim_stop}"
    if not line.constant:
        last = ",tpad=stop_mode=clone:stop=100" if task.stop == line.frames else ""
        again = "tpad=stop_mode=clone:stop=100"
        filters = f"setpts=PTS-({line.origin}),{again},fps={line.rate}{last},{filters}"
    seek = (
        ("-seek_timestamp", "1", "-noaccurate_seek", "-ss", f"{source.seek_us}us")
        if source.seek_us is not None
        else ()
    )
    probe = ("-probesize", "32", "-analyzeduration", "0") if source.excerpt else ()
    argv = [
        *(str(binaries.ffmpeg()), "-v", "quiet", "-nostdin", "-copyts", *seek),
        *(*guard.input_options(source.format), *probe),
        *("-i", f"file:{folder / words.SOURCE}"),
        *("-map", f"0:{source.stream(plan.video_track)}"),
        *("-vf", filters, "-fps_mode", "passthrough", "-f", "framemd5", "-"),
    ]
    said = subprocess.run(argv, capture_output=True, check=False).stdout.decode()
    return [
        line.rsplit(",", 1)[1].strip()
        for line in said.splitlines()
        if line and not line.startswith("#")
    ]
