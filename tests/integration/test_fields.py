"""Pictures of two fields are found by looking, whatever flags say, and every chunk's frames are
those of one whole decode."""

from __future__ import annotations

from pathlib import Path

import pytest

from functions.adapters.directory import DirectoryStore
from functions.jobs import layout
from functions.jobs.manifest import SourceObject
from functions.media.cutting.timeline import source_frames
from tests.clips import digests, ffmpeg, frame_sums
from tests.planning import Drawn, surveyor

X264 = ("-c:v", "libx264", "-preset", "veryfast", "-crf", "12", "-bf", "2", "-g", "25")
FIELDS = "+ildct+ilme"
WOVEN = "tinterlace=interleave_top"
CLIPS: dict[str, tuple[str, str, tuple[str, ...]]] = {
    # What comes out of it; how 50 pictures a second become 25; how it is coded.
    "top.mp4": ("tff", WOVEN, (*X264, "-flags", FIELDS, "-x264-params", "tff=1")),
    "open.mp4": (
        "tff",
        WOVEN,
        (*X264, "-flags", FIELDS, "-x264-params", "tff=1:open-gop=1:b-pyramid=normal"),
    ),
    "bottom.mov": (
        "bff",
        "tinterlace=interleave_bottom",
        ("-c:v", "mpeg2video", "-bf", "2", "-g", "12", "-b:v", "4M", "-flags", FIELDS),
    ),
    "flagged-whole.mp4": ("tff", f"{WOVEN},setfield=prog", X264),
    "one-group.mp4": ("tff", f"{WOVEN},setfield=prog", (*X264, "-g", "999")),
    "holes.mp4": (
        "tff",
        f"{WOVEN},select='gt(random(1),0.3)'",
        (*X264, "-flags", FIELDS, "-x264-params", "tff=1", "-fps_mode", "vfr"),
    ),
}


def make(name: str, folder: Path, *, seconds: float = 1.6) -> Path:
    path = folder / name
    _, filters, codec = CLIPS[name]
    source = f"testsrc2=s=160x240:r=50:d={seconds}"
    ffmpeg("-f", "lavfi", "-i", source, "-vf", filters, *codec, f"file:{path}")
    return path


@pytest.mark.parametrize("name", sorted(CLIPS))
def test_chunks_of_fields_deinterlace_to_the_frames_of_the_whole(name: str, tmp_path: Path) -> None:
    clip = make(name, tmp_path)
    drawn = Drawn.of(clip, tmp_path)
    line, parity = drawn.plan.timeline, CLIPS[name][0]
    assert line is not None
    assert drawn.plan.picture.deinterlace == parity
    assert any("deinterlaced" in note for note in drawn.plan.notes)
    assert line.constant == (name != "holes.mp4")
    # Not by the plan: what one plain decode of the whole file shows.
    plain = f"bwdif=mode=send_frame:parity={parity},scale=160:240,format=yuv420p"
    shown = digests(frame_sums("-copyts", "-i", f"file:{clip}", "-vf", plain))
    packets = drawn.survey.tables[0].packets
    of_source = source_frames(line, sorted(packet.pts for packet in packets if packet.shown))
    expected = [shown[of_source(frame)] for frame in range(line.frames)]
    for size in (7, line.segment_frames):
        for start in range(0, line.frames, size):
            stop = min(start + size, line.frames)
            found = drawn.sums(drawn.chunk(start, stop))
            assert found == expected[start:stop], (start, stop)


def test_fields_at_their_own_times_deinterlace_to_the_frames_of_the_whole(tmp_path: Path) -> None:
    clip = make("holes.mp4", tmp_path, seconds=2.4)
    drawn = Drawn.of(clip, tmp_path, frame_rate="variable")
    line = drawn.plan.timeline
    assert line is not None
    assert line.variable
    plain = "bwdif=mode=send_frame:parity=tff,scale=160:240,format=yuv420p"
    shown = digests(frame_sums("-copyts", "-i", f"file:{clip}", "-vf", plain))
    assert [task.start for task in drawn.segments()] != [0]
    assert [each for task in drawn.segments() for each in drawn.sums(task)] == shown


def test_a_chunk_without_its_neighbours_has_other_frames(tmp_path: Path) -> None:
    drawn = Drawn.of(make("top.mp4", tmp_path), tmp_path)
    # The chunk starts with a keyframe, so nothing before it is decoded.
    alone, beside = drawn.chunk(25, 32, beside=0), drawn.chunk(25, 32)
    assert (alone.first_packet, beside.first_packet) == (25, 0)
    assert drawn.sums(alone)[0] != drawn.sums(beside)[0]
    assert drawn.sums(alone)[1:] == drawn.sums(beside)[1:]


@pytest.mark.parametrize("flags", [(), ("-flags", FIELDS, "-x264-params", "tff=1")])
@pytest.mark.parametrize("source", ["testsrc2=s=320x240:r=25", "mandelbrot=s=160x240:r=25"])
def test_whole_pictures_are_left_alone_whatever_their_flags_say(
    flags: tuple[str, ...], source: str, tmp_path: Path
) -> None:
    clip = tmp_path / "whole.mp4"
    ffmpeg(
        "-f", "lavfi", "-i", source, "-t", "1.2", *X264, *flags, "-pix_fmt", "yuv420p", str(clip)
    )
    drawn = Drawn.of(clip, tmp_path)
    assert drawn.plan.picture.deinterlace == ""
    assert any("flagged interlaced" in note for note in drawn.plan.notes) == bool(flags)


def test_a_mezzanine_is_looked_at_too(tmp_path: Path) -> None:
    clip = make("flagged-whole.mp4", tmp_path, seconds=0.8)
    store = DirectoryStore(tmp_path / "store", durable=False)
    source = SourceObject(bucket="uploads", key="acme/a.ts", version="", etag="e", size_bytes=1)
    store.create(layout.mezzanine(source.digest), clip)
    seen = surveyor(store, tmp_path).mezzanine(source, lambda: None).seen
    assert seen[0].parity == "tff"
    assert not list((tmp_path / "scratch").iterdir())


@pytest.mark.parametrize("codec", [("libvpx-vp9", "25"), ("libx264", "50")])
def test_what_is_never_interlaced_is_whole_whatever_it_looks_like(
    codec: tuple[str, str], tmp_path: Path
) -> None:
    name, rate = codec
    clip = tmp_path / "clip.mp4"
    source = f"testsrc2=s=160x240:r={2 * int(rate)}:d=0.4"
    ffmpeg("-f", "lavfi", "-i", source, "-vf", WOVEN, "-c:v", name, str(clip))
    assert Drawn.of(clip, tmp_path).plan.picture.deinterlace == ""
