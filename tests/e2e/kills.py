"""Seeded kills: something dies at a random moment, and the job ends right all the same.

One run: a clip is dropped into the uploads of a running runtime; after a random part of a second
or more, a random victim (a function's process, an ffmpeg, or the whole runtime) gets SIGKILL; a
dead runtime is started again. Then the job must have exactly one verdict, completed, with every
planned frame, and nothing may be left over.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from functions.adapters import binaries
from functions.adapters.sqlite import SqliteState
from tests.e2e.command import until

PROFILE = """
name = "tiny"
description = "one small rung, for tests of the flow"
segment_s = 1

[video]
preset = "slower"

[[video.ladder]]
height = 180
maxrate_kbps = 300
bufsize_kbps = 400
"""
OPTIONS = {"profile": "tiny", "chunk_segments": 1}
VICTIMS = ("function", "ffmpeg", "runtime")


def make_clip(path: Path) -> None:
    """Six seconds at 25 frames a second with sound: six one-segment chunks."""
    subprocess.run(
        [str(binaries.ffmpeg()), "-nostdin", "-v", "error", "-y",
         "-f", "lavfi", "-i", "testsrc2=size=322x182:rate=25:duration=6",
         "-f", "lavfi", "-i", "sine=frequency=440:sample_rate=48000:duration=6",
         "-c:v", "libx264", "-preset", "ultrafast", "-g", "40", "-pix_fmt", "yuv420p",
         "-c:a", "aac", "-shortest", str(path)],
        check=True, stdin=subprocess.DEVNULL,
    )  # fmt: skip


@dataclass(slots=True)
class Site:
    """A runtime's directory and the process that serves it, restarted when it was killed."""

    directory: Path
    options: tuple[str, ...] = ("--tick", "1", "--listen", "off")
    """Of `kinora up`; a quick tick, since what is lost with a broker is found again by it."""
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        profiles = self.directory / "profiles"
        profiles.mkdir(parents=True, exist_ok=True)
        (profiles / "tiny.toml").write_text(PROFILE)
        log = (self.directory / "runtime.log").open("ab")
        self.process = subprocess.Popen(
            [sys.executable, "-m", "knative.cli.main", "up", "--dir", str(self.directory / "site"),
             *self.options],
            env={
                **os.environ,
                "KINORA_PROFILES": str(profiles),
                "KINORA_STALE_S": "3",
                "KINORA_ENCODER_LEASE_S": "5",
            },
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )  # fmt: skip
        log.close()

    @property
    def root(self) -> Path:
        return self.directory / "site"

    def tree(self) -> list[psutil.Process]:
        """Every process below the runtime."""
        assert self.process is not None
        try:
            return psutil.Process(self.process.pid).children(recursive=True)
        except psutil.NoSuchProcess:
            return []

    def kill(self, victim: str, choose: random.Random) -> str:
        """SIGKILL one; says what it was, "" when there was nothing of the kind."""
        assert self.process is not None
        if victim == "runtime":
            below = self.tree()
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()
            until("no child outlives its parent", lambda: not any(map(_alive, below)), within_s=60)
            self.start()
            return "runtime"
        wanted = self._victims(victim)
        patience_s = time.monotonic() + 2.0
        while not wanted and time.monotonic() < patience_s:
            time.sleep(0.005)
            wanted = self._victims(victim)
        if not wanted:
            return ""
        chosen = choose.choice(sorted(wanted, key=lambda child: child.pid))
        what = _name(chosen) if victim == "ffmpeg" else " ".join(_words(chosen)[-2:])
        try:
            chosen.kill()
        except psutil.NoSuchProcess:
            return ""
        return what

    def _victims(self, victim: str) -> list[psutil.Process]:
        return [
            child
            for child in self.tree()
            if _alive(child) and _name(child).startswith("ffmpeg") == (victim == "ffmpeg")
        ]

    def drop(self, clip: Path, name: str) -> None:
        folder = self.root / "uploads" / "local"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{name}.json").write_text(json.dumps(OPTIONS))
        staged = folder / f".{name}.part"
        shutil.copy(clip, staged)
        staged.rename(folder / name)

    def stop(self) -> None:
        """SIGTERM drains; whatever is left then is a finding."""
        if self.process is None or self.process.poll() is not None:
            return
        below = self.tree()
        self.process.terminate()
        try:
            self.process.wait(timeout=60)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise
        until("every process is gone", lambda: not any(map(_alive, below)), within_s=60)


def _alive(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _name(process: psutil.Process) -> str:
    try:
        return process.name()
    except psutil.NoSuchProcess:
        return ""


def _words(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline() or [""]
    except psutil.NoSuchProcess:
        return [""]


def job_of(root: Path, name: str) -> str:
    """The job that a dropped file became, "" while there is none."""
    for path in sorted((root / "work" / "jobs").glob("*/job.json")):
        if json.loads(path.read_text())["source"]["key"].endswith(f"/{name}"):
            return path.parent.name
    return ""


def verdict_of(root: Path, job: str) -> dict[str, Any]:
    path = root / "work" / "jobs" / job / "verdict.json"
    return json.loads(path.read_text()) if job and path.exists() else {}


def assert_right(root: Path, job: str, *, frames: int) -> None:
    """Completed, and every rendition holds exactly the planned frames."""
    verdict = verdict_of(root, job)
    assert verdict["state"] == "completed", verdict
    media = root / "media" / job
    for name in ("master.m3u8", "manifest.mpd", "report.json"):
        assert (media / name).stat().st_size > 0, name
    for playlist in sorted(media.glob("*p/playlist.m3u8")):
        counted = subprocess.run(
            [str(binaries.ffprobe()), "-v", "error", "-count_frames", "-select_streams", "v:0",
             "-show_entries", "stream=nb_read_frames", "-of", "csv=p=0", str(playlist)],
            capture_output=True, text=True, check=True,
        ).stdout.split()[0].strip(",")  # fmt: skip
        assert int(counted) == frames, f"{playlist.parent.name}: {counted} of {frames} frames"


def assert_nothing_left(root: Path, job: str) -> None:
    """I5: no open marker, no slot, no lease, no scratch, nothing parked."""
    until(f"no open marker of {job}", lambda: not (root / "work" / "open" / job).exists())
    state = SqliteState(root / "runtime" / "state.sqlite")
    until("no slot is held", lambda: not state.slots(job))
    scratch = root / "runtime" / "scratch"
    until(
        "no scratch file is left",
        lambda: not any(path.is_file() for path in scratch.rglob("*")),
        within_s=60,
    )
    until("nothing is parked", lambda: not [*(root / "work" / "parked").glob("*/*")], within_s=60)


def run_one(site: Site, clip: Path, seed: int) -> str:
    """One seeded run; says what was killed and when."""
    choose = random.Random(seed)
    name = f"clip-{seed}.mp4"
    site.drop(clip, name)
    until("the job exists", lambda: job_of(site.root, name) != "")
    told = []
    for _ in range(choose.randint(1, 2)):
        victim = choose.choice(VICTIMS)
        delay_s = choose.uniform(0.0, 3.0)
        end = time.monotonic() + delay_s
        while time.monotonic() < end and not verdict_of(site.root, job_of(site.root, name)):
            time.sleep(0.01)
        told.append(f"{site.kill(victim, choose) or 'no ' + victim} after {delay_s:.2f} s")
    job = job_of(site.root, name)
    until(f"a verdict on {job} (seed {seed}: {', '.join(told)})",
          lambda: bool(verdict_of(site.root, job)))  # fmt: skip
    assert_right(site.root, job, frames=150)
    assert_nothing_left(site.root, job)
    return ", ".join(told)
