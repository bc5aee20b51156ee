"""Tasks of a plan, one by one as an encoder runs them: what ffmpeg is told, and what it sees."""

from __future__ import annotations

import subprocess
from pathlib import Path

from functions.adapters import binaries
from functions.encoder.fetch import Copy
from functions.jobs.plan import Plan, VideoTask
from functions.media.encoding import argv as words
from functions.media.encoding import pictures
from functions.ports import ObjectStore


def tasks_of(plan: Plan) -> list[VideoTask]:
    return sorted(
        (task for task in plan.tasks if isinstance(task, VideoTask)), key=lambda task: task.start
    )


def argv_of(store: ObjectStore, plan: Plan, task: VideoTask, folder: Path) -> list[str]:
    folder.mkdir()
    assert plan.timeline is not None
    source = next(Copy(store, plan, folder, lambda: None).chunk(task))
    return list(
        pictures.argv(
            str(binaries.ffmpeg()),
            source=source,
            track=source.stream(plan.video_track),
            timeline=plan.timeline,
            cut=pictures.Cut(
                start=task.start,
                trim_start=task.trim_start,
                trim_stop=task.trim_stop,
                repeats=task.repeats,
            ),
            renditions=plan.video,
            tuning=words.Tuning(),
            treatment=plan.picture,
        )
    )


def shown_by(argv: list[str], folder: Path) -> list[tuple[int, str]]:
    """Ticks and digest of every frame that would be encoded."""
    at = argv.index("-c:v")
    clock = argv[argv.index("-enc_time_base") + 1]
    argv = [*argv[:at], "-fps_mode", "passthrough", "-enc_time_base", clock, "-f", "framemd5"]
    subprocess.run([*argv, "file:sums"], cwd=folder, capture_output=True, check=True)
    lines = (folder / "sums").read_text().splitlines()
    rows = [line.split(",") for line in lines if line and not line.startswith("#")]
    return [(int(row[2]), row[-1].strip()) for row in rows]
