"""Memory of everything besides ffmpeg: bounded, and the same for a long source as for a short."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from tests.bench import clips
from tests.bench.figure import at_most, plain
from tests.bench.run import watch

LIMIT_MB = 250
FLAT = 1.15


def measure(scratch: Path) -> list[dict[str, Any]]:
    peaks = {}
    for seconds in (60, 600):
        source = clips.synthetic(scratch / f"{seconds}.mp4", seconds=seconds)
        run = watch(
            [sys.executable, "-m", "knative.cli.main", "transcode", source,
             "-o", scratch / f"out-{seconds}", "--profile", "fast"],
            memory=True,
        )  # fmt: skip
        if run.returncode != 0:
            raise RuntimeError(f"transcode of {seconds} s ended with {run.returncode}")
        peaks[seconds] = run.peak_pss_bytes / 1e6
    return [
        at_most("memory besides ffmpeg, 60 s source, MB PSS", peaks[60], LIMIT_MB),
        at_most("memory besides ffmpeg, 600 s source, MB PSS", peaks[600], LIMIT_MB),
        at_most("memory, 600 s against 60 s", peaks[600] / peaks[60], FLAT),
        plain("source", "320x180 at 25/s with sound"),
    ]
