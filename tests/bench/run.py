"""Runs a program and watches it: wall, CPU of the whole tree, memory, and files that appear."""

from __future__ import annotations

import os
import select
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import psutil

LOOK_S = 0.2
"""Between two looks: whoever watches takes time from what it watches."""


@dataclass(slots=True)
class Watched:
    """What a run took."""

    wall_s: float = 0.0
    cpu_s: float = 0.0
    """User and system time of the program and every descendant that was waited for."""
    returncode: int = 0
    peak_pss_bytes: int = 0
    """Highest sum of proportional set sizes of all processes of the tree but ffmpeg's."""
    seen_s: dict[str, float] = field(default_factory=dict)
    """When each watched thing was first there, in seconds from the start."""


def _pss(process: psutil.Process) -> int:
    try:
        if process.name().startswith(("ffmpeg", "ffprobe")):
            return 0
        for line in Path(f"/proc/{process.pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    except (psutil.Error, OSError):
        pass
    return 0


def watch(
    argv: Sequence[str | Path],
    *,
    things: dict[str, Callable[[], bool]] | None = None,
    memory_s: float = 0.0,
    env: dict[str, str] | None = None,
) -> Watched:
    """Run to the end. `things` are looked for every 0.2 s until each was there once, memory is
    summed up every `memory_s`: each time the tables of all processes are read."""
    watched = Watched()
    waiting = dict(things or {})
    started = time.monotonic()
    child = subprocess.Popen(
        [str(word) for word in argv],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**os.environ, **(env or {})},
    )
    tree = psutil.Process(child.pid)
    ended = os.pidfd_open(child.pid)

    def look(now_s: float) -> None:
        for name in [name for name, there in waiting.items() if there()]:
            watched.seen_s[name] = now_s
            del waiting[name]

    next_memory = 0.0
    while not select.select([ended], [], [], LOOK_S if waiting or memory_s else None)[0]:
        now = time.monotonic() - started
        look(now)
        if memory_s and now >= next_memory:
            next_memory = now + memory_s
            try:
                processes = [tree, *tree.children(recursive=True)]
            except psutil.Error:
                processes = []
            watched.peak_pss_bytes = max(
                watched.peak_pss_bytes, sum(_pss(process) for process in processes)
            )
    watched.wall_s = time.monotonic() - started
    look(watched.wall_s)
    os.close(ended)
    _, status, usage = os.wait4(child.pid, 0)
    watched.cpu_s = usage.ru_utime + usage.ru_stime
    watched.returncode = child.returncode = os.waitstatus_to_exitcode(status)
    return watched
