"""The whole pipeline beside one plain ffmpeg with the plan's own settings, and beside a peer, on
the same cores, one after the other."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import fmean
from typing import Any, Final

from tests.bench import clips, plots, quality, rivals
from tests.bench.figure import at_most, plain
from tests.bench.run import Watched
from tests.bench.transcode import Transcoded, transcode

CORES: Final = len(os.sched_getaffinity(0))
ROUNDS: Final = 3
"""Runs of either, in turn: of three minutes each, one pair was 0.92 and the next 1.05."""
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
name = "small-{chunk_s}"
description = "One small rung: what is read is as much as for any"
chunk_s = {chunk_s}

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
    """What is read of the pictures of a film of ten minutes, in chunks of up to a minute, in
    shorter ones, and where the planner may not choose where they end."""
    source = clips.looped(scratch / "ten-minutes.mp4", seconds=600)
    track_bytes = clips.track_bytes(source, "v:0")
    for chunk_s in (60, 28):
        (scratch / f"small-{chunk_s}.toml").write_text(SMALL.format(chunk_s=chunk_s))

    def share(told: str, profile: str, *words: str) -> tuple[str, float]:
        made = transcode(
            source,
            scratch / f"read-{told.replace(' ', '-')}",
            words=("--profile", profile, *words),
            env={"KINORA_PROFILES": str(scratch)},
        )
        chunks = sum(task["kind"] == "video" for task in made.report["tasks"])
        figure = f"10 minutes in {chunks} chunks, {told}: video bytes read, of the track"
        return figure, _read(made.report, "video") / track_bytes

    return [
        at_most(*share("up to 60 s", "small-60"), 1.15),
        at_most(*share("up to 28 s", "small-28"), 1.15),
        # Five seconds lie between two keyframes here: half of that is read again at each edge.
        at_most(*share("of 20 s each", "small-60", "--chunk-segments", "5"), 1.15),
    ]


def of_source(name: str, scratch: Path) -> list[dict[str, Any]]:
    """The figures of one source, each named after it."""
    scratch.mkdir()
    told, make = SOURCES[name]
    source = make(scratch / "source.mp4")
    rounds: list[Transcoded] = []
    plains: list[Watched] = []
    for number in range(ROUNDS):
        rounds.append(transcode(source, scratch / f"ours-{number}"))
        plains.append(rivals.plain_ffmpeg(source, rounds[0].plan, scratch / f"plain-{number}"))
    ours, plain_folder = rounds[0], scratch / "plain-0"
    peer = rivals.shaka_streamer(source, ours.plan, scratch / "peer")
    runs = [each.run for each in rounds]
    cpu_s, wall_s = fmean(run.cpu_s for run in runs), fmean(run.wall_s for run in runs)
    their_cpu_s = fmean(run.cpu_s for run in plains)
    their_wall_s = fmean(run.wall_s for run in plains)
    report = ours.report
    plots.tasks_over_time(report, f"tasks-{name}")
    plots.bytes_read(report, clips.track_bytes(source, "v:0"), f"bytes-{name}")
    rows = [
        plain("source", told),
        plain("renditions", ", ".join(r["name"] for r in ours.plan["video"])),
        plain("tasks", float(len(ours.plan["tasks"]))),
        plain("Kinora: CPU s", cpu_s),
        plain("plain ffmpeg: CPU s", their_cpu_s),
        plain("shaka-streamer: CPU s", peer.cpu_s),
        at_most("CPU, against plain ffmpeg", cpu_s / their_cpu_s, 1.03),
        plain("Kinora: wall s", wall_s),
        plain("Kinora: wall s of each run", _each(runs)),
        plain("plain ffmpeg: wall s", their_wall_s),
        plain("plain ffmpeg: wall s of each run", _each(plains)),
        plain(f"shaka-streamer (preset {rivals.SHAKA_PRESET}): wall s", peer.wall_s),
        at_most("wall, against plain CPU / cores", wall_s / (their_cpu_s / CORES), 1.04),
        at_most("wall, against plain wall", wall_s / their_wall_s, 1.0),
        at_most("wall, against shaka-streamer's", wall_s / peer.wall_s, 0.6),
        at_most("first playable segment, share of the wall",
                max(run.seen_s.get("playable", run.wall_s) / run.wall_s for run in runs), 0.10),
        at_most("memory besides ffmpeg, MB PSS",
                max(run.peak_pss_bytes for run in runs) / 1e6, 250),
    ]  # fmt: skip
    rows += [
        plain("video bytes read, of the video track",
              _read(report, "video") / clips.track_bytes(source, "v:0")),
        at_most("sound bytes read, of the file",
                _read(report, "audio") / source.stat().st_size, 1.0),
    ]  # fmt: skip
    rows += _sizes(ours, plain_folder)
    top = ours.plan["video"][0]
    size = top["width"], top["height"]
    for whose, file in (
        ("Kinora", ours.joined(top["name"])),
        ("plain", plain_folder / f"{top['name']}.mp4"),
    ):
        score = quality.vmaf(file, source, *size)
        rows.append(plain(f"{top['name']}: VMAF, {whose}", score))
    return [row | {"figure": f"{name}: {row['figure']}"} for row in rows]


def _each(runs: Sequence[Watched]) -> str:
    return ", ".join(f"{run.wall_s:.1f}" for run in runs)


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
