"""Real files, cut as the planner likes and cut as finely as can be: nothing is lost at any join.

The judges know nothing of our media code: they count, time, hear and compare each picture with
the source's. The long file gets two small rungs, because decoding it is enough work for a test.
"""

from __future__ import annotations

import json
import math
import re
import subprocess
from pathlib import Path

import pytest

from functions.adapters import binaries
from tests.e2e import judges
from tests.e2e.command import Desk
from tests.real_media import media_file

pytestmark = [pytest.mark.media, pytest.mark.slow]

FILES = [
    ("bigbuckbunny-720p25.mp4", "fast"),
    ("bikes-640x272.mp4", "fast"),
    ("long_1080p_lowbitrate.mp4", "tiny"),
    ("sample_no_bframes.mp4", "fast"),
    ("sample_video_only.mp4", "fast"),
    ("sample.avi", "fast"),
]


def frames_at_constant_rate(source: Path, rate: str) -> int:
    """Frames that ffmpeg's own rate conversion makes of the source."""
    ran = subprocess.run(
        [str(binaries.ffmpeg()), "-nostdin", "-v", "error", "-i", str(source), "-map", "0:V:0",
         "-fps_mode", "cfr", "-r", rate, "-f", "null", "-progress", "pipe:1", "-"],
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    return int(re.findall(r"^frame=\s*(\d+)$", ran.stdout, re.MULTILINE)[-1])


@pytest.mark.parametrize("chunks", ["planned", "one segment each"])
@pytest.mark.parametrize(("name", "profile"), FILES, ids=[name for name, _ in FILES])
def test_every_picture_and_sound_of_a_real_file_is_in_its_streams(
    desk: Desk, tmp_path: Path, name: str, profile: str, chunks: str
) -> None:
    source = media_file(f"real/{name}")
    out = tmp_path / "out"
    forced = ["--chunk-segments", "1"] if chunks != "planned" else []
    ran = desk.run(
        "transcode", source, "-o", out, "--profile", profile, *forced, cwd=tmp_path, within_s=600
    )
    assert ran.code == 0, ran.err

    report = json.loads((out / "report.json").read_text())
    timeline = report["timeline"]
    if timeline["constant"]:
        assert timeline["frames"] == judges.source_frames(source)
    else:
        assert timeline["frames"] == frames_at_constant_rate(source, timeline["rate"])
    if forced:
        segments = math.ceil(timeline["frames"] / timeline["segment_frames"])
        assert judges.joins(out) == segments - 1
    assert judges.judge(out, source, judges.Planned.read(out)) == []
    desk.assert_nothing_left(tmp_path, but={"out"})
