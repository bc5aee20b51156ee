"""Objects in memory."""

from __future__ import annotations

import threading
import time
from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path

from functions import key as keys
from functions.ports import Absent, ByteRange, Clock, ObjectInfo


class MemoryStore:
    """ObjectStore in memory; like S3 it may hold `a` beside `a/b`."""

    def __init__(self, *, clock: Clock = time.time) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._objects: dict[str, tuple[ObjectInfo, bytes]] = {}
        self._keys: list[str] = []
        """Sorted: by code points, which is the order of their UTF-8."""
        self._writes = 0

    def annotate(self, key: str, metadata: Mapping[str, str]) -> None:
        """Give an object user metadata, as an upload to S3 would."""
        with self._lock:
            info, data = self._objects[key]
            self._objects[key] = replace(info, metadata=dict(metadata)), data

    def head(self, key: str) -> ObjectInfo | None:
        found = self._find(key)
        return found and found[0]

    def get(self, key: str) -> bytes:
        return self._require(key)[1]

    def read(self, key: str, ranges: Sequence[ByteRange], *, etag: str = "") -> Iterator[bytes]:
        pinned = etag or self._require(key)[0].etag
        for wanted in ranges:
            info, data = self._require(key)
            if info.etag != pinned:
                raise Absent(f"{key} with etag {pinned}")
            if wanted.stop > info.size_bytes:
                raise ValueError(f"[{wanted.start}, {wanted.stop}) is beyond the end of {key}")
            yield data[wanted.start : wanted.stop]

    def create(self, key: str, body: bytes | Path, *, content_type: str = "") -> bool:
        return self.put(key, body, content_type=content_type, match="")

    def put(
        self, key: str, body: bytes | Path, *, content_type: str = "", match: str | None = None
    ) -> bool:
        keys.segments(key)
        data = body if isinstance(body, bytes) else body.read_bytes()
        with self._lock:
            there = self._objects.get(key)
            if match is not None and match != (there[0].etag if there else ""):
                return False
            if there is None:
                insort(self._keys, key)
            self._writes += 1
            info = ObjectInfo(
                key=key,
                size_bytes=len(data),
                etag=str(self._writes),
                modified_s=self._clock(),
            )
            self._objects[key] = info, data
            return True

    def list(self, prefix: str, *, after: str = "") -> Iterator[ObjectInfo]:
        with self._lock:
            first = max(bisect_left(self._keys, prefix), bisect_right(self._keys, after))
            found = []
            for key in islice(self._keys, first, None):
                if not key.startswith(prefix):
                    break
                found.append(self._objects[key][0])
        yield from found

    def delete(self, key: str) -> None:
        keys.segments(key)
        with self._lock:
            if self._objects.pop(key, None):
                del self._keys[bisect_left(self._keys, key)]

    def _find(self, key: str) -> tuple[ObjectInfo, bytes] | None:
        keys.segments(key)
        with self._lock:
            return self._objects.get(key)

    def _require(self, key: str) -> tuple[ObjectInfo, bytes]:
        if (found := self._find(key)) is None:
            raise Absent(key)
        return found
