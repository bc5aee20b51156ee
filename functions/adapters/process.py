"""The `Process` port on Linux: a program in its own process group, bounded in every direction.

Limits and the parent-death signal are set by `prlimit` and `setpriv` (util-linux), which replace
themselves by the program: safe in a process with threads, unlike code between fork and exec.

The kernel sends the parent-death signal when the *thread* that started the child ends. `run`
blocks its thread until the child is gone, so any thread may call it.
"""

from __future__ import annotations

import ctypes
import logging
import os
import resource
import selectors
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Final

from eventing.errors import Unavailable
from functions.ports import Finished, Limits

SEARCH_PATH: Final = "/usr/local/bin:/usr/bin:/bin"
TICK_S: Final = 1.0
TERM_GRACE_S: Final = 2.0
"""From SIGTERM to SIGKILL. Nothing that the program would save in it is of use."""
OPEN_FILES: Final = 256
STDERR_BYTES: Final = 64 * 1024
LINE_BYTES: Final = 64 * 1024
STALL_CPU_SHARE: Final = 0.02
"""A silent program that computes for less than this share of `stall_s` hangs: ffmpeg's idle main
thread wakes twice a second and needs far less, a decoder that skips frames far more."""

ORPHAN_ROUNDS: Final = 100
"""How often orphans are looked for while new ones keep appearing."""

_PR_SET_CHILD_SUBREAPER: Final = 36
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
    with _started([*_wrapper(limits), program, *argv[1:]], cwd) as child:
        output: _Kept | _Blocks = _Kept(limits.output_bytes) if on_progress is None else _Blocks()
        stderr = bytearray()
        watch = _Watch(limits, child.pid, started_s)
        for name, data in _events(child):
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
    stopped = watch.stopped
    if not stopped and returncode == -signal.SIGXFSZ:
        stopped = "output"
    cpu_s = usage.ru_utime + usage.ru_stime
    if not stopped and returncode != 0 and cpu_s >= limits.cpu_s:
        stopped = "cpu"
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
        f"--as={limits.memory_bytes}",
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


@cache
def _adopt_orphans() -> None:
    """Descendants whose parent ended become children of this process, so they can be found."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
        _log.warning("cannot adopt orphans: programs that leave their group may stay behind")


class _Child:
    """A started program. Reaped only by `reap`, so that its pid and group stay its own."""

    def __init__(self, process: subprocess.Popen[bytes], home: Path) -> None:
        self._process = process
        self.pid = process.pid
        self._home = home

    @property
    def pipes(self) -> list[tuple[str, int]]:
        assert self._process.stdout is not None and self._process.stderr is not None
        return [
            ("stdout", self._process.stdout.fileno()),
            ("stderr", self._process.stderr.fileno()),
        ]

    def reap(self) -> tuple[int, resource.struct_rusage]:
        """End what is left of the group and what left it; the exit code and usage of the child."""
        _signal_group(self.pid, signal.SIGKILL)
        _, status, usage = os.wait4(self.pid, 0)
        self._process.returncode = os.waitstatus_to_exitcode(status)
        _RUNNING.discard(self.pid)
        with suppress(ChildProcessError):
            while True:
                os.waitpid(-self.pid, 0)
        for _ in range(ORPHAN_ROUNDS):
            orphans = list(_orphans(self._home))
            if not orphans:
                break
            for pid in orphans:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
                with suppress(ChildProcessError):
                    os.waitpid(pid, 0)
        return self._process.returncode, usage

    def close(self) -> None:
        if self._process.returncode is None:
            self.reap()
        for pipe in (self._process.stdout, self._process.stderr):
            if pipe is not None:
                pipe.close()


_RUNNING: Final[set[int]] = set()
"""Children that some call waits for: no orphans."""


@contextmanager
def _started(argv: Sequence[str], cwd: Path) -> Iterator[_Child]:
    _adopt_orphans()
    try:
        process = subprocess.Popen(
            argv,
            cwd=cwd,
            env={"PATH": SEARCH_PATH, "HOME": str(cwd)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=0,
            start_new_session=True,
        )
    except OSError as error:
        raise Unavailable(f"cannot start a process: {error.strerror}") from error
    _RUNNING.add(process.pid)
    child = _Child(process, cwd)
    try:
        yield child
    finally:
        child.close()


def _events(child: _Child) -> Iterator[tuple[str, bytes]]:
    """What the child writes, as ("stdout" | "stderr", bytes), and ("tick", b"") each second.

    Ends when the child did, with all that it had written until then; a descendant that still
    holds the pipes does not prolong it.
    """
    ended = os.pidfd_open(child.pid)
    try:
        with selectors.DefaultSelector() as selector:
            selector.register(ended, selectors.EVENT_READ, "ended")
            for name, pipe in child.pipes:
                os.set_blocking(pipe, False)
                selector.register(pipe, selectors.EVENT_READ, name)
            tick_s = time.monotonic() + TICK_S
            while True:
                keys = [key for key, _ in selector.select(max(0.0, tick_s - time.monotonic()))]
                for key in keys:
                    if key.data != "ended":
                        data = _read(key.fd)
                        if data == b"":
                            selector.unregister(key.fd)
                        elif data is not None:
                            yield key.data, data
                if any(key.data == "ended" for key in keys):
                    break
                if time.monotonic() >= tick_s:
                    tick_s = time.monotonic() + TICK_S
                    yield "tick", b""
    finally:
        os.close(ended)
    for name, pipe in child.pipes:
        for _ in range(64):
            data = _read(pipe)
            if not data:
                break
            yield name, data


def _read(pipe: int) -> bytes | None:
    """What is there; b"" at the end, None when there is nothing now."""
    try:
        return os.read(pipe, 64 * 1024)
    except BlockingIOError:
        return None


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
            if equals and len(self._block) < 1000:
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

    def __init__(self, limits: Limits, pid: int, started_s: float) -> None:
        self._limits = limits
        self._pid = pid
        self._started_s = started_s
        self._advanced_s = started_s
        self._advanced_cpu_s = 0.0
        self._seen: tuple[str | None, ...] = ()
        self._kill_s = 0.0
        self.active = False
        """Set when the child gave a sign of life that is no progress block."""
        self.stopped = ""

    def see(self, block: Mapping[str, str]) -> None:
        """Note a progress block: any counter that moved is an advance."""
        seen = tuple(
            block.get(key) for key in ("frame", "out_time_us", "total_size", "drop_frames")
        )
        if block and seen != self._seen:
            self._seen = seen
            self.active = True

    def look(self) -> None:
        now_s = time.monotonic()
        if self.stopped:
            if now_s >= self._kill_s:
                _signal_group(self._pid, signal.SIGKILL)
            return
        if self.active:
            self.active = False
            self._advanced_s = now_s
            self._advanced_cpu_s = _cpu_s(self._pid)
        if now_s - self._started_s >= self._limits.wall_s:
            self.stop("wall")
        elif now_s - self._advanced_s >= self._limits.stall_s:
            used_s = _cpu_s(self._pid) - self._advanced_cpu_s
            if used_s < self._limits.stall_s * STALL_CPU_SHARE:
                self.stop("stall")
            else:
                self.active = True

    def stop(self, why: str) -> None:
        if not self.stopped:
            self.stopped = why
            self._kill_s = time.monotonic() + TERM_GRACE_S
            _signal_group(self._pid, signal.SIGTERM)


def _signal_group(pid: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, number)


def _cpu_s(pid: int) -> float:
    """CPU time of a process so far, 0.0 where it is gone."""
    fields = _stat(pid)
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK") if fields else 0.0


def _stat(pid: int) -> list[str]:
    """/proc/<pid>/stat from the third field (state) on, empty where it is gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []


def _orphans(home: Path) -> Iterator[int]:
    """Children of this process that nobody waits for and that were started with this HOME."""
    mine = str(os.getpid())
    mark = f"HOME={home}".encode()
    for entry in os.scandir("/proc"):
        if not entry.name.isdigit() or int(entry.name) in _RUNNING:
            continue
        fields = _stat(int(entry.name))
        if fields and fields[1] == mine:
            with suppress(OSError):
                if mark in Path(f"/proc/{entry.name}/environ").read_bytes().split(b"\0"):
                    yield int(entry.name)
