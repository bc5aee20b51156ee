"""Uploads on S3: multipart uploads, presigned parts and forms, by signed requests.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/mpuoverview.html
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final
from urllib.parse import urlsplit

from functions import key as keys
from functions.adapters.s3 import xml as s3_xml
from functions.adapters.s3.account import Account, Buckets
from functions.adapters.s3.body import EMPTY, Bytes
from functions.adapters.s3.reply import Reply
from functions.adapters.s3.signature import percent
from functions.adapters.s3.wire import Request, Wire, refused
from functions.jobs import layout
from functions.ports import Absent, Part, SignedPost

_WRONG: Final = frozenset(
    {"EntityTooSmall", "InvalidPart", "InvalidPartOrder", "MalformedXML", "InvalidArgument"}
)
"""What S3 says of parts that make no object."""
_GONE: Final = frozenset({"", "NoSuchUpload", "NoSuchKey"})


class S3Uploads:
    """See `functions.ports.Uploads`. Safe to share between threads."""

    part_bytes = 5 * 1024 * 1024

    def __init__(
        self, account: Account, buckets: Buckets, *, clock: Callable[[], float] = time.time
    ) -> None:
        """Raises ValueError for an account that cannot be used."""
        self._account = account
        self._buckets = buckets
        self._wire = Wire(account)
        self._signer = account.signer
        self._clock = clock
        root = urlsplit(self._root(buckets.real(layout.UPLOADS)))
        self.origin = f"{root.scheme}://{root.netloc}".lower()

    def begin(self, key: str, *, content_type: str = "") -> str:
        headers = {"content-type": content_type or "application/octet-stream"}
        answer = self._ask("POST", key, {"uploads": ""}, headers=headers)
        begun = s3_xml.parsed(answer.body, "InitiateMultipartUploadResult")
        return s3_xml.text(begun, "UploadId")

    def write(self, key: str, upload: str, number: int, body: bytes, *, offset_bytes: int) -> Part:
        query = {"partNumber": str(number), "uploadId": upload}
        answer = self._ask("PUT", key, query, body=body)
        return Part(number=number, etag=answer.etag, size_bytes=len(body))

    def parts(self, key: str, upload: str) -> Sequence[Part]:
        found: list[Part] = []
        marker = "0"
        while marker:
            query = {"uploadId": upload, "part-number-marker": marker}
            page = s3_xml.parsed(self._ask("GET", key, query).body, "ListPartsResult")
            found += (
                Part(
                    number=int(s3_xml.text(part, "PartNumber")),
                    etag=s3_xml.text(part, "ETag").strip('"'),
                    size_bytes=int(s3_xml.text(part, "Size")),
                )
                for part in page.iterfind("{*}Part")
            )
            more = s3_xml.text(page, "IsTruncated") == "true"
            marker = s3_xml.text(page, "NextPartNumberMarker") if more else ""
        return found

    def complete(self, key: str, upload: str, parts: Sequence[Part]) -> None:
        if not parts:
            raise ValueError("an object has at least one part")
        body = s3_xml.completion((part.number, part.etag) for part in parts)
        try:
            self._ask("POST", key, {"uploadId": upload}, body=body, slow=True)
        except Absent:
            # Also when it was completed before: then the object is there, as long as its parts.
            there = self._ask("HEAD", key, {})
            size_bytes = sum(part.size_bytes for part in parts)
            if int(there.headers.get("content-length", "-1")) != size_bytes:
                raise

    def abort(self, key: str) -> None:
        for upload in list(self._begun(key)):
            try:
                self._ask("DELETE", key, {"uploadId": upload})
            except Absent:
                continue

    def sign_part(self, key: str, upload: str, number: int, *, size_bytes: int, ttl_s: int) -> str:
        query = {"partNumber": str(number), "uploadId": upload}
        url = self._url(key, query)
        length = {"content-length": str(size_bytes)}
        return self._signer.url("PUT", url, length, ttl_s=ttl_s, now_s=self._clock())

    def sign_post(
        self, key: str, *, max_bytes: int, ttl_s: int, content_type: str = ""
    ) -> SignedPost:
        bucket, name = self._place(key)
        fields = {
            "bucket": bucket,
            "key": name,
            "Content-Type": content_type or "application/octet-stream",
            "success_action_status": "201",
        }
        fields = self._signer.form(
            fields,
            [["content-length-range", 1, max_bytes]],
            ttl_s=ttl_s,
            now_s=self._clock(),
        )
        return SignedPost(url=self._root(bucket), fields=fields)

    def _begun(self, key: str) -> Iterator[str]:
        """Ids of the uploads to exactly this key. (MinIO lists them by the exact key only.)"""
        _, name = self._place(key)
        after = {"key-marker": "", "upload-id-marker": ""}
        while True:
            query = {"uploads": "", "prefix": name, **after}
            answer = self._ask("GET", key, query, of_bucket=True)
            page = s3_xml.parsed(answer.body, "ListMultipartUploadsResult")
            for upload in page.iterfind("{*}Upload"):
                if s3_xml.text(upload, "Key") == name:
                    yield s3_xml.text(upload, "UploadId")
            if s3_xml.text(page, "IsTruncated") != "true":
                return
            after = {
                "key-marker": s3_xml.text(page, "NextKeyMarker"),
                "upload-id-marker": s3_xml.text(page, "NextUploadIdMarker"),
            }

    def _ask(
        self,
        method: str,
        key: str,
        query: Mapping[str, str],
        *,
        body: bytes = b"",
        headers: Mapping[str, str] | None = None,
        of_bucket: bool = False,
        slow: bool = False,
    ) -> Reply:
        """The answer to a request that went well. Raises Absent, ValueError or Unavailable."""
        bucket, name = self._place(key)
        request = Request(
            method=method,
            bucket=bucket,
            name="" if of_bucket else name,
            query=query,
            headers=headers or {},
            body=Bytes(body) if body else EMPTY,
            slow=slow,
        )
        reply = self._wire.send(request)
        # An object's completion may fail behind a status of 200, which came before.
        failed = b"<Error" in reply.body[:200]
        if 200 <= reply.status < 300 and not failed:
            return reply
        if reply.status == 404 and reply.code in _GONE:
            raise Absent(key)
        if reply.code in _WRONG:
            raise ValueError(f"{key}: {reply.code}")
        raise refused(reply, request)

    def _place(self, key: str) -> tuple[str, str]:
        """The bucket as the service calls it, and the key in it."""
        first, *rest = keys.segments(key)
        if not rest:
            raise ValueError(f"no object key: {key!r}")
        return self._buckets.real(first), "/".join(rest)

    def _root(self, bucket: str) -> str:
        """Of the bucket, as clients reach it."""
        base = self._account.public_url
        if self._account.path_style:
            return f"{base}/{bucket}"
        scheme, _, host = base.partition("://")
        return f"{scheme}://{bucket}.{host}"

    def _url(self, key: str, query: Mapping[str, str]) -> str:
        """Of the object, as clients reach it."""
        bucket, name = self._place(key)
        asked = "&".join(f"{name}={percent(value)}" for name, value in query.items())
        return f"{self._root(bucket)}/{percent(name, slash=True)}?{asked}"
