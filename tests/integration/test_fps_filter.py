"""The planner's arithmetic and ffmpeg's `fps` filter agree, frame by frame."""

from __future__ import annotations

import random
from fractions import Fraction
from pathlib import Path

import pytest

from functions.media.cutting import timeline
from tests.clips import digests, ffmpeg, frame_sums


@pytest.mark.parametrize("seed", range(8))
def test_the_fps_filter_shows_the_frames_that_were_planned(seed: int, tmp_path: Path) -> None:
    chance = random.Random(seed)
    ticks_a_second = chance.choice((1000, 600, 90_000, 24_000))
    mean = ticks_a_second // chance.choice((12, 24, 30, 48, 90, 120))
    times = [chance.randrange(3 * ticks_a_second)]
    for _ in range(60):
        times.append(times[-1] + max(1, round(mean * chance.choice((0.3, 1, 1, 1, 1.7, 6)))))
    _agree(_clip(tmp_path, times, ticks_a_second), times, Fraction(1, ticks_a_second))


def test_a_last_frame_that_ends_before_its_slot_begins_is_shown(tmp_path: Path) -> None:
    uneven = (0, 5, 6, 9, 11)
    clip = tmp_path / "uneven.mp4"
    ffmpeg(
        *("-f", "lavfi", "-i", "testsrc2=s=64x48:r=75,trim=end_frame=90,noise=alls=60:allf=t"),
        *("-vf", "select=" + "+".join(f"eq(mod(n\\,15)\\,{at})" for at in uneven)),
        *("-fps_mode", "passthrough", "-c:v", "libx264", "-preset", "ultrafast", str(clip)),
    )
    _agree(clip, [at * 256 for at in range(90) if at % 15 in uneven], Fraction(1, 19200))


def _agree(clip: Path, times: list[int], timebase: Fraction) -> None:
    shown = frame_sums("-copyts", "-i", f"file:{clip}")
    assert [ticks for ticks, _ in shown] == times
    assert len(set(digests(shown))) == len(times)

    line = timeline.plan(times, timebase, segment_s=1)
    of_source = timeline.source_frames(line, times)
    planned = [shown[of_source(frame)][1] for frame in range(line.frames)]
    resampled = digests(
        frame_sums(
            *("-copyts", "-i", f"file:{clip}"),
            *(
                "-vf",
                f"setpts=PTS-({line.origin}),tpad=stop_mode=clone:stop=100,"
                f"fps={line.rate}:eof_action=pass,tpad=stop_mode=clone:stop=99",
            ),
        )
    )
    assert resampled[: line.frames] == planned


def _clip(folder: Path, times: list[int], ticks_a_second: int) -> Path:
    """A clip whose frames, all different, are presented at these times."""
    path = folder / "clip.mkv" if ticks_a_second == 1000 else folder / "clip.mp4"
    # A sum with one term a frame: that is all that an expression can say of a list.
    moments = "+".join(f"eq(N\\,{frame})*{ticks}" for frame, ticks in enumerate(times))
    ffmpeg(
        *("-f", "lavfi", "-i", f"testsrc2=s=64x48:r=30,trim=end_frame={len(times)}"),
        *("-vf", f"settb=1/{ticks_a_second},setpts={moments},noise=alls=60:allf=t"),
        *("-fps_mode", "passthrough", "-enc_time_base", f"1/{ticks_a_second}"),
        *("-c:v", "ffv1", "-copyts", "-avoid_negative_ts", "disabled"),
        *("-video_track_timescale", str(ticks_a_second)) if path.suffix == ".mp4" else (),
        *("-strict", "-2", f"file:{path}"),
    )
    return path
