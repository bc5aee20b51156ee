"""Memory and work as a source gets longer: the one bounded, the other in proportion."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from tests.bench import clips
from tests.bench.figure import at_most, plain
from tests.bench.transcode import transcode

LENGTHS_S: Final = (60, 600, 3600)
LIMIT_MB: Final = 250
FLAT: Final = 1.15
LINEAR: Final = 0.05


def measure(scratch: Path) -> list[dict[str, Any]]:
    peaks, costs, tasks = {}, {}, {}
    for seconds in LENGTHS_S:
        source = clips.synthetic(scratch / f"{seconds}.mp4", seconds=seconds)
        made = transcode(source, scratch / f"out-{seconds}", words=("--profile", "fast"))
        peaks[seconds] = made.run.peak_pss_bytes / 1e6
        costs[seconds] = made.run.cpu_s
        tasks[seconds] = sum(task["cpu_ms"] for task in made.report["tasks"]) / 1000
    short, middle, long = LENGTHS_S
    # What starts and stops with a job costs the same for any: the slope is what a second costs.
    slopes = [
        (costs[later] - costs[earlier]) / (later - earlier)
        for earlier, later in ((short, middle), (middle, long))
    ]
    return [
        plain("source", "320x180 at 25/s with sound, encoded as 180p"),
        *(
            at_most(f"memory besides ffmpeg, {seconds} s, MB PSS", peak, LIMIT_MB)
            for seconds, peak in peaks.items()
        ),
        at_most(f"memory, {long} s against {short} s", peaks[long] / peaks[short], FLAT),
        *(plain(f"CPU s, {seconds} s", cost) for seconds, cost in costs.items()),
        *(plain(f"of it tasks, {seconds} s", cost) for seconds, cost in tasks.items()),
        at_most(
            "CPU a second of film: how far the second slope is off the first",
            abs(slopes[1] / slopes[0] - 1),
            LINEAR,
        ),
    ]
