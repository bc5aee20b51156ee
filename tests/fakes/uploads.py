"""Uploads in memory."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Sequence
from typing import NoReturn

from functions import key as keys
from functions.ports import Absent, Part
from tests.fakes.store import MemoryStore


class MemoryUploads:
    """Uploads in memory, into a MemoryStore; nobody can be let write to it."""

    part_bytes = 1
    origin = ""

    def __init__(self, store: MemoryStore) -> None:
        self._store = store
        self._lock = threading.Lock()
        self._begun: dict[tuple[str, str], dict[int, tuple[Part, bytes]]] = {}

    def begun(self) -> set[str]:
        """The keys to which something is neither complete nor aborted."""
        with self._lock:
            return {key for key, _ in self._begun}

    def begin(self, key: str, *, content_type: str = "") -> str:
        keys.segments(key)
        upload = secrets.token_hex(16)
        with self._lock:
            self._begun[key, upload] = {}
        return upload

    def write(self, key: str, upload: str, number: int, body: bytes, *, offset_bytes: int) -> Part:
        with self._lock:
            taken = self._require(key, upload)
            part = Part(number=number, etag=secrets.token_hex(8), size_bytes=len(body))
            taken[number] = part, body
            return part

    def parts(self, key: str, upload: str) -> Sequence[Part]:
        with self._lock:
            return [part for _, (part, _) in sorted(self._require(key, upload).items())]

    def complete(self, key: str, upload: str, parts: Sequence[Part]) -> None:
        keys.segments(key)
        with self._lock:
            if (key, upload) not in self._begun and self._store.head(key) is not None:
                return
            taken = self._require(key, upload)
            if not parts or any(taken.get(part.number, (None,))[0] != part for part in parts):
                raise ValueError("other parts than were taken")
            self._store.put(key, b"".join(taken[part.number][1] for part in parts))
            del self._begun[key, upload]

    def abort(self, key: str) -> None:
        keys.segments(key)
        with self._lock:
            self._begun = {name: taken for name, taken in self._begun.items() if name[0] != key}

    def sign_part(
        self, key: str, upload: str, number: int, *, size_bytes: int, ttl_s: int
    ) -> NoReturn:
        raise NotImplementedError

    def sign_post(
        self, key: str, *, max_bytes: int, ttl_s: int, content_type: str = ""
    ) -> NoReturn:
        raise NotImplementedError

    def _require(self, key: str, upload: str) -> dict[int, tuple[Part, bytes]]:
        keys.segments(key)
        if (key, upload) not in self._begun:
            raise Absent(f"upload {upload} of {key}")
        return self._begun[key, upload]
