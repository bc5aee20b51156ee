"""Object keys: which are legal, the same for every store and for admission."""

from __future__ import annotations

from typing import Final

MAX_BYTES: Final = 1024
"""Of a key in UTF-8 (the limit of S3)."""


def segments(key: str) -> tuple[str, ...]:
    """The parts between the slashes.

    Raises ValueError for an empty key, an empty, `.` or `..` segment, NUL, what is not UTF-8 (a
    lone surrogate) and what is longer than `MAX_BYTES`.
    """
    parts = tuple(key.split("/"))
    if any(part in ("", ".", "..") for part in parts) or "\0" in key:
        raise ValueError(f"no object key: {key!r}")
    if len(key.encode()) > MAX_BYTES:
        raise ValueError(f"object key longer than {MAX_BYTES} bytes: {key[:64]!r}…")
    return parts
