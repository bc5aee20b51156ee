"""Frames at their own times: every chunk, encoded alone from its byte ranges, shows the source's
frames when the source shows them, and none stands still for longer than a second."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from fractions import Fraction
from functools import partial
from itertools import pairwise
from pathlib import Path

import pytest

from functions.adapters import binaries, process, scratch
from functions.adapters.directory import DirectoryStore
from functions.jobs.manifest import Manifest, SourceObject
from functions.jobs.plan import Fingerprint, Plan
from functions.jobs.profile import Options, Profile, Rung, VideoProfile
from functions.media.encoding import argv as words
from functions.media.source import guard
from functions.media.streams import fragmented, gate
from functions.planning.drawing import Setting, draw
from functions.planning.surveyor import Surveyor
from tests.chunked import argv_of, shown_by, tasks_of
from tests.clips import X264, ffmpeg, frame_sums, make_clip

TIMES_MS = {
    # Bursts with a second between them, as recorders of screens write.
    "bursts": "floor(N/10)*1000+mod(N,10)*33",
    "a gap of several segments": "N*40+if(gte(N,30),7300,0)",
    "jitter": "N*40+mod(N*N*7,31)",
    "slides": "N*2700",
    "late": "5000+N*40+if(gte(N,12),1500,0)",
}


def clip_with(times_ms: str, path: Path, *, bframes: int) -> Path:
    source = "testsrc2=s=64x48:r=25,trim=end_frame=60,noise=alls=60:allf=t"
    if times_ms.startswith("N*2700"):
        source = source.replace("60,", "6,", 1)
    ffmpeg(
        *("-f", "lavfi", "-i", f"{source},settb=1/1000,setpts='{times_ms}'"),
        *("-fps_mode", "passthrough", "-enc_time_base", "1/1000", "-copyts"),
        *(*X264, "-bf", str(bframes), "-g", "20", "-avoid_negative_ts", "disabled"),
        *("-video_track_timescale", "1000", f"file:{path}"),
    )
    return path


def planned(store: DirectoryStore, file: Path, folder: Path, *, chunk_segments: int) -> Plan:
    store.create("uploads/acme/film", file)
    info = store.head("uploads/acme/film")
    assert info is not None
    source = SourceObject(
        bucket="uploads", key="acme/film", version="", etag=info.etag, size_bytes=info.size_bytes
    )
    ladder = (Rung(height=48, maxrate_kbps=400, bufsize_kbps=800),)
    manifest = Manifest(
        job="0" * 32,
        tenant="acme",
        source=source,
        options=Options(chunk_segments=chunk_segments, frame_rate="variable"),
        profile=Profile(name="test", segment_s=2, video=VideoProfile(ladder=ladder)),
        accepted_s=0.0,
    )
    surveyor = Surveyor(
        store=store,
        process=process.run,
        ffprobe=binaries.ffprobe,
        ffmpeg=binaries.ffmpeg,
        scratch=partial(scratch.folder, folder / "scratch"),
    )
    setting = Setting(encoder=Fingerprint(version="", sha256=""), workers=2, bounds=guard.Bounds())
    plan = draw(manifest, 1, surveyor.original(source, lambda: None), setting)
    # Whole pictures as they are: what is compared are digests.
    return replace(plan, picture=replace(plan.picture, deinterlace=""))


@pytest.mark.parametrize("bframes", [0, 2])
@pytest.mark.parametrize("name", sorted(TIMES_MS))
def test_chunks_show_the_source_at_its_own_times(name: str, bframes: int, tmp_path: Path) -> None:
    clip = clip_with(TIMES_MS[name], tmp_path / "clip.mp4", bframes=bframes)
    store = DirectoryStore(tmp_path / "store", durable=False)
    plan = planned(store, clip, tmp_path, chunk_segments=1)
    line = plan.timeline
    assert line is not None
    assert line.variable
    assert len(tasks_of(plan)) == line.segments > 1
    found: list[tuple[int, str]] = []
    for task in tasks_of(plan):
        folder = tmp_path / task.id
        argv = argv_of(store, plan, task, folder)
        found += shown_by(argv, folder)
        subprocess.run(argv, cwd=folder, capture_output=True, check=True)
        data = (folder / words.output(0)).read_bytes()
        gate.check_video(fragmented.read(data), line, task.start, task.stop)

    # Not by the plan: what one plain decode of the whole file shows, and when.
    decoded = frame_sums("-copyts", "-i", f"file:{clip}")
    times = [Fraction(ticks - decoded[0][0], 1000) for ticks, _ in decoded]
    deltas = sorted(after - before for before, after in pairwise(times))
    end = times[-1] + deltas[(len(deltas) - 1) // 2]
    expected = []
    for (_, digest), at, until in zip(decoded, times, [*times[1:], end], strict=True):
        expected.append((at, digest))
        if until - at > 1:
            expected += [(Fraction(k), digest) for k in range(int(at) + 1, -int(-until // 1))]
    assert [(Fraction(ticks, line.timescale), digest) for ticks, digest in found] == expected
    assert line.duration_s == end


def test_the_encoded_frames_keep_their_times_across_chunks(tmp_path: Path) -> None:
    clip = clip_with(TIMES_MS["a gap of several segments"], tmp_path / "clip.mp4", bframes=2)
    store = DirectoryStore(tmp_path / "store", durable=False)
    plan = planned(store, clip, tmp_path, chunk_segments=2)
    line = plan.timeline
    assert line is not None
    whole, inits = b"", set()
    for task in tasks_of(plan):
        folder = tmp_path / task.id
        argv = argv_of(store, plan, task, folder)
        subprocess.run(argv, cwd=folder, capture_output=True, check=True)
        data = (folder / words.output(0)).read_bytes()
        read = fragmented.read(data)
        inits.add(data[read.init.start : read.init.stop])
        whole += data[read.init.stop :]
    (init,) = inits
    (tmp_path / "whole.mp4").write_bytes(init + whole)
    listed = subprocess.run(
        [str(binaries.ffprobe()), "-v", "error", "-show_entries", "packet=pts,dts,duration",
         "-of", "csv=p=0", str(tmp_path / "whole.mp4")],
        capture_output=True, check=True, text=True,
    ).stdout.split()  # fmt: skip
    rows = [tuple(map(int, row.strip(",").split(","))) for row in listed]
    assert all(pts == dts for pts, dts, _ in rows)
    for (at, _, lasts), (following, _, _) in pairwise(rows):
        assert at + lasts == following
    assert rows[0][0] == 0
    assert rows[-1][0] + rows[-1][2] == line.end_ticks
    assert len(rows) == line.frames
    decoded = frame_sums("-i", f"file:{tmp_path / 'whole.mp4'}")
    assert len(decoded) == line.frames


def test_where_the_source_is_constant_the_option_changes_nothing(tmp_path: Path) -> None:
    clip = make_clip("closed.mp4", tmp_path)
    store = DirectoryStore(tmp_path / "store", durable=False)
    plan = planned(store, clip, tmp_path, chunk_segments=1)
    assert plan.timeline is not None
    assert (plan.timeline.constant, plan.timeline.variable) == (True, False)
    assert any("constant" in note for note in plan.notes)
