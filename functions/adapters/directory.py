"""ObjectStore in a folder: an object is a plain file, its key the path.

What lies in the folder may come from elsewhere: a file that somebody copies in is an object. Made
for one machine and a local file system with hard links (ext4, xfs, btrfs, tmpfs), never for NFS.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import hashlib
import io
import os
import secrets
import shutil
import stat
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Final

from eventing.errors import Unavailable
from functions import key as keys
from functions.adapters.folder import HIDDEN, NOT_THERE, Tree, reaching
from functions.ports import Absent, ByteRange, ObjectInfo

_READ_ONLY: Final = frozenset({errno.EROFS, errno.EACCES, errno.EPERM})
_ATTEMPTS: Final = 100
"""Of reading an object whole while others replace it."""
_LOCKS: Final = 16


class DirectoryStore:
    """See `functions.ports.ObjectStore`. Safe for many threads and processes at once.

    `durable`: an object outlives the loss of power once written. It costs two fsyncs an object
    (some milliseconds on a disk); without it an object still outlives the death of every process.
    `follow_links`: symbolic links count as what they lead to, also outside of `root`. Otherwise
    they count as nothing.

    A folder that this process may only read can be read; writing raises Unavailable.

    One thing that S3 can do and folders cannot: `a` and `a/b` at once, or a segment of more than
    255 bytes. Writing such a key raises ValueError.
    """

    def __init__(self, root: Path, *, durable: bool = True, follow_links: bool = False) -> None:
        root.mkdir(parents=True, exist_ok=True)
        self._durable = durable
        self._follow_links = follow_links
        self._tree = Tree(root, follow_links=follow_links, durable=durable)
        self._hidden = self._tree.root / HIDDEN
        try:
            (self._hidden / "locks").mkdir(parents=True, exist_ok=True)
            (self._hidden / "temp").mkdir(exist_ok=True)
            self.remove_stale()
        except OSError as error:
            if error.errno not in _READ_ONLY:
                raise
            # Reading needs nothing of its own.

    def head(self, key: str) -> ObjectInfo | None:
        *names, last = _segments(key)
        with reaching(key), contextlib.suppress(_Nothing), self._folder(names) as folder:
            return _info(key, self._tree.stat(folder, last))
        return None

    def get(self, key: str) -> bytes:
        with reaching(key), self._opened(key) as (opened, status):
            for _ in range(_ATTEMPTS):
                data = _pread(opened, 0, status.st_size)
                now = os.fstat(opened)
                if _etag(now) == _etag(status):
                    return data
                status = now
        raise Unavailable(f"{key} changes while it is read")

    def read(self, key: str, ranges: Sequence[ByteRange], *, etag: str = "") -> Iterator[bytes]:
        with reaching(key), self._opened(key) as (opened, status):
            pinned = etag or _etag(status)
            for wanted in ranges:
                if _etag(os.fstat(opened)) != pinned:
                    raise Absent(f"{key} with etag {pinned}")
                if wanted.stop > status.st_size:
                    raise ValueError(
                        f"range [{wanted.start}, {wanted.stop}) is beyond the end of {key}, "
                        f"{status.st_size} bytes"
                    )
                data = _pread(opened, wanted.start, wanted.size_bytes)
                # Also by its name: what was replaced or removed lives on behind the descriptor.
                there = self.head(key)
                if there is None or there.etag != pinned:
                    raise Absent(f"{key} with etag {pinned}")
                yield data

    def create(self, key: str, body: bytes | Path, *, content_type: str = "") -> bool:
        names = _segments(key)
        if self.head(key) is not None:
            return False

        def link(temp: int, name: str, folder: int, last: str) -> bool:
            try:
                os.link(name, last, src_dir_fd=temp, dst_dir_fd=folder, follow_symlinks=False)
            except FileExistsError:
                self._require_file(key, folder, last)
                return False
            return True

        with _source(body) as source, reaching(key), self._written(source) as (temp, name):
            return self._tree.place(names, lambda folder, last: link(temp, name, folder, last))

    def put(
        self, key: str, body: bytes | Path, *, content_type: str = "", match: str | None = None
    ) -> bool:
        names = _segments(key)
        if match == "":
            return self.create(key, body, content_type=content_type)

        def replace(temp: int, name: str, folder: int, last: str) -> bool:
            with contextlib.suppress(FileNotFoundError):
                self._require_file(key, folder, last)
            os.replace(name, last, src_dir_fd=temp, dst_dir_fd=folder)
            return True

        with (
            _source(body) as source,
            reaching(key),
            self._written(source) as (temp, name),
            self._lock(key),
        ):
            if match is not None:
                there = self.head(key)
                if there is None or there.etag != match:
                    return False
            return self._tree.place(names, lambda folder, last: replace(temp, name, folder, last))

    def list(self, prefix: str, *, after: str = "") -> Iterator[ObjectInfo]:
        with reaching(prefix):
            for key, status in self._tree.files(prefix, after=after):
                with contextlib.suppress(ValueError):
                    _segments(key)
                    yield _info(key, status)

    def delete(self, key: str) -> None:
        *names, last = _segments(key)
        with reaching(key), self._lock(key), contextlib.suppress(_Nothing):
            with self._folder(names) as folder:
                self._tree.stat(folder, last)
                os.unlink(last, dir_fd=folder)
            # The first segment names the bucket and stays.
            for depth in range(len(names) - 1, 0, -1):
                with self._folder(names[:depth]) as folder:
                    try:
                        os.rmdir(names[depth], dir_fd=folder)
                    except OSError:
                        return

    def remove_stale(self) -> None:
        """Remove temporary files whose writer is dead; those being written stay."""
        with self._locked("temp.lock"):
            for path in (self._hidden / "temp").iterdir():
                with contextlib.suppress(FileNotFoundError), path.open("rb") as stream:
                    try:
                        fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    except BlockingIOError:
                        continue
                    path.unlink(missing_ok=True)

    def _require_file(self, key: str, folder: int, last: str) -> None:
        """An empty folder in the way is removed; anything else but a file raises ValueError."""
        status = os.stat(last, dir_fd=folder, follow_symlinks=self._follow_links)
        if stat.S_ISREG(status.st_mode):
            return
        try:
            os.rmdir(last, dir_fd=folder)
        except OSError as error:
            raise ValueError(f"{key} cannot be an object: a folder or a link is there") from error
        raise FileNotFoundError(errno.ENOENT, "an empty folder was in the way", last)

    @contextmanager
    def _written(self, source: BinaryIO) -> Iterator[tuple[int, str]]:
        """What `source` holds in a temporary file: its folder's descriptor and its name."""
        name = secrets.token_hex(16)
        with self._tree.folder((HIDDEN, "temp")) as folder:
            with self._locked("temp.lock", shared=True):
                flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
                opened = os.open(name, flags, 0o644, dir_fd=folder)
                # Held until the end: how others know that its writer lives.
                fcntl.flock(opened, fcntl.LOCK_EX)
            try:
                with os.fdopen(opened, "wb") as stream:
                    shutil.copyfileobj(source, stream, 1 << 20)
                    stream.flush()
                    # The file system's clock ticks in milliseconds and inodes are used again: a
                    # time of our own keeps the etags of two writes apart.
                    now_ns = time.time_ns()
                    os.utime(stream.fileno(), ns=(now_ns, now_ns))
                    if self._durable:
                        os.fsync(stream.fileno())
                    yield folder, name
            finally:
                with contextlib.suppress(FileNotFoundError):
                    os.unlink(name, dir_fd=folder)

    def _lock(self, key: str) -> contextlib.AbstractContextManager[None]:
        stripe = hashlib.sha256(key.encode()).digest()[0] % _LOCKS
        return self._locked(f"{stripe}.lock")

    @contextmanager
    def _locked(self, name: str, *, shared: bool = False) -> Iterator[None]:
        opened = os.open(self._hidden / "locks" / name, os.O_RDONLY | os.O_CREAT, 0o644)
        try:
            fcntl.flock(opened, fcntl.LOCK_SH if shared else fcntl.LOCK_EX)
            yield
        finally:
            os.close(opened)

    @contextmanager
    def _folder(self, names: Sequence[str]) -> Iterator[int]:
        """Raises _Nothing, also for what the caller finds missing in it."""
        try:
            with self._tree.folder(names) as folder:
                yield folder
        except OSError as error:
            if error.errno in NOT_THERE:
                raise _Nothing from error
            raise

    @contextmanager
    def _opened(self, key: str) -> Iterator[tuple[int, os.stat_result]]:
        *names, last = _segments(key)
        try:
            with self._folder(names) as folder:
                opened = self._tree.open(folder, last)
        except _Nothing:
            raise Absent(key) from None
        try:
            yield opened, os.fstat(opened)
        finally:
            os.close(opened)


class _Nothing(Exception):
    """There is no plain file of that name."""


def _segments(key: str) -> tuple[str, ...]:
    names = keys.segments(key)
    if names[0] == HIDDEN:
        raise ValueError(f"reserved object key: {key!r}")
    return names


def _source(body: bytes | Path) -> BinaryIO:
    return io.BytesIO(body) if isinstance(body, bytes) else body.open("rb")


def _etag(status: os.stat_result) -> str:
    return f"{status.st_size:x}-{status.st_mtime_ns:x}-{status.st_ino:x}"


def _info(key: str, status: os.stat_result) -> ObjectInfo:
    return ObjectInfo(
        key=key,
        size_bytes=status.st_size,
        etag=_etag(status),
        modified_s=status.st_mtime_ns / 1e9,
    )


def _pread(opened: int, start: int, size_bytes: int) -> bytes:
    parts = []
    while size_bytes:
        part = os.pread(opened, size_bytes, start)
        if not part:
            break
        parts.append(part)
        start += len(part)
        size_bytes -= len(part)
    return parts[0] if len(parts) == 1 else b"".join(parts)
