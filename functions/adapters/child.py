"""A program in its own process group, followed until it and all that it started are gone.

The kernel sends a parent-death signal when the *thread* that started the child ends. Whoever
starts one here blocks its thread until the child is gone, so any thread may.
"""

from __future__ import annotations

import ctypes
import logging
import os
import resource
import selectors
import signal
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import Final

from eventing.errors import Unavailable

SEARCH_PATH: Final = "/usr/local/bin:/usr/bin:/bin"
TICK_S: Final = 1.0
"""How often whoever follows a child is heard, however silent the child is."""
READ_BYTES: Final = 64 * 1024
LAST_READS: Final = 64
"""Of each pipe after the end: far more than a pipe holds, unless a descendant still writes."""
ORPHAN_ROUNDS: Final = 100
"""How often orphans are looked for while new ones keep appearing."""

_PR_SET_CHILD_SUBREAPER: Final = 36
_log = logging.getLogger(__name__)


class Child:
    """A started program. Reaped only by `reap`, so that its pid and group stay its own."""

    def __init__(self, process: subprocess.Popen[bytes], home: Path) -> None:
        self._process = process
        self.pid = process.pid
        self._home = home

    @property
    def _pipes(self) -> list[tuple[str, int]]:
        assert self._process.stdout is not None and self._process.stderr is not None
        return [
            ("stdout", self._process.stdout.fileno()),
            ("stderr", self._process.stderr.fileno()),
        ]

    def signal(self, number: signal.Signals) -> None:
        """Send it to the whole group."""
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, number)

    def cpu_s(self) -> float:
        """CPU time so far, 0.0 where it is gone."""
        fields = _stat(self.pid)
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK") if fields else 0.0

    def events(self) -> Iterator[tuple[str, bytes]]:
        """What it writes, as ("stdout" | "stderr", bytes), and ("tick", b"") each second.

        Ends when it did, with all that it had written until then; a descendant that still
        holds the pipes does not prolong it.
        """
        ended = os.pidfd_open(self.pid)
        try:
            with selectors.DefaultSelector() as selector:
                selector.register(ended, selectors.EVENT_READ, "ended")
                for name, pipe in self._pipes:
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
        for name, pipe in self._pipes:
            for _ in range(LAST_READS):
                data = _read(pipe)
                if not data:
                    break
                yield name, data

    def reap(self) -> tuple[int, resource.struct_rusage]:
        """End what is left of the group and what left it; the exit code and usage of the child."""
        self.signal(signal.SIGKILL)
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
        """Reap it unless that was done, and close what it wrote to."""
        if self._process.returncode is None:
            self.reap()
        for pipe in (self._process.stdout, self._process.stderr):
            if pipe is not None:
                pipe.close()


_RUNNING: Final[set[int]] = set()
"""Children that some call waits for: no orphans."""


@contextmanager
def started(argv: Sequence[str], cwd: Path) -> Iterator[Child]:
    """The program, running in `cwd`; at the end it is gone with all that it started.

    Its environment is PATH and HOME=`cwd`. Raises Unavailable where no process can be had.
    """
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
    child = Child(process, cwd)
    try:
        yield child
    finally:
        child.close()


def _read(pipe: int) -> bytes | None:
    """What is there; b"" at the end, None when there is nothing now."""
    try:
        return os.read(pipe, READ_BYTES)
    except BlockingIOError:
        return None


@cache
def _adopt_orphans() -> None:
    """Descendants whose parent ended become children of this process, so they can be found."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
        _log.warning("cannot adopt orphans: programs that leave their group may stay behind")


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
