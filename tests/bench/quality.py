"""Rate against quality: what cutting a film costs at the same groups of pictures."""

from __future__ import annotations

import math
import os
import re
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np

from functions.adapters import binaries
from tests.bench import clips, plots, rivals
from tests.bench.figure import at_most, plain
from tests.bench.transcode import Transcoded, transcode

CORES: Final = len(os.sched_getaffinity(0))
SOURCE_S: Final = 48
CRFS: Final = (20, 24, 28, 32)
PROFILE: Final = """\
name = "crf-{crf}"
description = "One rung, to measure rate against quality"

[video]
codec = "h264"
preset = "medium"
crf = {crf}

[[video.ladder]]
height = 360
maxrate_kbps = 20000
bufsize_kbps = 40000
"""


class Point(NamedTuple):
    """One encode of the whole film."""

    size_bytes: int
    vmaf: float


def vmaf(distorted: Path, source: Path, width: int, height: int) -> float:
    """Mean VMAF of `distorted` against the source scaled to its size, every fifth frame."""
    # Without names of colours: where only one side names them, ffmpeg converts that side first.
    nameless = "setparams=color_primaries=unknown:color_trc=unknown:colorspace=unknown:range=tv"
    graph = (
        f"[0:v]{nameless},setpts=PTS-STARTPTS[d];[1:v]{nameless},"
        f"scale={width}:{height}:flags=bicubic,setpts=PTS-STARTPTS[r];"
        f"[d][r]libvmaf=n_subsample=5:n_threads={CORES}"
    )
    ran = subprocess.run(
        [str(binaries.ffmpeg()), "-nostdin", "-hide_banner", "-i", str(distorted),
         "-i", str(source), "-lavfi", graph, "-f", "null", "-"],
        capture_output=True, text=True, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    found = re.search(r"VMAF score: ([0-9.]+)", ran.stderr)
    if found is None:
        raise RuntimeError(f"no VMAF for {distorted.name}: {ran.stderr[-500:]}")
    return float(found.group(1))


def bd_rate(anchor: Sequence[Point], test: Sequence[Point]) -> float:
    """Bjøntegaard's difference in rate (VCEG-M33): by how much larger `test` is at the same
    quality, on average over the range of quality that both cover; 0.01 is one per cent."""
    low = max(min(p.vmaf for p in points) for points in (anchor, test))
    high = min(max(p.vmaf for p in points) for points in (anchor, test))
    areas = [
        _area([p.vmaf for p in points], [math.log(p.size_bytes) for p in points], low, high)
        for points in (anchor, test)
    ]
    return math.expm1((areas[1] - areas[0]) / (high - low))


def bd_quality(anchor: Sequence[Point], test: Sequence[Point]) -> float:
    """The other way round: by how much better `test` looks at the same size, in VMAF."""
    sizes = [[math.log(p.size_bytes) for p in points] for points in (anchor, test)]
    low, high = max(map(min, sizes)), min(map(max, sizes))
    areas = [
        _area(size, [p.vmaf for p in points], low, high)
        for size, points in zip(sizes, (anchor, test), strict=True)
    ]
    return (areas[1] - areas[0]) / (high - low)


def _area(x: Sequence[float], y: Sequence[float], low: float, high: float) -> float:
    """Under the cubic through the points."""
    integral = np.polyint(np.polyfit(x, y, 3))
    return float(np.polyval(integral, high) - np.polyval(integral, low))


def measure(scratch: Path) -> list[dict[str, Any]]:
    source = clips.looped(scratch / "source.mp4", seconds=SOURCE_S)
    profiles = scratch / "profiles"
    profiles.mkdir()
    curves: dict[str, list[Point]] = {"one plain ffmpeg": [], "planned": [], "1 segment": []}
    for crf in CRFS:
        (profiles / f"crf-{crf}.toml").write_text(PROFILE.format(crf=crf))
        cuts = {"planned": [], "1 segment": ["--chunk-segments", "1"]}
        for name, words in cuts.items():
            made = transcode(
                source,
                scratch / f"{name}-{crf}",
                words=("--profile", f"crf-{crf}", *words),
                env={"KINORA_PROFILES": str(profiles)},
            )
            curves[name].append(_of(made, source))
        rung = made.plan["video"][0]
        whole = scratch / f"plain-{crf}"
        rivals.plain_ffmpeg(source, made.plan, whole)
        file = whole / f"{rung['name']}.mp4"
        score = vmaf(file, source, rung["width"], rung["height"])
        curves["one plain ffmpeg"].append(Point(clips.track_bytes(file, "v:0"), score))
    anchor = curves["one plain ffmpeg"]
    plots.rate_quality(curves, SOURCE_S, "rate-quality")
    return [
        plain("source", f"{SOURCE_S} s of {clips.REAL_CLIP}, looped; 360p at CRF {CRFS}"),
        at_most("BD-rate of chunking as planned", bd_rate(anchor, curves["planned"]), 0.01),
        at_most("VMAF lost at equal size", -bd_quality(anchor, curves["planned"]), 0.2),
        plain("BD-rate of chunks of one segment", bd_rate(anchor, curves["1 segment"])),
    ]


def _of(made: Transcoded, source: Path) -> Point:
    rung = made.plan["video"][0]
    score = vmaf(made.joined(rung["name"]), source, rung["width"], rung["height"])
    return Point(made.segment_bytes(rung["name"]), score)
