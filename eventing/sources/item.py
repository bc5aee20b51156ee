"""An object as a notification names it, and the event that it becomes: the same for all dialects.

`buckets` are those that sources are dropped in, by the names that the storage has for them. All
others, our own outputs among them, are of no interest.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import msgspec

from eventing.contract import ObjectCreated
from eventing.sources.remark import Remark, shown
from eventing.typed import ready

Buckets = Mapping[str, str]
"""What a bucket is called in keys and events, by what the storage calls it."""

_NO_VERSION: Final = "null"
"""How S3 names the version of an object that was written without versioning."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """An object, with every value as the storage wrote it but for the key, which is decoded."""

    bucket: str
    key: str
    etag: str
    version: str | None = None
    size_bytes: int | str = 0
    """Some write digits in quotes."""


def created(item: Item, buckets: Buckets) -> ObjectCreated | Remark:
    """The event, or why there is none."""
    name = buckets.get(item.bucket)
    if name is None:
        return Remark(f"nothing is dropped in the bucket {shown(item.bucket)}")
    if not item.key or item.key.endswith("/"):
        return Remark(f"{shown(item.key)} is a folder")
    etag = item.etag.removeprefix('"').removesuffix('"')
    if not etag:
        # Ceph announces an upload in parts that begins like an object that is there.
        return Remark(f"{shown(item.key)} has no etag, so it may not be there yet")
    fields = {
        "bucket": name,
        "key": item.key,
        "etag": etag,
        "version": "" if item.version in (None, _NO_VERSION) else item.version,
        "size_bytes": item.size_bytes,
    }
    if any(not text.isprintable() for text in (etag, item.version or "")):
        return Remark(f"the etag or the version of {shown(item.key)} is none", wrong=True)
    try:
        return msgspec.convert(fields, ready(ObjectCreated), strict=False)
    except msgspec.ValidationError as error:
        return Remark(f"{shown(item.key)} makes no event: {error}", wrong=True)
