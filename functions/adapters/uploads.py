"""Uploads in a folder: parts are written where they belong in a hidden file, which becomes the
object by one rename. Made for what `functions.adapters.directory` is made for."""

from __future__ import annotations

import fcntl
import os
import re
import secrets
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final, NoReturn

from eventing.contract import digest
from functions import key as keys
from functions.adapters.folder import HIDDEN, Tree, reaching
from functions.ports import Absent, Part

_DATA: Final = "data"
_PART: Final = re.compile(r"part-(\d+)-(\d+)-(\d+)-([0-9a-f]+)")
"""An empty file that says: this part was taken (number, offset, size, etag)."""


class DirectoryUploads:
    """See `functions.ports.Uploads`. Safe for many threads and processes at once.

    `.kinora/parts/<digest of the key>/<upload>/` holds the file and what was taken of it; whoever
    changes anything there has its lock. `durable` as in DirectoryStore: what was taken outlives
    the loss of power.
    """

    part_bytes = 1
    origin = ""

    def __init__(
        self,
        root: Path,
        *,
        durable: bool = True,
        follow_links: bool = False,
        clock_ns: Callable[[], int] = time.time_ns,
    ) -> None:
        self._tree = Tree(root, follow_links=follow_links, durable=durable)
        self._parts = self._tree.root / HIDDEN / "parts"
        self._durable = durable
        self._clock_ns = clock_ns

    def begin(self, key: str, *, content_type: str = "") -> str:
        upload = secrets.token_hex(16)
        folder = self._folder(key) / upload
        with reaching(key):
            folder.mkdir(parents=True)
            (folder / _DATA).touch()
            if self._durable:
                for each in (folder, *folder.parents[:3]):
                    _sync(each)
        return upload

    def write(self, key: str, upload: str, number: int, body: bytes, *, offset_bytes: int) -> Part:
        part = Part(number=number, etag=secrets.token_hex(8), size_bytes=len(body))
        with reaching(key), self._locked(key, upload) as folder:
            # First it is no longer taken: a death in the middle leaves half of it behind.
            for name in [name for name, taken, _ in _taken(folder) if taken.number == number]:
                (folder / name).unlink()
            opened = os.open(folder / _DATA, os.O_WRONLY)
            try:
                _write(opened, body, offset_bytes)
                if self._durable:
                    os.fsync(opened)
            finally:
                os.close(opened)
            (folder / f"part-{number}-{offset_bytes}-{len(body)}-{part.etag}").touch()
            if self._durable:
                _sync(folder)
        return part

    def parts(self, key: str, upload: str) -> Sequence[Part]:
        with reaching(key), self._locked(key, upload) as folder:
            return sorted((part for _, part, _ in _taken(folder)), key=lambda part: part.number)

    def complete(self, key: str, upload: str, parts: Sequence[Part]) -> None:
        names = keys.segments(key)
        with reaching(key):
            try:
                with self._locked(key, upload) as folder:
                    size_bytes = _joined(folder, parts)
                    self._finish(folder / _DATA, size_bytes)
                    self._tree.place(names, lambda into, last: _move(folder / _DATA, into, last))
            except Absent:
                # Over: completed where the object is there.
                if not self._is_there(names):
                    raise
            self.abort(key)

    def abort(self, key: str) -> None:
        folder = self._folder(key)
        with reaching(key):
            for upload in _names(folder):
                with suppress(Absent), self._locked(key, upload) as held:
                    # Without it the upload is over, for whoever waits for the lock too.
                    (held / _DATA).unlink()
            shutil.rmtree(folder, ignore_errors=True)

    def sign_part(
        self, key: str, upload: str, number: int, *, size_bytes: int, ttl_s: int
    ) -> NoReturn:
        raise NotImplementedError("a folder has no address that a client could write to")

    def sign_post(
        self, key: str, *, max_bytes: int, ttl_s: int, content_type: str = ""
    ) -> NoReturn:
        raise NotImplementedError("a folder has no address that a client could write to")

    def _folder(self, key: str) -> Path:
        if keys.segments(key)[0] == HIDDEN:
            raise ValueError(f"reserved object key: {key!r}")
        return self._parts / digest("upload", key)

    @contextmanager
    def _locked(self, key: str, upload: str) -> Iterator[Path]:
        """The upload's folder, while nobody else changes it. Raises Absent when it is over."""
        over = Absent(f"upload {upload} of {key}")
        if not re.fullmatch(r"[0-9a-f]{32}", upload):
            raise over
        folder = self._folder(key) / upload
        try:
            opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        except FileNotFoundError:
            raise over from None
        try:
            fcntl.flock(opened, fcntl.LOCK_EX)
            if not (folder / _DATA).is_file():
                raise over
            yield folder
        finally:
            os.close(opened)

    def _finish(self, data: Path, size_bytes: int) -> None:
        opened = os.open(data, os.O_WRONLY)
        try:
            os.ftruncate(opened, size_bytes)
            # As of DirectoryStore: keeps the etags of two objects apart.
            now_ns = self._clock_ns()
            os.utime(opened, ns=(now_ns, now_ns))
            if self._durable:
                os.fsync(opened)
        finally:
            os.close(opened)

    def _is_there(self, names: Sequence[str]) -> bool:
        *parents, last = names
        try:
            with self._tree.folder(parents) as folder:
                self._tree.stat(folder, last)
        except OSError:
            return False
        return True


def _names(folder: Path) -> list[str]:
    """What is in it: nothing when it is gone, as it may be at any time."""
    try:
        return [path.name for path in folder.iterdir()]
    except FileNotFoundError:
        return []


def _taken(folder: Path) -> Iterator[tuple[str, Part, int]]:
    """(name of the mark, part, its offset) of each part."""
    for name in (path.name for path in folder.iterdir()):
        if found := _PART.fullmatch(name):
            number, offset, size, etag = found.groups()
            yield name, Part(number=int(number), etag=etag, size_bytes=int(size)), int(offset)


def _joined(folder: Path, parts: Sequence[Part]) -> int:
    """How long the object of these parts is. Raises ValueError when they make none."""
    taken = {part.number: (part, offset) for _, part, offset in _taken(folder)}
    size_bytes = 0
    for part in parts:
        if taken.get(part.number) != (part, size_bytes):
            raise ValueError(f"part {part.number} is not the one that was taken, or not next")
        size_bytes += part.size_bytes
    if not parts:
        raise ValueError("an object has at least one part")
    return size_bytes


def _write(opened: int, body: bytes, offset_bytes: int) -> None:
    left = memoryview(body)
    while left:
        written = os.pwrite(opened, left, offset_bytes)
        left = left[written:]
        offset_bytes += written


def _move(data: Path, folder: int, last: str) -> bool:
    os.replace(data, last, dst_dir_fd=folder)
    return True


def _sync(folder: Path) -> None:
    opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
