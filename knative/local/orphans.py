"""Programs that a dead process left behind, found by the scratch folder that they were given.

A program that a function started in a group of its own is gone when the function's death reached
it. This is the proof, and the remedy where it did not.
"""

from __future__ import annotations

import os
import select
import signal
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

_GIVEN: Final = (b"HOME", b"KINORA_SCRATCH")
_GONE_WITHIN_S: Final = 10.0


def living_in(folder: Path) -> Iterator[int]:
    """Ids of this user's processes that were started with a home or a scratch folder in `folder`.

    A shell that somebody opened in there is none of them.
    """
    own = os.getpid()
    # Not resolved: the folder may be gone, and paths in environments are as they were given.
    within = os.fsencode(folder)
    for entry in os.scandir("/proc"):
        if not entry.name.isdigit() or int(entry.name) == own:
            continue
        with suppress(OSError):
            if entry.stat().st_uid == os.getuid() and _is_within(entry.path, within):
                yield int(entry.name)


def _is_within(process: str, folder: bytes) -> bool:
    environment = Path(process, "environ").read_bytes()
    return any(
        name in _GIVEN and _below(value, folder)
        for name, _, value in (entry.partition(b"=") for entry in environment.split(b"\0"))
    )


def _below(path: bytes, folder: bytes) -> bool:
    return path == folder or path.startswith(folder + b"/")


def end(folder: Path) -> int:
    """Kill every process that lives in `folder` and wait until it is gone. Returns how many."""
    ended = 0
    deadline_s = time.monotonic() + _GONE_WITHIN_S
    while pids := list(living_in(folder)):
        for pid in pids:
            ended += _end(pid, folder, deadline_s)
        if time.monotonic() > deadline_s:
            raise TimeoutError(f"{len(pids)} processes in {folder} cannot be ended")
    return ended


def _end(pid: int, folder: Path, deadline_s: float) -> int:
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return 0
    try:
        # The handle pins the process: an id that was given to another one meanwhile is seen here.
        with suppress(OSError):
            if not _is_within(f"/proc/{pid}", os.fsencode(folder)):
                return 0
        with suppress(ProcessLookupError):
            signal.pidfd_send_signal(handle, signal.SIGKILL)
        gone = select.poll()
        gone.register(handle, select.POLLIN)
        gone.poll(max(0.0, deadline_s - time.monotonic()) * 1_000)
        return 1
    finally:
        os.close(handle)
