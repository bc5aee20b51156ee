"""ObjectStore on S3: MinIO, AWS and what speaks like them.

Requests are our own, small and signed here, because no client has all of what the port promises:
conditions also on what arrives in parts, keys that are spelled as they are, listings that take
what others left in a bucket, an end to every wait.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from functions import key as keys
from functions.adapters.s3 import body as s3_body
from functions.adapters.s3 import listing as s3_listing
from functions.adapters.s3 import metadata as s3_metadata
from functions.adapters.s3.account import Account, Buckets
from functions.adapters.s3.conditions import HIDDEN, Condition, Conditions
from functions.adapters.s3.reply import Reply, no_bucket
from functions.adapters.s3.wire import Request, Wire, refused
from functions.adapters.s3.writer import Place, Writer
from functions.jobs import layout
from functions.ports import Absent, ByteRange, ObjectInfo, StateStore

_BUCKET: Final = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")


class S3Store:
    """See `functions.ports.ObjectStore`. Safe for many threads and processes at once.

    A key's first segment is the bucket, as `buckets` calls it; a bucket of ours that is missing
    makes everything Unavailable, any other is as if it were empty.

    `state` gives the state store that keeps writers apart where the service ignores conditions.

    Writing raises ValueError for a key that cannot be there: without a name within the bucket, or
    with one that the service refuses (MinIO: a segment of more than 255 bytes).
    """

    def __init__(
        self, account: Account, buckets: Buckets, *, state: Callable[[], StateStore] | None = None
    ) -> None:
        """Raises ValueError for an account that cannot be used. Reaches for nothing yet."""
        self._wire = Wire(account)
        self._buckets = buckets
        self._ours = frozenset(buckets.real(name) for name in layout.BUCKETS)
        self._seen: set[str] = set()
        """Buckets that are there."""
        conditions = Conditions(
            self._wire, buckets.real(layout.WORK), state, timeout_s=account.timeout_s
        )
        self._writer = Writer(self._wire, conditions, self._head)

    def head(self, key: str) -> ObjectInfo | None:
        place = self._place(key)
        return self._head(place) if place else None

    def get(self, key: str) -> bytes:
        place = self._place(key)
        if place is None:
            raise Absent(key)
        request = Request(method="GET", bucket=place.bucket, name=place.name)
        reply = self._wire.send(request)
        if reply.status != 200:
            self._require_absence(reply, request)
            raise Absent(key)
        return reply.body

    def read(self, key: str, ranges: Sequence[ByteRange], *, etag: str = "") -> Iterator[bytes]:
        place = self._place(key)
        if place is None:
            raise Absent(key)
        for wanted in ranges:
            headers = {"range": f"bytes={wanted.start}-{wanted.stop - 1}"}
            if etag:
                headers["if-match"] = f'"{etag}"'
            request = Request(method="GET", bucket=place.bucket, name=place.name, headers=headers)
            reply = self._wire.send(request)
            if reply.status == 416 or (reply.status == 206 and len(reply.body) < wanted.size_bytes):
                raise ValueError(
                    f"range [{wanted.start}, {wanted.stop}) is beyond the end of {key}"
                )
            if reply.status == 412:
                raise Absent(f"{key} with etag {etag}")
            if reply.status != 206:
                self._require_absence(reply, request)
                raise Absent(key)
            # Not every service keeps to If-Match; what it sends carries its etag.
            etag = etag or reply.etag
            if reply.etag != etag:
                raise Absent(f"{key} with etag {etag}")
            yield reply.body

    def create(self, key: str, body: bytes | Path, *, content_type: str = "") -> bool:
        return self._write(key, body, content_type, Condition(""))

    def put(
        self, key: str, body: bytes | Path, *, content_type: str = "", match: str | None = None
    ) -> bool:
        condition = None if match is None else Condition(match)
        return self._write(key, body, content_type, condition)

    def list(self, prefix: str, *, after: str = "") -> Iterator[ObjectInfo]:
        for span in s3_listing.spans(prefix, after, ours=layout.BUCKETS):
            if _BUCKET.fullmatch(self._buckets.real(span.name)):
                yield from self._listed(span)

    def delete(self, key: str) -> None:
        place = self._place(key)
        if place is None:
            return
        request = Request(method="DELETE", bucket=place.bucket, name=place.name)
        reply = self._wire.send(request)
        if reply.status not in (200, 204):
            self._require_absence(reply, request)

    def _head(self, place: Place) -> ObjectInfo | None:
        request = Request(method="HEAD", bucket=place.bucket, name=place.name)
        reply = self._wire.send(request)
        if reply.status == 200:
            return s3_metadata.info(place.key, reply.headers)
        if not reply.code and not (reply.status == 404 and place.bucket in self._seen):
            # The answer to HEAD has no body that could say what is wrong.
            asked = replace(request, method="GET", headers={"range": "bytes=0-0"})
            answer = self._wire.send(asked)
            if answer.status >= 400:
                request, reply = asked, answer
        self._require_absence(reply, request)
        return None

    def _listed(self, span: s3_listing.Span) -> Iterator[ObjectInfo]:
        bucket = self._buckets.real(span.name)
        token = ""
        while True:
            request = s3_listing.page(bucket, span, token=token)
            reply = self._wire.send(request)
            if reply.status != 200:
                self._require_absence(reply, request)
                return
            page = s3_listing.parsed(reply, span)
            for info in page.entries:
                if not _is_hidden(info.key):
                    yield info
            token = page.token
            if not token:
                return

    def _write(
        self, key: str, body: bytes | Path, content_type: str, condition: Condition | None
    ) -> bool:
        place = self._place(key)
        if place is None or _is_hidden(key):
            raise ValueError(f"{key} cannot be an object of this store")
        headers = {"content-type": content_type} if content_type else {}
        with s3_body.source(body) as source:
            return self._writer.write(place, source, headers, condition)

    def _place(self, key: str) -> Place | None:
        """None where nothing can be: no name within the bucket, or no name of a bucket."""
        first, *rest = keys.segments(key)
        bucket = self._buckets.real(first)
        if not rest or not _BUCKET.fullmatch(bucket):
            return None
        return Place(key, bucket, "/".join(rest))

    def _require_absence(self, reply: Reply, request: Request) -> None:
        """Raises Unavailable where the reply says anything else than that there is no object."""
        if reply.is_name_refused:
            return
        if reply.status != 404:
            raise refused(reply, request)
        if reply.code != "NoSuchBucket":
            self._seen.add(request.bucket)
        elif request.bucket in self._ours:
            raise no_bucket(request.bucket)


def _is_hidden(key: str) -> bool:
    return key.startswith(f"{layout.WORK}/{HIDDEN}")
