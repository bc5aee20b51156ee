"""The `Process` port on Linux: a program that is bounded in every direction.

Limits and the parent-death signal are set by `prlimit` and `setpriv` (util-linux), which replace
themselves by the program: safe in a process with threads, unlike code between fork and exec.
"""

from __future__ import annotations

import logging
import shutil
import signal
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Final

from eventing.errors import Unavailable
from functions.adapters.child import SEARCH_PATH, Child, started
from functions.ports import Finished, Limits, Stopped

TERM_GRACE_S: Final = 2.0
"""From SIGTERM to SIGKILL. Nothing that the program would save in it is of use."""
OPEN_FILES: Final = 256
STDERR_BYTES: Final = 64 * 1024
LINE_BYTES: Final = 64 * 1024
BLOCK_LINES: Final = 1000
"""ffmpeg's blocks have some twenty lines; what else comes is dropped."""
STALL_CPU_SHARE: Final = 0.02
"""A silent program that computes for less than this share of `stall_s` hangs: ffmpeg's idle main
thread wakes twice a second and needs far less, a decoder that skips frames far more."""

_LIMIT_SIGNALS: Final[Mapping[int, Stopped]] = {signal.SIGXFSZ: "output", signal.SIGXCPU: "cpu"}
"""The kernel counts CPU time by its own clock: by ours it may be some per cent less."""
_log = logging.getLogger(__name__)


def run(
    argv: Sequence[str],
    *,
    limits: Limits,
    cwd: Path,
    on_progress: Callable[[Mapping[str, str]], bool] | None = None,
) -> Finished:
    """Run `argv` to its end; see `functions.ports.Process`.

    With `on_progress` stdout is read as ffmpeg's progress blocks and `Finished.stdout` is empty;
    without, stdout is kept and more than `limits.output_bytes` of it ends the program. Raises
    Unavailable where the program does not exist or no process can be had. Whatever is raised, by
    `on_progress` too, the program and all it started are gone by then; to find those that left
    the process group, `cwd` should be a folder that only this call uses.
    """
    program = _executable(argv[0])
    started_s = time.monotonic()
    with started([*_wrapper(limits), program, *argv[1:]], cwd) as child:
        output: _Kept | _Blocks = _Kept(limits.output_bytes) if on_progress is None else _Blocks()
        stderr = bytearray()
        watch = _Watch(limits, child, started_s)
        for name, data in child.events():
            if name == "stdout":
                output.feed(data)
                watch.active = watch.active or on_progress is None
            elif name == "stderr":
                stderr += data
                del stderr[:-STDERR_BYTES]
            if isinstance(output, _Kept):
                if output.full:
                    watch.stop("output")
            elif on_progress is not None:
                for block in output.take() or ([{}] if name == "tick" else []):
                    watch.see(block)
                    if not on_progress(block):
                        watch.stop("called off")
            watch.look()
        returncode, usage = child.reap()
    cpu_s = usage.ru_utime + usage.ru_stime
    stopped = watch.stopped or _LIMIT_SIGNALS.get(-returncode, "")
    if not stopped and returncode != 0 and cpu_s >= limits.cpu_s:
        stopped = "cpu"  # it caught the signal, or was killed for going on
    return Finished(
        returncode=returncode,
        stdout=bytes(output.data) if isinstance(output, _Kept) else b"",
        stderr=stderr.decode(errors="replace"),
        cpu_s=cpu_s,
        wall_s=time.monotonic() - started_s,
        max_rss_bytes=usage.ru_maxrss * 1024,
        stopped=stopped,
    )


def _executable(name: str) -> str:
    found = shutil.which(name, path=SEARCH_PATH)
    if found is None:
        raise Unavailable(f"there is no program {name!r}", retry_after_s=30)
    return found


def _wrapper(limits: Limits) -> list[str]:
    prlimit, setpriv = _tools()
    if not prlimit or not setpriv:
        return []
    cpu_s = max(1, int(limits.cpu_s))
    return [
        prlimit,
        f"--{'data' if limits.maps_more else 'as'}={limits.memory_bytes}",
        f"--cpu={cpu_s}:{cpu_s + 5}",
        f"--fsize={limits.output_bytes}",
        f"--nofile={OPEN_FILES}",
        "--core=0",
        "--",
        setpriv,
        "--pdeathsig",
        "KILL",
        "--no-new-privs",
        "--",
    ]


@cache
def _tools() -> tuple[str, str]:
    found = [shutil.which(name, path=SEARCH_PATH) or "" for name in ("prlimit", "setpriv")]
    if not all(found):
        _log.warning(
            "prlimit or setpriv (util-linux) is missing: programs run without resource limits "
            "and may outlive this process if it is killed"
        )
    return found[0], found[1]


@dataclass
class _Kept:
    """Stdout as it came, up to a bound."""

    bound_bytes: int
    data: bytearray = field(default_factory=bytearray)
    full: bool = False

    def feed(self, data: bytes) -> None:
        room = self.bound_bytes - len(self.data)
        self.full = self.full or len(data) > room
        self.data += data[: max(0, room)]


@dataclass
class _Blocks:
    """Stdout as ffmpeg's progress report: `key=value` lines, `progress=…` ends a block."""

    _tail: bytes = b""
    _block: dict[str, str] = field(default_factory=dict)
    _done: list[Mapping[str, str]] = field(default_factory=list)

    def feed(self, data: bytes) -> None:
        *lines, tail = (self._tail + data).split(b"\n")
        self._tail = tail[-LINE_BYTES:]
        for line in lines:
            key, equals, value = line.decode(errors="replace").partition("=")
            if equals and len(self._block) < BLOCK_LINES:
                self._block[key.strip()] = value.strip()
            if key.strip() == "progress":
                self._done.append(self._block)
                self._block = {}

    def take(self) -> list[Mapping[str, str]]:
        """The blocks completed since the last call."""
        done, self._done = self._done, []
        return done


class _Watch:
    """Ends the child when it takes too long or hangs: SIGTERM first, SIGKILL after a grace."""

    def __init__(self, limits: Limits, child: Child, started_s: float) -> None:
        self._limits = limits
        self._child = child
        self._started_s = started_s
        self._advanced_s = started_s
        self._advanced_cpu_s = 0.0
        self._seen: tuple[str | None, ...] = ()
        self._kill_s = 0.0
        self.active = False
        """Set when the child gave a sign of life that is no progress block."""
        self.stopped: Stopped = ""

    def see(self, block: Mapping[str, str]) -> None:
        """Note a progress block: any counter that moved is an advance."""
        seen = tuple(
            block.get(key) for key in ("frame", "out_time_us", "total_size", "drop_frames")
        )
        if block and seen != self._seen:
            self._seen = seen
            self.active = True

    def look(self) -> None:
        """End the child if it is time to."""
        now_s = time.monotonic()
        if self.stopped:
            if now_s >= self._kill_s:
                self._child.signal(signal.SIGKILL)
            return
        if self.active:
            self.active = False
            self._advanced_s = now_s
            self._advanced_cpu_s = self._child.cpu_s()
        if now_s - self._started_s >= self._limits.wall_s:
            self.stop("wall")
        elif now_s - self._advanced_s >= self._limits.stall_s:
            used_s = self._child.cpu_s() - self._advanced_cpu_s
            if used_s < self._limits.stall_s * STALL_CPU_SHARE:
                self.stop("stall")
            else:
                self.active = True

    def stop(self, why: Stopped) -> None:
        """Begin to end it. The first reason counts."""
        if not self.stopped:
            self.stopped = why
            self._kill_s = time.monotonic() + TERM_GRACE_S
            self._child.signal(signal.SIGTERM)
