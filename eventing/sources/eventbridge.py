"""What Amazon EventBridge sends of S3: "EventBridge event message structure" in its user guide.

Keys are not URL-encoded here, and `reason` says how the object was made.
"""

from __future__ import annotations

from typing import Final

import msgspec

from eventing.contract import ObjectCreated
from eventing.sources.item import Buckets, Item, created
from eventing.sources.remark import Remark, shown
from eventing.typed import ready

MARK: Final = "detail-type"
"""A member that no other dialect has."""
_CREATED: Final = "Object Created"
_REASONS: Final = frozenset({"", "PutObject", "POST Object", "CopyObject"}) | {
    "CompleteMultipartUpload"
}


class _Object(msgspec.Struct, frozen=True, rename="kebab"):
    key: str
    size: int | str = 0
    etag: str = ""
    version_id: str | None = None


class _Bucket(msgspec.Struct, frozen=True):
    name: str


class _Detail(msgspec.Struct, frozen=True):
    bucket: _Bucket
    object: _Object
    reason: str = ""


def read(document: dict[str, object], buckets: Buckets) -> ObjectCreated | Remark:
    """What one event says."""
    if document[MARK] != _CREATED:
        return Remark(f"{shown(str(document[MARK]))} makes no object")
    try:
        detail = msgspec.convert(document.get("detail"), ready(_Detail))
    except msgspec.ValidationError as error:
        return Remark(f"an event of EventBridge that is none: {error}", wrong=True)
    if detail.reason not in _REASONS:
        return Remark(f"{shown(detail.reason)} makes no object")
    return created(
        Item(
            bucket=detail.bucket.name,
            key=detail.object.key,
            etag=detail.object.etag,
            version=detail.object.version_id,
            size_bytes=detail.object.size,
        ),
        buckets,
    )
