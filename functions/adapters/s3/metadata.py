"""What an object's headers say of it."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from email.errors import MessageError
from email.header import decode_header, make_header
from email.utils import parsedate_to_datetime
from typing import Final

from functions.ports import ObjectInfo

_PREFIX: Final = "x-amz-meta-"


def info(key: str, headers: Mapping[str, str]) -> ObjectInfo:
    """`headers`: names in lower case, values as they come over the wire, one character a byte."""
    version = headers.get("x-amz-version-id", "")
    return ObjectInfo(
        key=key,
        size_bytes=int(headers.get("content-length", "0")),
        etag=headers.get("etag", "").strip('"'),
        # "null" is what is replaced in place, where versioning is off or was off.
        version="" if version == "null" else version,
        modified_s=_modified_s(headers.get("last-modified", "")),
        metadata={
            name.removeprefix(_PREFIX): _text(value)
            for name, value in headers.items()
            if name.startswith(_PREFIX)
        },
    )


def _modified_s(value: str) -> float:
    try:
        return parsedate_to_datetime(value).timestamp()
    except ValueError:
        return 0.0


def _text(value: str) -> str:
    """A service sends what is not ASCII as UTF-8, or in the words of RFC 2047."""
    with contextlib.suppress(UnicodeError):
        value = value.encode("latin-1").decode()
    if "=?" in value:
        with contextlib.suppress(MessageError, LookupError, ValueError):
            return str(make_header(decode_header(value)))
    return value
