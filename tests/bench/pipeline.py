"""The whole pipeline beside one plain ffmpeg with the plan's own settings, and beside a peer, on
the same cores, one after the other."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from tests.bench import clips, plots, quality, rivals
from tests.bench.figure import at_most, plain
from tests.bench.transcode import Transcoded, transcode

CORES: Final = len(os.sched_getaffinity(0))
Source = Callable[[Path], Path]

SOURCES: Final[dict[str, tuple[str, Source]]] = {
    "720p": (
        f"120 s of {clips.REAL_CLIP}, looped",
        lambda path: clips.looped(path, seconds=120),
    ),
    "1080p": (
        f"60 s of {clips.REAL_1080P}, looped at 30 a second, with the other's sound",
        lambda path: clips.looped_1080p(path, seconds=60),
    ),
}


SMALL: Final = """\
name = "small"
description = "One small rung: what is read is as much as for any"

[video]
preset = "ultrafast"

[[video.ladder]]
height = 90
maxrate_kbps = 200
bufsize_kbps = 400
"""


def measure(scratch: Path) -> list[dict[str, Any]]:
    rows = [row for name in SOURCES for row in of_source(name, scratch / name)]
    return [*rows, *long_chunks(scratch)]


def long_chunks(scratch: Path) -> list[dict[str, Any]]:
    """What is read in chunks of five segments, 20 s, of the first source."""
    name = next(iter(SOURCES))
    source = scratch / name / "source.mp4"
    (scratch / "small.toml").write_text(SMALL)
    made = transcode(
        source,
        scratch / "long-chunks",
        words=("--profile", "small", "--chunk-segments", "5"),
        env={"KINORA_PROFILES": str(scratch)},
    )
    return [
        at_most(f"{name}: video bytes read in chunks of 20 s, of the track",
                _read(made.report, "video") / clips.track_bytes(source, "v:0"), 1.15),
    ]  # fmt: skip


def of_source(name: str, scratch: Path) -> list[dict[str, Any]]:
    """The figures of one source, each named after it."""
    scratch.mkdir()
    told, make = SOURCES[name]
    source = make(scratch / "source.mp4")
    ours = transcode(source, scratch / "ours")
    theirs = rivals.plain_ffmpeg(source, ours.plan, scratch / "plain")
    peer = rivals.shaka_streamer(source, ours.plan, scratch / "peer")
    run, report = ours.run, ours.report
    plots.tasks_over_time(report, f"tasks-{name}")
    plots.bytes_read(report, clips.track_bytes(source, "v:0"), f"bytes-{name}")
    rows = [
        plain("source", told),
        plain("renditions", ", ".join(r["name"] for r in ours.plan["video"])),
        plain("tasks", float(len(ours.plan["tasks"]))),
        plain("Kinora: CPU s", run.cpu_s),
        plain("plain ffmpeg: CPU s", theirs.cpu_s),
        plain("shaka-streamer: CPU s", peer.cpu_s),
        at_most("CPU, against plain ffmpeg", run.cpu_s / theirs.cpu_s, 1.03),
        plain("Kinora: wall s", run.wall_s),
        plain("plain ffmpeg: wall s", theirs.wall_s),
        plain(f"shaka-streamer (preset {rivals.SHAKA_PRESET}): wall s", peer.wall_s),
        at_most("wall, against plain CPU / cores", run.wall_s / (theirs.cpu_s / CORES), 1.04),
        at_most("wall, against plain wall", run.wall_s / theirs.wall_s, 1.0),
        at_most("wall, against shaka-streamer's", run.wall_s / peer.wall_s, 0.6),
        at_most("first playable segment, share of the wall",
                run.seen_s.get("playable", run.wall_s) / run.wall_s, 0.10),
        at_most("memory besides ffmpeg, MB PSS", run.peak_pss_bytes / 1e6, 250),
    ]  # fmt: skip
    rows += [
        plain("video bytes read, of the video track",
              _read(report, "video") / clips.track_bytes(source, "v:0")),
        at_most("sound bytes read, of the file",
                _read(report, "audio") / source.stat().st_size, 1.0),
    ]  # fmt: skip
    rows += _sizes(ours, scratch / "plain")
    top = ours.plan["video"][0]
    size = top["width"], top["height"]
    for whose, file in (
        ("Kinora", ours.joined(top["name"])),
        ("plain", scratch / "plain" / f"{top['name']}.mp4"),
    ):
        score = quality.vmaf(file, source, *size)
        rows.append(plain(f"{top['name']}: VMAF, {whose}", score))
    return [row | {"figure": f"{name}: {row['figure']}"} for row in rows]


def _read(report: dict[str, Any], kind: str) -> int:
    """Bytes that tasks of the kind read at the ObjectStore port."""
    return sum(t["source_bytes_read"] for t in report["tasks"] if t["kind"] == kind)


def _sizes(ours: Transcoded, plain_folder: Path) -> list[dict[str, Any]]:
    rows = []
    for rendition in ours.plan["video"]:
        name = rendition["name"]
        theirs_bytes = clips.track_bytes(plain_folder / f"{name}.mp4", "v:0")
        rows.append(plain(f"{name}: bytes against plain", ours.segment_bytes(name) / theirs_bytes))
    return rows
