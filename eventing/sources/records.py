"""Records of S3's own shape: MinIO's webhook, AWS by SQS or Lambda, RustFS, Ceph.

AWS, "Event message structure": `object.key` is URL-encoded. Ceph writes the key as it is
(rgw_pubsub.cc, `rgw_pubsub_s3_event::dump`).
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Iterator
from typing import Final

import msgspec

from eventing.contract import ObjectCreated
from eventing.sources.item import Buckets, Item, created
from eventing.sources.remark import Remark, shown
from eventing.typed import ready

CREATING: Final = frozenset(
    f"ObjectCreated:{how}" for how in ("Put", "Post", "Copy", "CompleteMultipartUpload")
)
"""The events that make an object. MinIO also calls a change of tags or of a retention
`ObjectCreated:…`."""

_ESCAPE: Final = re.compile(rb"%([0-9A-Fa-f]{2})")
_PLAIN_KEYS: Final = "ceph:"


class _Object(msgspec.Struct, frozen=True, rename="camel"):
    key: str
    size: int | str = 0
    e_tag: str = ""
    version_id: str | None = None


class _Bucket(msgspec.Struct, frozen=True):
    name: str


class _S3(msgspec.Struct, frozen=True):
    bucket: _Bucket
    object: _Object


class _Record(msgspec.Struct, frozen=True, rename="camel"):
    event_name: str
    s3: _S3
    event_source: str = ""


def read(records: list[object], buckets: Buckets) -> Iterator[ObjectCreated | Remark]:
    """What each record says; one that is wrong does not spoil the others."""
    for record in records:
        yield _read(record, buckets)


def _read(found: object, buckets: Buckets) -> ObjectCreated | Remark:
    try:
        record = msgspec.convert(found, ready(_Record))
    except msgspec.ValidationError as error:
        return Remark(f"a record that is none: {error}", wrong=True)
    name = record.event_name.removeprefix("s3:")
    if name not in CREATING:
        return Remark(f"{shown(name)} makes no object")
    key = record.s3.object.key
    if not record.event_source.startswith(_PLAIN_KEYS):
        try:
            key = decoded(key)
        except UnicodeDecodeError:
            return Remark(f"the key {shown(key)} is no UTF-8", wrong=True)
    return created(
        Item(
            bucket=record.s3.bucket.name,
            key=key,
            etag=record.s3.object.e_tag,
            version=record.s3.object.version_id,
            size_bytes=record.s3.object.size,
        ),
        buckets,
    )


def decoded(key: str) -> str:
    """A URL-encoded key as it is: `+` is a space, `%2B` a plus. Raises UnicodeDecodeError."""
    raw = key.replace("+", " ").encode()
    return _ESCAPE.sub(lambda found: binascii.unhexlify(found[1]), raw).decode()
