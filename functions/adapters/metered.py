"""An ObjectStore that counts the bytes that pass through it."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from functions.ports import ByteRange, ObjectInfo, ObjectStore


class Metered:
    """See `functions.ports.ObjectStore`: everything is `store`'s, but counted by key."""

    def __init__(self, store: ObjectStore) -> None:
        self._store = store
        self._lock = threading.Lock()
        self._read: Counter[str] = Counter()
        self._written: Counter[str] = Counter()

    def bytes_read(self, prefix: str = "") -> int:
        """Bytes handed out of objects whose key starts with `prefix`."""
        with self._lock:
            return sum(count for key, count in self._read.items() if key.startswith(prefix))

    def bytes_written(self, prefix: str = "") -> int:
        """Bytes taken for objects whose key starts with `prefix`, also by a lost `create`."""
        with self._lock:
            return sum(count for key, count in self._written.items() if key.startswith(prefix))

    def head(self, key: str) -> ObjectInfo | None:
        return self._store.head(key)

    def get(self, key: str) -> bytes:
        data = self._store.get(key)
        self._count(self._read, key, len(data))
        return data

    def read(self, key: str, ranges: Sequence[ByteRange], *, etag: str = "") -> Iterator[bytes]:
        for data in self._store.read(key, ranges, etag=etag):
            self._count(self._read, key, len(data))
            yield data

    def create(self, key: str, body: bytes | Path, *, content_type: str = "") -> bool:
        created = self._store.create(key, body, content_type=content_type)
        self._count(self._written, key, _size_bytes(body))
        return created

    def put(
        self, key: str, body: bytes | Path, *, content_type: str = "", match: str | None = None
    ) -> bool:
        put = self._store.put(key, body, content_type=content_type, match=match)
        self._count(self._written, key, _size_bytes(body))
        return put

    def list(self, prefix: str, *, after: str = "") -> Iterator[ObjectInfo]:
        return self._store.list(prefix, after=after)

    def delete(self, key: str) -> None:
        self._store.delete(key)

    def _count(self, counter: Counter[str], key: str, size_bytes: int) -> None:
        with self._lock:
            counter[key] += size_bytes


def _size_bytes(body: bytes | Path) -> int:
    return len(body) if isinstance(body, bytes) else body.stat().st_size
