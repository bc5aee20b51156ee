"""The source on one machine: a file dropped into `uploads/` becomes an `ObjectCreated`.

A file is taken when it is a source by its name, nobody has it open for writing, and its size and
times have stood still for a while. Each version of a file is told of once; what has a job already
is not told of again after a restart, and what came while nothing ran is.
"""

from __future__ import annotations

import asyncio
import errno
import fcntl
import logging
import os
import signal
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Final

from eventing.cloudevent import CloudEvent, timestamp
from eventing.contract import ObjectCreated
from eventing.envelope import wrap
from eventing.errors import Unavailable
from functions.jobs import layout, naming
from functions.jobs.manifest import SourceObject
from functions.ports import ObjectStore

PRODUCER: Final = "source"

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Mark:
    """What changes when a file does."""

    size_bytes: int
    modified_ns: int
    changed_ns: int
    inode: int

    @classmethod
    def of(cls, status: os.stat_result) -> Mark:
        return cls(status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino)


class Writers(Enum):
    """Whether somebody may still write to a file."""

    NONE = "none"
    SOME = "some"
    UNKNOWN = "unknown"
    """The file system cannot tell."""


def writers(path: Path) -> Writers:
    """Ask the kernel for a read lease, which nobody gets while the file is open for writing."""
    try:
        opened = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return Writers.UNKNOWN
    try:
        # Somebody who opens it in this moment breaks the lease: by a signal that is ignored,
        # not by SIGIO, which ends a process.
        fcntl.fcntl(opened, fcntl.F_SETSIG, signal.SIGURG)
        fcntl.fcntl(opened, fcntl.F_SETLEASE, fcntl.F_RDLCK)
        fcntl.fcntl(opened, fcntl.F_SETLEASE, fcntl.F_UNLCK)
    except OSError as error:
        return Writers.SOME if error.errno == errno.EAGAIN else Writers.UNKNOWN
    finally:
        os.close(opened)
    return Writers.NONE


@dataclass(frozen=True, slots=True)
class _Sighting:
    mark: Mark
    since_s: float
    """Monotonic time since when it looks like this."""


class Uploads:
    """Watches the folder `uploads` below `root`, which `store` has as its root."""

    def __init__(
        self,
        root: Path,
        store: ObjectStore,
        publish: Callable[[CloudEvent], Awaitable[None]],
        *,
        poll_s: float = 0.5,
        settle_s: float = 1.0,
        uncertain_settle_s: float = 5.0,
    ) -> None:
        """`uncertain_settle_s` is for file systems that cannot say whether somebody writes."""
        self._folder = root / layout.UPLOADS
        self._store = store
        self._publish = publish
        self._poll_s = poll_s
        self._settle_s = settle_s
        self._uncertain_settle_s = uncertain_settle_s
        self._sightings: dict[str, _Sighting] = {}
        self._handled: dict[str, Mark] = {}

    async def watch(self) -> None:
        """Look again and again, until cancelled."""
        while True:
            try:
                await self.look()
            except (OSError, Unavailable) as error:
                _log.error("cannot look into %s: %s", self._folder, error)
            await asyncio.sleep(self._poll_s)

    async def look(self) -> None:
        """Tell of every file that is complete and was not told of."""
        for key, mark, created in await asyncio.to_thread(self._complete):
            if created is not None:
                event = wrap(created, producer=PRODUCER, time=timestamp(time.time()))
                try:
                    await self._publish(event)
                except Exception as error:
                    _log.error("cannot tell of %s, will try again: %s", key, error)
                    continue
            self._handled[key] = mark

    def _complete(self) -> list[tuple[str, Mark, ObjectCreated | None]]:
        """(key, mark, event) of what can be dealt with now, oldest first; no event: nothing to
        tell."""
        now_s = time.monotonic()
        seen = dict(_files(self._folder))
        self._handled = {key: mark for key, mark in self._handled.items() if key in seen}
        self._sightings = {
            key: self._sightings[key]
            if key in self._sightings and self._sightings[key].mark == mark
            else _Sighting(mark, now_s)
            for key, mark in seen.items()
        }
        found = []
        for key, mark in sorted(seen.items(), key=lambda item: (item[1].modified_ns, item[0])):
            if self._handled.get(key) == mark or not self._settled(key, mark, now_s):
                continue
            try:
                found.append((key, mark, self._event(key)))
            except ValueError as error:
                _log.warning("%r is left alone, rename it: its name cannot be used: %s", key, error)
                found.append((key, mark, None))
        return found

    def _settled(self, key: str, mark: Mark, now_s: float) -> bool:
        """True when `mark` has held long enough and nobody writes."""
        newest_s = max(mark.modified_ns, mark.changed_ns) / 1e9
        # What was there before anybody looked is as old as it says.
        age_s = max(now_s - self._sightings[key].since_s, time.time() - newest_s)
        if age_s < self._settle_s:
            return False
        path = self._folder / key
        match writers(path):
            case Writers.SOME:
                return False
            case Writers.UNKNOWN if age_s < self._uncertain_settle_s:
                return False
        with suppress(OSError):
            return Mark.of(path.lstat()) == mark
        return False

    def _event(self, key: str) -> ObjectCreated | None:
        """What is to be told of the object, None if it is known already or gone.

        Raises ValueError for a name that no object can have.
        """
        info = self._store.head(f"{layout.UPLOADS}/{key}")
        if info is None:
            return None
        created = SourceObject.of(info).created
        if self._store.head(layout.manifest(created.job)) is not None:
            return None
        return created


def _files(folder: Path, prefix: str = "") -> Iterator[tuple[str, Mark]]:
    """(key, mark) of every plain file below `folder` that is a source by its name."""
    try:
        entries = list(os.scandir(folder))
    except FileNotFoundError:
        return
    for entry in entries:
        key = prefix + entry.name
        with suppress(FileNotFoundError):
            if entry.is_dir(follow_symlinks=False):
                if not entry.name.startswith("."):
                    yield from _files(Path(entry.path), f"{key}/")
            elif entry.is_file(follow_symlinks=False) and naming.is_source(key):
                yield key, Mark.of(entry.stat(follow_symlinks=False))
