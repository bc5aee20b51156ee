"""The whole pipeline against one plain ffmpeg with the plan's own settings, on the same cores."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from functions.adapters import binaries
from tests.bench import clips
from tests.bench.figure import at_most, plain
from tests.bench.run import Watched, watch

SOURCE_S = 120
CORES = len(os.sched_getaffinity(0))


def plain_ffmpeg(source: Path, plan: dict[str, Any], out: Path) -> list[str | Path]:
    """One process that decodes once and encodes every rendition as the plan says."""
    segment = plan["timeline"]["segment_frames"]
    video, audio = plan["video"], plan["audio"]
    heads = "".join(f"[s{n}]" for n in range(len(video)))
    scaled = ";".join(
        f"[s{n}]scale={r['width']}:{r['height']},setsar=1,format=yuv420p[v{n}]"
        for n, r in enumerate(video)
    )
    argv: list[str | Path] = [
        binaries.ffmpeg(), "-nostdin", "-v", "error", "-y", "-i", source,
        "-filter_complex", f"[0:v:0]split={len(video)}{heads};{scaled}",
    ]  # fmt: skip
    for n, r in enumerate(video):
        argv += [
            "-map", f"[v{n}]", "-c:v", "libx264", "-preset", r["preset"], "-crf", str(r["crf"]),
            "-maxrate", str(r["maxrate_bps"]), "-bufsize", str(r["bufsize_bits"]),
            "-g", str(segment), "-keyint_min", str(segment), "-sc_threshold", "0",
            "-flags", "+cgop", "-f", "mp4", out / f"{r['name']}.mp4",
        ]  # fmt: skip
    for track in audio:
        argv += [
            "-map", f"0:{track['track']}", "-c:a", "aac", "-b:a", str(track["bitrate_bps"]),
            "-ac", str(track["channels"]), "-ar", str(track["sample_rate"]),
            "-f", "mp4", out / f"{track['name']}.mp4",
        ]  # fmt: skip
    return argv


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


def _track_bytes(source: Path, stream: str) -> int:
    ran = subprocess.run(
        [str(binaries.ffprobe()), "-v", "error", "-select_streams", stream,
         "-show_entries", "packet=size", "-of", "csv=p=0", str(source)],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    return sum(int(line.split(",")[0]) for line in ran.stdout.split() if line)


def _rendition_bytes(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.glob("*.m4s"))


def transcode(source: Path, out: Path, plans: Path) -> Watched:
    """Kinora by its command, and a copy of the plan that it followed."""

    def plan_there() -> bool:
        for path in out.parent.glob(".*/work/jobs/*/plan-*.json"):
            try:
                shutil.copy(path, plans / path.name)
            except OSError:
                return False
            return True
        return False

    def playable() -> bool:
        return any(out.parent.glob(".*/media/*/early.m3u8"))

    run = watch(
        [sys.executable, "-m", "knative.cli.main", "transcode", source, "-o", out],
        things={"plan": plan_there, "playable": playable},
        memory=True,
    )
    if run.returncode != 0:
        raise RuntimeError(f"transcode ended with {run.returncode}")
    return run


def measure(scratch: Path) -> list[dict[str, Any]]:
    source = clips.looped(scratch / "source.mp4", seconds=SOURCE_S)
    plans = scratch / "plans"
    plans.mkdir()
    ours = transcode(source, scratch / "ours", plans)
    plan = json.loads(max(plans.glob("plan-*.json")).read_text())
    theirs_folder = scratch / "plain"
    theirs_folder.mkdir()
    theirs = watch(plain_ffmpeg(source, plan, theirs_folder))
    if theirs.returncode != 0:
        raise RuntimeError(f"plain ffmpeg ended with {theirs.returncode}")
    report = json.loads((scratch / "ours" / "report.json").read_text())
    rows = [
        plain("source", f"{SOURCE_S} s of {clips.REAL_CLIP}, looped"),
        plain("renditions", ", ".join(r["name"] for r in plan["video"])),
        plain("tasks", float(len(plan["tasks"]))),
        plain("Kinora: CPU s", ours.cpu_s),
        plain("plain ffmpeg: CPU s", theirs.cpu_s),
        at_most("CPU, against plain ffmpeg", ours.cpu_s / theirs.cpu_s, 1.08),
        plain("Kinora: wall s", ours.wall_s),
        plain("plain ffmpeg: wall s", theirs.wall_s),
        at_most("wall, against plain CPU / cores", ours.wall_s / (theirs.cpu_s / CORES), 1.10),
        at_most("wall, against plain wall", ours.wall_s / theirs.wall_s, 1.0),
        plain("first playable segment, share of the wall",
              ours.seen_s.get("playable", ours.wall_s) / ours.wall_s),
        at_most("memory besides ffmpeg, MB PSS", ours.peak_pss_bytes / 1e6, 250),
    ]  # fmt: skip
    rows += bytes_read(report, source)
    for rendition in plan["video"]:
        name = rendition["name"]
        theirs_bytes = _track_bytes(theirs_folder / f"{name}.mp4", "v:0")
        ratio = _rendition_bytes(scratch / "ours" / name) / theirs_bytes
        rows.append(plain(f"{name}: bytes against plain", ratio))
    top = plan["video"][0]
    name, size = top["name"], (top["width"], top["height"])
    mine = scratch / "joined.mp4"
    parts = scratch / "ours" / name
    init = next(parts.glob("init-*.mp4"))
    mine.write_bytes(b"".join(path.read_bytes() for path in [init, *sorted(parts.glob("*.m4s"))]))
    rows.append(plain(f"{name}: VMAF, Kinora", vmaf(mine, source, *size)))
    rows.append(plain(f"{name}: VMAF, plain", vmaf(theirs_folder / f"{name}.mp4", source, *size)))
    return rows


def bytes_read(report: dict[str, Any], source: Path) -> list[dict[str, Any]]:
    """What tasks read at the ObjectStore port, against what the tracks hold."""
    read = {"video": 0, "audio": 0}
    for task in report["tasks"]:
        if task["kind"] in read:
            read[task["kind"]] += task["source_bytes_read"]
    return [
        at_most("video bytes read, of the video track", read["video"] / _track_bytes(source, "v:0"),
                1.2),
        at_most("sound bytes read, of the file", read["audio"] / source.stat().st_size, 1.0),
    ]  # fmt: skip
