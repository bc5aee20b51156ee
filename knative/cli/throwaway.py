"""The folder of a runtime that lives for one job, beside the place where the result shall lie.

A hidden sibling: on the same file system, so that the result is moved there in one step and the
source needs no copy.
"""

from __future__ import annotations

import errno
import fcntl
import glob
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final, Literal

from functions.jobs import layout, naming
from knative.cli.complaint import Complaint
from knative.cli.signals import held_off, raised

TENANT: Final = "local"
_LOCK: Final = "lock"
_MAX_NAME_BYTES: Final = 200
"""Leaves room for the sidecar's suffix within a file system's 255."""
_RESULT_MARK: Final = layout.REPORT

Staged = Literal["linked", "symlinked", "copied"]


def check_out(out: Path, *, overwrite: bool) -> None:
    """Raises Complaint when the result cannot lie at `out`."""
    if out.is_symlink() or (out.exists() and not out.is_dir()):
        raise Complaint(f"{out} is there and is not a folder. Name another place with -o.")
    if not out.exists() or not any(out.iterdir()):
        return
    if not overwrite:
        raise Complaint(
            f"{out} is not empty. Name another folder with -o, or replace an earlier result "
            "with --overwrite."
        )
    if not (out / _RESULT_MARK).is_file():
        raise Complaint(
            f"{out} does not look like an earlier result (it has no {_RESULT_MARK}), so "
            "--overwrite leaves it alone. Name another folder with -o."
        )


@contextmanager
def beside(out: Path) -> Iterator[Path]:
    """A folder for one runtime, gone afterwards whatever happens.

    Those that a killed command left beside the same `out` are removed as well.
    """
    parent = out.parent
    while not parent.is_dir():
        if parent.exists():
            raise Complaint(f"{parent} is not a folder. Name another place with -o.")
        parent = parent.parent
    _remove_abandoned(parent, out.name)
    directory = parent / f".{out.name}.kinora-{secrets.token_hex(4)}"
    with raised():
        try:
            directory.mkdir(mode=0o700)
        except OSError as error:
            raise Complaint(
                f"Nothing can be written in {parent}: {error.strerror}. Name another place with -o."
            ) from error
        try:
            with (directory / _LOCK).open("w") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX)
                yield directory
        finally:
            with held_off():
                shutil.rmtree(directory)


def _remove_abandoned(parent: Path, name: str) -> None:
    for left in parent.glob(f".{glob.escape(name)}.kinora-????????"):
        with suppress(OSError), (left / _LOCK).open() as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(left)


def name_of(source: Path) -> str:
    """What the source is called in the uploads: its own name, where that is one of a source."""
    name = source.name
    try:
        fits = len(name.encode()) <= _MAX_NAME_BYTES
    except UnicodeEncodeError:
        fits = False
    return name if fits and name.isprintable() and naming.is_source(name) else "source"


def stage(source: Path, target: Path) -> Staged:
    """Let `source` be at `target`: by a hard link, else a symbolic link, else a copy."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with suppress(OSError):
        os.link(source, target)
        return "linked"
    with suppress(OSError):
        target.symlink_to(source)
        return "symlinked"
    shutil.copyfile(source, target)
    return "copied"


def publish(result: Path, out: Path) -> None:
    """Move the result to `out`, over the earlier one where there is one."""
    with held_off():
        # The master of a result that still grows; nothing grows any more.
        (result / layout.EARLY_MASTER).unlink(missing_ok=True)
        out.parent.mkdir(parents=True, exist_ok=True)
        try:
            result.rename(out)
        except OSError as error:
            if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
                raise
            # The earlier result goes where the throw-away folder goes.
            out.rename(result.parent / "replaced")
            result.rename(out)
