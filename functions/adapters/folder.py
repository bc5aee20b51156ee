"""Folders and files beneath one root, opened step by step so that no link leads out of it."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from eventing.errors import Unavailable

HIDDEN: Final = ".kinora"
"""Folder in a store's root for what is not an object; no key begins with it."""
NOT_THERE: Final = frozenset(
    {errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.EISDIR, errno.ENXIO, errno.ENAMETOOLONG}
)
"""What opening something says when there is no plain file at the end of plain folders."""
_ATTEMPTS: Final = 100
"""Of placing something while others remove the folder that just became empty."""


@contextmanager
def reaching(key: str) -> Iterator[None]:
    """What the file system cannot do now becomes Unavailable, with the key it was about."""
    try:
        yield
    except OSError as error:
        raise Unavailable(f"{key}: {error.strerror or error}") from error


class Tree:
    """What lies beneath `root`. Without `follow_links` a symbolic link counts as nothing.

    Methods raise OSError; an `errno` in NOT_THERE means that there is no such thing.
    """

    def __init__(self, root: Path, *, follow_links: bool, durable: bool) -> None:
        self.root = root.resolve()
        self._durable = durable
        self._follow = follow_links
        self._nofollow = 0 if follow_links else os.O_NOFOLLOW

    @contextmanager
    def folder(self, names: Sequence[str], *, make: bool = False) -> Iterator[int]:
        """A descriptor of the folder, made with its parents where asked."""
        try:
            opened = os.open(self.root, os.O_RDONLY | os.O_DIRECTORY)
        except OSError as error:
            raise OSError(
                errno.EIO, f"the root folder cannot be opened: {error.strerror}"
            ) from error
        try:
            for name in names:
                inner = self._enter(opened, name, make=make)
                os.close(opened)
                opened = inner
            yield opened
        finally:
            os.close(opened)

    def _enter(self, outer: int, name: str, *, make: bool) -> int:
        flags = os.O_RDONLY | os.O_DIRECTORY | self._nofollow
        try:
            return os.open(name, flags, dir_fd=outer)
        except FileNotFoundError:
            if not make:
                raise
        try:
            os.mkdir(name, dir_fd=outer)
        except FileExistsError:
            pass
        else:
            if self._durable:
                os.fsync(outer)
        return os.open(name, flags, dir_fd=outer)

    def place(self, names: Sequence[str], move: Callable[[int, str], bool]) -> bool:
        """Let `move` put something into the folder of `names`, under the last of them.

        The folder is made where it is missing. Returns what `move` did, which may raise
        FileNotFoundError to be called again. Raises ValueError when no such path can be.
        """
        *parents, last = names
        for attempt in range(_ATTEMPTS):
            try:
                with self.folder(parents, make=True) as folder:
                    moved = move(folder, last)
                    if moved and self._durable:
                        os.fsync(folder)
                    return moved
            except FileNotFoundError:  # pruned between opening the folder and the move
                if attempt == _ATTEMPTS - 1:
                    raise
            except OSError as error:
                if error.errno in NOT_THERE:
                    raise ValueError(
                        f"{'/'.join(names)} cannot be an object: {error.strerror}"
                    ) from error
                raise
        raise AssertionError("unreachable")

    def open(self, folder: int, name: str) -> int:
        """A descriptor of the plain file, for reading."""
        # Without O_NONBLOCK a named pipe would keep us waiting for its writer.
        opened = os.open(name, os.O_RDONLY | os.O_NONBLOCK | self._nofollow, dir_fd=folder)
        if not stat.S_ISREG(os.fstat(opened).st_mode):
            os.close(opened)
            raise FileNotFoundError(errno.ENOENT, "not a plain file", name)
        return opened

    def stat(self, folder: int, name: str) -> os.stat_result:
        """Of the plain file."""
        status = os.stat(name, dir_fd=folder, follow_symlinks=self._follow)
        if not stat.S_ISREG(status.st_mode):
            raise FileNotFoundError(errno.ENOENT, "not a plain file", name)
        return status

    def files(self, prefix: str, *, after: str) -> Iterator[tuple[str, os.stat_result]]:
        """Plain files whose path begins with `prefix` and sorts behind `after`.

        Sorted by the whole path, byte by byte, one folder in memory at a time. Names that are not
        UTF-8 are left out; so is what vanishes meanwhile.
        """
        names = prefix.split("/")[:-1]
        if any(name in ("", ".", "..") for name in names) or "\0" in prefix:
            return
        try:
            with self.folder(names) as opened:
                base = "".join(f"{name}/" for name in names)
                yield from self._walk(opened, base, prefix, after, ())
        except OSError as error:
            if error.errno not in NOT_THERE:
                raise

    def _walk(
        self, opened: int, base: str, prefix: str, after: str, above: tuple[tuple[int, int], ...]
    ) -> Iterator[tuple[str, os.stat_result]]:
        own = os.fstat(opened)
        if (own.st_dev, own.st_ino) in above:  # a link that leads back up
            return
        above = (*above, (own.st_dev, own.st_ino))
        with os.scandir(opened) as entries:
            # A folder sorts as its name with the slash, which is how the keys in it begin: between
            # plain names that come before and behind a slash. For valid text the order of code
            # points is the order of its UTF-8 bytes.
            paths = sorted(
                f"{base}{entry.name}/"
                if entry.is_dir(follow_symlinks=self._follow)
                else base + name
                for entry in entries
                if (name := entry.name).isascii() or _is_text(name)
            )
        for path in paths:
            try:
                if not path.endswith("/"):
                    if path.startswith(prefix) and path > after:
                        yield path, self.stat(opened, path[len(base) :])
                elif _may_hold(path, prefix, after):
                    inner = self._enter(opened, path[len(base) : -1], make=False)
                    try:
                        yield from self._walk(inner, path, prefix, after, above)
                    finally:
                        os.close(inner)
            except OSError as error:
                if error.errno not in NOT_THERE:
                    raise


def _is_text(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def _may_hold(folder: str, prefix: str, after: str) -> bool:
    """True if a path below `folder` (ended by a slash) can be asked for."""
    within = folder.startswith(prefix) or prefix.startswith(folder)
    return within and (folder > after or after.startswith(folder))
