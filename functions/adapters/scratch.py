"""Folders for temporary work that do not outlive their process by much.

A folder is locked while its process lives; whoever makes the next one removes those whose lock
is free. So a killed process leaves nothing for longer than until the next task.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from eventing.errors import Unavailable

PREFIX: Final = "task-"
_LOCK: Final = "lock"


@contextmanager
def folder(root: Path) -> Iterator[Path]:
    """An empty folder in `root` (made where there is none), removed with all in it at the end.

    Raises Unavailable where none can be made.
    """
    try:
        made, lock = _make(root)
    except OSError as error:
        raise Unavailable(f"no scratch folder: {error.strerror}", retry_after_s=30) from error
    try:
        yield made / "work"
    finally:
        shutil.rmtree(made, ignore_errors=True)
        os.close(lock)


def remove_stale(root: Path) -> None:
    """Remove the folders whose process is gone."""
    with suppress(FileNotFoundError), _alone(root):
        for entry in root.glob(f"{PREFIX}*"):
            with suppress(OSError):
                lock = os.open(entry / _LOCK, os.O_RDWR | os.O_CLOEXEC)
                try:
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    shutil.rmtree(entry, ignore_errors=True)
                finally:
                    os.close(lock)


def _make(root: Path) -> tuple[Path, int]:
    root.mkdir(parents=True, exist_ok=True)
    remove_stale(root)
    with _alone(root):
        made = Path(tempfile.mkdtemp(prefix=PREFIX, dir=root))
        lock = os.open(made / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        fcntl.flock(lock, fcntl.LOCK_EX)
        (made / "work").mkdir()
    return made, lock


@contextmanager
def _alone(root: Path) -> Iterator[None]:
    """Nobody else makes or removes folders in `root` meanwhile."""
    opened = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(opened, fcntl.LOCK_EX)
        yield
    finally:
        os.close(opened)
