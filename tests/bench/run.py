"""Runs a program and watches it: wall, CPU of the whole tree, memory, and files that appear."""

from __future__ import annotations

import os
import re
import select
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

LOOK_S: Final = 0.2
"""Between two looks: whoever watches takes time from what it watches."""
MEMORY_S: Final = 0.5
"""Between two looks at memory."""


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


def _statuses(pid: int) -> Iterator[tuple[int, str]]:
    """A process and its descendants but ffmpeg's, each with what the kernel tells of its status.
    No other is looked at: a machine has hundreds."""
    status = _text(Path(f"/proc/{pid}/status"))
    if not status or status.startswith(("Name:\tffmpeg", "Name:\tffprobe")):
        return
    yield pid, status
    for children in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in _text(children).split():
            yield from _statuses(int(child))


@dataclass(slots=True)
class _Memory:
    """What all processes of a tree but ffmpeg's hold."""

    peak_pss_bytes: int = 0
    _highest: dict[str, int] = field(default_factory=lambda: {"RssAnon": -1, "RssFile": -1})

    def look(self, pid: int) -> None:
        """Proportional sizes cost a walk through all page tables, some per cent of a core where
        each look takes them: they are taken where what the kernel counts anyway, with shared pages
        in each of their processes, is higher than ever."""
        processes = dict(_statuses(pid))
        higher = False
        for name, before in self._highest.items():
            held_bytes = sum(_bytes_of(status, name) for status in processes.values())
            higher |= held_bytes > before
            self._highest[name] = max(held_bytes, before)
        if higher:
            tables = (_text(Path(f"/proc/{each}/smaps_rollup")) for each in processes)
            pss_bytes = sum(_bytes_of(table, "Pss") for table in tables)
            self.peak_pss_bytes = max(self.peak_pss_bytes, pss_bytes)


def _text(path: Path) -> str:
    """Nothing of a process that has ended."""
    try:
        return path.read_text()
    except OSError:
        return ""


def _bytes_of(told: str, name: str) -> int:
    """What a line of a file about a process says; 0 where there is no such line."""
    found = re.search(rf"^{name}:\s+(\d+) kB$", told, re.MULTILINE)
    return int(found[1]) * 1024 if found else 0


def watch(
    argv: Sequence[str | Path],
    *,
    things: dict[str, Callable[[], bool]] | None = None,
    memory: bool = False,
    env: dict[str, str] | None = None,
) -> Watched:
    """Run to the end. `things` are looked for every LOOK_S until each was there once; `memory` is
    summed up every MEMORY_S."""
    watched = Watched()
    waiting = dict(things or {})
    started = time.monotonic()
    child = subprocess.Popen(
        [str(word) for word in argv],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**os.environ, **(env or {})},
    )
    ended = os.pidfd_open(child.pid)

    def look(now_s: float) -> None:
        for name in [name for name, there in waiting.items() if there()]:
            watched.seen_s[name] = now_s
            del waiting[name]

    held, next_memory_s = _Memory(), 0.0
    while not select.select([ended], [], [], LOOK_S if waiting or memory else None)[0]:
        now = time.monotonic() - started
        look(now)
        if memory and now >= next_memory_s:
            next_memory_s = now + MEMORY_S
            held.look(child.pid)
    watched.wall_s = time.monotonic() - started
    look(watched.wall_s)
    watched.peak_pss_bytes = held.peak_pss_bytes
    os.close(ended)
    _, status, usage = os.wait4(child.pid, 0)
    watched.cpu_s = usage.ru_utime + usage.ru_stime
    watched.returncode = child.returncode = os.waitstatus_to_exitcode(status)
    return watched
