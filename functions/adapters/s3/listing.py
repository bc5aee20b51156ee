"""A bucket's objects, page by page (ListObjectsV2), and which buckets a prefix of keys spans."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from urllib.parse import unquote_plus

from functions import key as keys
from functions.adapters.s3 import xml as s3_xml
from functions.adapters.s3.reply import Reply
from functions.adapters.s3.wire import Request
from functions.ports import ObjectInfo

_FIRST: Final = 100
"""Entries of the first page: most who list want few."""
_MOST: Final = 1000
_PART: Final = re.compile(r"[^/\\]+")
_SPACE: Final = "\t\n\v\f\r "


@dataclass(frozen=True, slots=True)
class Span:
    """The part of a listing that one bucket has."""

    name: str
    """What keys begin with for objects of this bucket."""
    prefix: str
    after: str

    def has(self, name: str) -> bool:
        # Text and its UTF-8 have one order.
        return name.startswith(self.prefix) and name > self.after


def spans(prefix: str, after: str, *, ours: Iterable[str]) -> Iterator[Span]:
    """The buckets in which objects can be whose key starts with `prefix` and is behind `after`.

    A prefix that names no bucket whole spans those of `ours` that it fits, in order.
    """
    name, slash, inner = prefix.partition("/")
    if not _can_start(prefix):
        return
    found = [(name, inner)] if slash else [(each, "") for each in sorted(ours)]
    for name, inner in found:
        start = f"{name}/"
        if not slash and not start.startswith(prefix):
            continue
        if after.startswith(start):
            yield Span(name, inner, after.removeprefix(start))
        elif after < start:
            yield Span(name, inner, "")


def _can_start(prefix: str) -> bool:
    """Some key can start with this."""
    whole, slash, last = prefix.rpartition("/")
    return _is_key(f"{whole}{slash}{last or 'a'}" if last not in (".", "..") else f"{prefix}a")


def page(bucket: str, span: Span, *, token: str) -> Request:
    """The request for a page, which may have to be sifted; `token`: of the page before, or ""."""
    query = {
        "list-type": "2",
        # XML has no way to say some characters that a key may have.
        "encoding-type": "url",
        "max-keys": str(_MOST if token else _FIRST),
        "prefix": _bland(span.prefix),
    }
    if token:
        query["continuation-token"] = token
    elif after := _bland(span.after):
        query["start-after"] = after
    return Request(method="GET", bucket=bucket, query=query)


def _bland(text: str) -> str:
    """`text` as far as every service takes it in a query.

    MinIO refuses any value with a part between slashes or backslashes that is, but for white
    space, `.` or `..` (hasBadPathComponent in its cmd/generic-handlers.go).
    """
    for part in _PART.finditer(text):
        if part[0].strip(_SPACE) in (".", ".."):
            return text[: part.start()]
    return text


@dataclass(frozen=True, slots=True)
class Page:
    entries: list[ObjectInfo]
    token: str
    """Asks for the next page; "" on the last."""


def parsed(reply: Reply, span: Span) -> Page:
    """What is in the span. Raises Unavailable for what is no listing."""
    root = s3_xml.parsed(reply.body, "ListBucketResult")
    encoded = s3_xml.text(root, "EncodingType") == "url"
    entries = []
    for found in root.iterfind("{*}Contents"):
        name = s3_xml.text(found, "Key")
        if encoded:
            name = unquote_plus(name)
        key = f"{span.name}/{name}"
        # `folder/`, `a//b`: others put them there, and no key spells them.
        if not span.has(name) or not _is_key(key):
            continue
        entries.append(
            ObjectInfo(
                key=key,
                size_bytes=int(s3_xml.text(found, "Size")),
                etag=s3_xml.text(found, "ETag").strip('"'),
                modified_s=datetime.fromisoformat(s3_xml.text(found, "LastModified")).timestamp(),
            )
        )
    more = s3_xml.text(root, "IsTruncated") == "true"
    return Page(entries, s3_xml.text(root, "NextContinuationToken") if more else "")


def _is_key(key: str) -> bool:
    try:
        keys.segments(key)
    except ValueError:
        return False
    return True
