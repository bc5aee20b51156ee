"""What keeps objects under keys."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from functions.media.source.byterange import ByteRange as ByteRange


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectInfo:
    """What a store knows of an object without reading it."""

    key: str
    size_bytes: int
    etag: str
    """Changes whenever the bytes do; opaque."""
    version: str = ""
    modified_s: float = 0.0
    """POSIX time of the last write by the store's clock."""
    metadata: Mapping[str, str] = field(default_factory=dict)
    """User metadata, lower-case names without a prefix; empty where the store keeps none.
    Listings may leave it empty; `head` fills it."""


class Absent(Exception):
    """There is no such object (or no longer with these bytes)."""


class ObjectStore(Protocol):
    """Objects under keys like `work/jobs/<job>/job.json`; the first segment names the bucket.

    Readers never see half an object. Keys are `/`-separated, without empty, `.` or `..` segments
    (ValueError otherwise).
    """

    def head(self, key: str) -> ObjectInfo | None:
        """What is there, or None."""

    def get(self, key: str) -> bytes:
        """The whole object. Raises Absent."""

    def read(self, key: str, ranges: Sequence[ByteRange], *, etag: str = "") -> Iterator[bytes]:
        """The bytes of each range, in the order given, one item a range.

        Raises Absent when there is no object, or none with this `etag` any more (where given),
        also in the middle; ValueError for a range beyond the end.
        """

    def create(self, key: str, body: bytes | Path, *, content_type: str = "") -> bool:
        """Write-once: True if this call made the object, False if one was there, untouched.

        A lost reply may make the winner see False: whoever loses reads what is there.
        """

    def put(
        self, key: str, body: bytes | Path, *, content_type: str = "", match: str | None = None
    ) -> bool:
        """Write or replace. With `match` (an etag, "" for absent) only if that is what is there.

        Returns False, and changes nothing, when `match` does not hold.
        """

    def list(self, prefix: str, *, after: str = "") -> Iterator[ObjectInfo]:
        """Every object whose key starts with `prefix` and is greater than `after`, by key."""

    def delete(self, key: str) -> None:
        """Remove it; nothing happens when there is none."""
