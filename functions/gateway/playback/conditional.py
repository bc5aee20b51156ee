"""What a request says about the version and the bytes that it wants (RFC 9110, 13 and 14). Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from functions.media.source.byterange import ByteRange

_RANGE: Final = re.compile(r"bytes=\s*(\d{0,18})-(\d{0,18})\s*")
_TAG: Final = re.compile(r'(?:W/)?("[\x21\x23-\x7e\x80-\xff]*")')


class Unsatisfiable(Exception):
    """There are no such bytes (RFC 9110, 15.5.17)."""


def is_known(headers: Mapping[str, str], etag: str) -> bool:
    """True when the client has these bytes already: 304 (RFC 9110, 13.1.2; the weak comparison)."""
    given = headers.get("if-none-match", "")
    return given.strip() == "*" or etag in _TAG.findall(given)


def wanted(headers: Mapping[str, str], etag: str, size_bytes: int) -> ByteRange | None:
    """The part that is asked for, None for all of it.

    A range of another version (If-Range), several ranges at once and what is no range of bytes
    count as not asked for (RFC 9110, 14.2 allows it). Raises Unsatisfiable.
    """
    found = _RANGE.fullmatch(headers.get("range", ""))
    if found is None or found.groups() == ("", ""):
        return None
    if (condition := headers.get("if-range")) is not None and condition.strip() != etag:
        return None
    first, last = found.groups()
    if not first:
        suffix = min(int(last), size_bytes)
        if not suffix:
            raise Unsatisfiable
        return ByteRange(size_bytes - suffix, size_bytes)
    if last and int(last) < int(first):
        return None  # it is no range at all, says the grammar
    if int(first) >= size_bytes:
        raise Unsatisfiable
    return ByteRange(int(first), min(int(last) + 1, size_bytes) if last else size_bytes)
