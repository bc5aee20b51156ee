"""A big file as one object, in parts: nobody sees it before all are there."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from eventing.errors import Unavailable
from functions.adapters.s3 import xml as s3_xml
from functions.adapters.s3.body import Body, Bytes
from functions.adapters.s3.reply import Reply
from functions.adapters.s3.wire import Request, Wire, refused
from functions.ports import MAX_PARTS

_PART_BYTES: Final = 16 << 20


def part_bytes(size_bytes: int) -> int:
    """How long the parts of an object of this size are."""
    return max(_PART_BYTES, -(-size_bytes // MAX_PARTS))


class Over(Exception):
    """There is no such upload any more: somebody ended it, or it is complete."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """An upload whose parts are all there."""

    wire: Wire
    bucket: str
    name: str
    upload: str
    etags: Sequence[str]

    def complete(self, headers: Mapping[str, str]) -> Reply:
        """Make it an object, if the conditions in `headers` hold. Raises Over."""
        reply = self.wire.send(
            Request(
                method="POST",
                bucket=self.bucket,
                name=self.name,
                query={"uploadId": self.upload},
                headers=headers,
                body=Bytes(s3_xml.completion(enumerate(self.etags, start=1))),
                # A swap that was carried out unheard would stand in its own way.
                repeatable="if-match" not in headers,
                slow=True,
            )
        )
        if reply.code == "NoSuchUpload":
            raise Over
        if reply.status == 200 and b"<Error>" in reply.body:
            # It took long: 200 was sent before the service knew.
            held = reply.code == "PreconditionFailed"
            return Reply(status=412 if held else 500, headers=reply.headers, body=reply.body)
        return reply

    @property
    def etag(self) -> str:
        """What S3 and MinIO give the object; "" where an encryption's etags are no hashes."""
        try:
            joined = b"".join(bytes.fromhex(etag) for etag in self.etags)
        except ValueError:
            return ""
        return f"{hashlib.md5(joined, usedforsecurity=False).hexdigest()}-{len(self.etags)}"

    def abort(self) -> None:
        """Drop the parts. Best effort: the service drops what is old by itself."""
        abort(self.wire, self.bucket, self.name, self.upload)

    def abort_rivals(self) -> None:
        """Drop everybody's parts for this name, which is taken now. Best effort."""
        with contextlib.suppress(Unavailable):
            reply = self.wire.send(
                Request(
                    method="GET",
                    bucket=self.bucket,
                    query={"uploads": "", "prefix": self.name},
                )
            )
            if reply.status != 200:
                return
            open_ones = s3_xml.parsed(reply.body, "ListMultipartUploadsResult")
            for found in open_ones.iterfind("{*}Upload"):
                if s3_xml.text(found, "Key") == self.name:
                    abort(self.wire, self.bucket, self.name, s3_xml.text(found, "UploadId"))


def send(
    wire: Wire, bucket: str, name: str, bodies: Iterable[Body], headers: Mapping[str, str]
) -> Parts:
    """All the parts; the object is not there yet. Raises Over where somebody ended the upload.

    Raises ValueError for a name that the service refuses.
    """
    # Where the reply is lost, an upload without parts remains.
    request = Request(
        method="POST", bucket=bucket, name=name, query={"uploads": ""}, headers=headers
    )
    reply = wire.send(request)
    if reply.is_name_refused:
        raise ValueError(f"{bucket}/{name} cannot be an object: the S3 service refuses the name")
    if reply.status != 200:
        raise refused(reply, request)
    begun = s3_xml.parsed(reply.body, "InitiateMultipartUploadResult")
    upload = s3_xml.text(begun, "UploadId")
    etags = []
    try:
        for number, body in enumerate(bodies, start=1):
            query = {"partNumber": str(number), "uploadId": upload}
            request = Request(method="PUT", bucket=bucket, name=name, query=query, body=body)
            reply = wire.send(request)
            if reply.code == "NoSuchUpload":
                raise Over
            if reply.status != 200:
                raise refused(reply, request)
            etags.append(reply.etag)
    except BaseException:
        abort(wire, bucket, name, upload)
        raise
    return Parts(wire=wire, bucket=bucket, name=name, upload=upload, etags=etags)


def abort(wire: Wire, bucket: str, name: str, upload: str) -> None:
    with contextlib.suppress(Unavailable):
        wire.send(Request(method="DELETE", bucket=bucket, name=name, query={"uploadId": upload}))
