"""Sources that are odd as files: raw pictures, streams with a beginning or an end of their own,
clocks that wrap. What is planned is what a plain decode shows, and what is odd is told."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from eventing.errors import Rejected
from functions.jobs import layout
from functions.jobs.plan import Plan
from functions.jobs.profile import Options
from functions.media.encoding import argv as words
from functions.media.encoding import remux
from functions.media.source import guard
from functions.planning.drawing import draw
from functions.planning.survey import Survey
from tests.chunked import argv_of, shown_by, tasks_of
from tests.clips import X264, count_frames, digests, ffmpeg, frame_sums
from tests.integration.test_survey import SETTING, Desk

MOVING = ("-f", "lavfi", "-i", "testsrc2=s=64x48:r=25:d=2,noise=alls=60:allf=t")
LONGER = (*MOVING[:3], MOVING[3].replace("d=2", "d=5"))
"""Enough for more than one chunk."""
BEEP = ("-f", "lavfi", "-i", "sine=d=2", "-c:a", "mp2")
H264 = (*X264, "-bf", "2", "-g", "10")


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def surveyed(desk: Desk, file: Path, *, unpack: bool = False) -> tuple[Survey, Plan]:
    """Of the source, or of its mezzanine where it needs one; `unpack` as the encoder tries first
    with AVI."""
    source = desk.put(file)
    survey = desk.surveyor.original(source, lambda: None)
    plan = draw(desk.manifest(source), 1, survey, SETTING)
    if plan.kind == "encode":
        return survey, plan
    folder = desk.folder / "remux"
    folder.mkdir()
    (folder / words.SOURCE).write_bytes(file.read_bytes())
    _, *argv = remux.argv(
        "ffmpeg", source=words.Source(format=plan.format), muxer="mov", unpack=unpack
    )
    names = {f"file:{name}": f"file:{folder / name}" for name in (words.SOURCE, words.output(0))}
    ffmpeg(*(names.get(word, word) for word in argv))
    desk.store.create(layout.mezzanine(source.digest), folder / words.output(0))
    survey = desk.surveyor.mezzanine(source, lambda: None)
    return survey, draw(desk.manifest(source), 2, survey, SETTING)


def shown_of(desk: Desk, plan: Plan) -> list[tuple[int, str]]:
    """Ticks and digests of the whole film, chunk by chunk."""
    shown: list[tuple[int, str]] = []
    for task in tasks_of(plan):
        folder = desk.folder / task.id
        shown += shown_by(argv_of(desk.store, plan, task, folder), folder)
    return shown


def check_order(desk: Desk, file: Path, note: str, *plain: str, unpack: bool = False) -> bool:
    """Five seconds are there from the first picture on, in chunks, as a plain decode of such a
    source shows them, and their sound; whether pictures were counted, of which the note tells."""
    desk.options = Options(chunk_segments=1)
    survey, plan = surveyed(desk, file, unpack=unpack)
    line = plan.timeline
    assert line is not None
    assert (line.frames, line.origin, line.constant) == (125, 0, True)
    assert plan.audio[0].samples == 5 * 48_000
    assert any(note in said for said in plan.notes) == survey.counted
    assert digests(shown_of(desk, plan)) == digests(frame_sums(*plain))
    assert len(tasks_of(plan)) > 1
    return survey.counted


@pytest.mark.parametrize(
    ("name", "coder"),
    [
        ("film.h264", (*H264, "-r", "30000/1001")),
        ("film.hevc", ("-c:v", "libx265", "-preset", "ultrafast", "-x265-params",
                       "log-level=none:keyint=10", "-r", "24")),
        ("film.m2v", ("-c:v", "mpeg2video", "-bf", "2", "-g", "10")),
        ("film.m1v", ("-c:v", "mpeg1video", "-bf", "2", "-g", "10")),
    ],
)  # fmt: skip
def test_raw_pictures_are_shown_at_their_own_rate_and_none_is_lost(
    desk: Desk, name: str, coder: tuple[str, ...]
) -> None:
    file = desk.folder / name
    ffmpeg(*LONGER, *coder, f"file:{file}")
    desk.options = Options(chunk_segments=1)
    _, plan = surveyed(desk, file)
    line = plan.timeline
    assert line is not None
    assert plan.index == ""
    rates = {"film.h264": 30000 / 1001, "film.hevc": 24}
    assert float(line.rate) == pytest.approx(rates.get(name, 25))
    assert any("no container" in note for note in plan.notes)
    assert digests(shown_of(desk, plan)) == digests(frame_sums("-i", f"file:{file}"))
    assert len(tasks_of(plan)) > 1


@pytest.mark.parametrize(
    ("coder", "counted"),
    [
        ((*X264, "-bf", "2", "-g", "25"), True),
        ((*X264, "-bf", "3", "-g", "40", "-x264-params", "open-gop=1:b-pyramid=normal"), True),
        ((*X264, "-bf", "0", "-g", "12"), False),
        (("-c:v", "mpeg2video", "-bf", "2", "-g", "12"), True),
        (("-c:v", "mpeg4", "-bf", "2", "-g", "25"), False),
        (("-c:v", "mpeg4", "-bf", "0", "-g", "25"), False),
        # With its B-frames packed, as DivX and Xvid write them.
        (("-c:v", "libxvid", "-bf", "2", "-g", "25"), False),
    ],
)
def test_pictures_in_avi_are_shown_in_their_order_from_the_first_on(
    desk: Desk, coder: tuple[str, ...], counted: bool
) -> None:
    file = desk.folder / "film.avi"
    sound = ("-f", "lavfi", "-i", "sine=d=5", "-c:a", "pcm_s16le")
    ffmpeg(*LONGER, *sound, *coder, f"file:{file}")
    unpack = "mpeg4" in coder or "libxvid" in coder
    plain = ("-i", f"file:{file}", "-map", "0:v")
    assert check_order(desk, file, "no times of their own", *plain, unpack=unpack) == counted


@pytest.mark.parametrize(
    ("coder", "counted"),
    [
        ((*X264, "-bf", "2", "-g", "12"), True),
        ((*X264, "-bf", "0", "-g", "12"), False),
        (("-c:v", "mpeg2video", "-bf", "2", "-g", "12"), False),
    ],
)
def test_pictures_in_mxf_are_shown_in_their_order_whatever_it_says_of_their_times(
    desk: Desk, coder: tuple[str, ...], counted: bool
) -> None:
    file, raw = desk.folder / "film.mxf", desk.folder / "raw"
    sound = ("-f", "lavfi", "-i", "sine=d=5:r=48000", "-c:a", "pcm_s16le")
    ffmpeg(*LONGER, *sound, *coder, f"file:{file}")
    kind = "mpeg2video" if "mpeg2video" in coder else "h264"
    ffmpeg("-i", f"file:{file}", "-map", "0:v", "-c", "copy", "-f", kind, f"file:{raw}")
    # A stream without a container has no times that could be wrong.
    plain = ("-i", f"file:{raw}")
    assert check_order(desk, file, "in MXF: pictures have no times of", *plain) == counted


def test_pictures_of_which_nothing_changed_stand_still(desk: Desk) -> None:
    file = desk.folder / "film.avi"
    still = "color=gray:s=64x48:r=25:d=2"
    ffmpeg(
        *(*MOVING, "-f", "lavfi", "-i", still, *MOVING),
        *("-filter_complex", "concat=n=3", "-c:v", "libxvid", "-bf", "2", "-g", "40", str(file)),
    )
    decoded = count_frames("-i", f"file:{file}", "-map", "0:v")
    _, plan = surveyed(desk, file, unpack=True)
    line = plan.timeline
    assert line is not None
    # Those that are in the copy are all shown; what is missing between them is in the plan.
    assert line.frames == pytest.approx(decoded, abs=2)
    assert not line.constant
    assert [ticks for ticks, _ in shown_of(desk, plan)] == list(range(line.frames))


def test_a_place_that_was_left_empty_in_avi_is_a_time(desk: Desk) -> None:
    file = desk.folder / "film.avi"
    ffmpeg(
        *(*MOVING[:3], f"{MOVING[3]},setpts='N+gte(N,20)*5'", "-fps_mode", "passthrough"),
        *("-enc_time_base", "1/25", *X264, "-bf", "0", f"file:{file}"),
    )
    _, plan = surveyed(desk, file)
    assert plan.timeline is not None
    assert (plan.timeline.frames, plan.timeline.constant) == (55, False)


def test_a_clock_of_33_bits_that_wraps_in_the_middle_goes_on(desk: Desk) -> None:
    file = desk.folder / "film.ts"
    # It wraps at 2^33 ticks of 90 kHz, 95443.7 s.
    ffmpeg(*MOVING, *BEEP, *H264, "-muxdelay", "0", "-output_ts_offset", "95442.7", str(file))
    _, plan = surveyed(desk, file)
    assert plan.timeline is not None
    assert (plan.timeline.frames, plan.timeline.constant) == (50, True)
    assert plan.audio[0].samples == 2 * 48_000


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("film.ts", ()),
        ("film.m2ts", ("-mpegts_m2ts_mode", "1", "-f", "mpegts")),
        ("film.flv", ()),
        ("film.mpg", ("-c:v", "mpeg2video", "-b:v", "2M")),
        ("film.mkv", ("-live", "1")),
    ],
)
def test_a_stream_that_was_cut_off_is_made_as_far_as_it_goes_and_that_is_told(
    desk: Desk, name: str, options: tuple[str, ...]
) -> None:
    whole, file = desk.folder / f"whole-{name}", desk.folder / name
    ffmpeg(*MOVING, *H264, *options, str(whole))
    data = whole.read_bytes()
    file.write_bytes(data[: len(data) * 6 // 10 + 3])
    survey, plan = surveyed(desk, file)
    assert survey.torn
    assert plan.timeline is not None
    assert 20 < plan.timeline.frames < 40
    assert any("what came after" in note for note in plan.notes)
    # One whose end is there tells nothing.
    assert not desk.surveyor.original(desk.put(whole), lambda: None).torn


@pytest.mark.parametrize(
    ("name", "coder"),
    [
        ("film.avi", ("-c:v", "mpeg4")),
        ("film.webm", ("-c:v", "libvpx", "-deadline", "realtime", "-cpu-used", "8")),
        ("film.mxf", ("-c:v", "mpeg2video", "-s", "720x576")),
    ],
)
def test_a_file_that_is_shorter_than_its_header_says_is_refused(
    desk: Desk, name: str, coder: tuple[str, ...]
) -> None:
    file = desk.folder / name
    ffmpeg(*MOVING, *coder, str(file))
    desk.surveyor.original(desk.put(file), lambda: None)
    data = file.read_bytes()
    file.write_bytes(data[: len(data) * 6 // 10])
    assert desk.refusal(file) == "source_truncated"


@pytest.mark.parametrize(
    ("start", "frames"),
    [(b"", 50), (b"\x12garbage" * 37, 50), (bytes(100), 50), (b"ID3\4\0\0\0\0\0\0", 50)],
)
def test_what_lies_before_a_transport_stream_does_no_harm(
    desk: Desk, start: bytes, frames: int
) -> None:
    whole, file = desk.folder / "whole.ts", desk.folder / "film.mp4"
    ffmpeg(*MOVING, *H264, "-f", "mpegts", str(whole))
    file.write_bytes(start + whole.read_bytes())
    _, plan = surveyed(desk, file)
    assert plan.timeline is not None
    assert plan.timeline.frames == frames == count_frames("-i", f"file:{whole}")
    assert not any("what came after" in note for note in plan.notes)


@pytest.mark.parametrize(
    ("times", "note"),
    [
        ("N*40+if(gte(N,20),60000,0)", "a gap of 60.04 s at 0.76 s"),
        ("10000+N*40", "starts at 10 s"),
    ],
)
def test_odd_times_are_told(desk: Desk, times: str, note: str) -> None:
    file = desk.folder / "film.mp4"
    ffmpeg(
        *(*MOVING[:3], f"{MOVING[3]},settb=1/1000,setpts='{times}'"),
        *("-fps_mode", "passthrough", "-enc_time_base", "1/1000", "-copyts"),
        *("-c:v", "mpeg4", "-avoid_negative_ts", "disabled"),
        *("-video_track_timescale", "1000", str(file)),
    )
    _, plan = surveyed(desk, file)
    assert any(note in said for said in plan.notes), plan.notes


def test_what_an_edit_list_hides_is_told(desk: Desk) -> None:
    whole, file = desk.folder / "whole.mp4", desk.folder / "film.mp4"
    ffmpeg(*MOVING, *H264, str(whole))
    ffmpeg("-ss", "0.6", "-i", str(whole), "-c", "copy", str(file))
    _, plan = surveyed(desk, file)
    assert any("an edit list hides them" in note for note in plan.notes), plan.notes


def test_a_day_of_stillness_is_not_made_of_millions_of_frames(desk: Desk) -> None:
    file = desk.folder / "film.mp4"
    times = "N*40+if(gte(N,20),80000000,0)"
    ffmpeg(
        *(*MOVING[:3], f"{MOVING[3]},settb=1/1000,setpts='{times}'"),
        *("-fps_mode", "passthrough", "-enc_time_base", "1/1000"),
        *(*X264, "-bf", "0", "-video_track_timescale", "1000", str(file)),
    )
    _, plan = surveyed(desk, file)
    assert plan.timeline is not None
    assert plan.timeline.frames == pytest.approx(80_000 * 5, rel=0.01)
    assert any("stands still: 5 a second" in note for note in plan.notes), plan.notes


def test_a_source_without_an_index_that_is_larger_than_may_be_fetched_whole_is_refused(
    desk: Desk, tmp_path: Path
) -> None:
    film = tmp_path / "film.h264"
    ffmpeg("-f", "lavfi", "-i", "testsrc2=s=64x64:d=1", *H264, str(film))
    surveyor = replace(desk.surveyor, bounds=guard.Bounds(whole_bytes=film.stat().st_size - 1))
    with pytest.raises(Rejected) as refused:
        surveyor.original(desk.put(film), lambda: None)
    assert refused.value.code == "index_missing"
    assert "KINORA_MAX_WHOLE_BYTES" in refused.value.reason
