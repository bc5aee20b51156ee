"""S3 notifications as CloudEvents in structured mode (CloudEvents, "AWS S3 Adapter").

In binary mode, which Ceph uses, the body is the same as without CloudEvents and is read as such:
Ceph does not percent-encode its headers, so that no strict reader takes them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from eventing import codec
from eventing.sources.remark import Remark

TYPE: Final = "com.amazonaws."
"""What the types of the adapter begin with, whichever storage it is."""


def is_structured(headers: codec.Headers) -> bool:
    """True for a message whose body is a whole CloudEvent."""
    pairs = headers.items() if isinstance(headers, Mapping) else headers
    return any(
        name.lower() == "content-type" and value.strip().lower().startswith(codec.STRUCTURED)
        for name, value in pairs
    )


def read(headers: codec.Headers, body: bytes) -> bytes | Remark:
    """The data of the event: a record, or an object with records."""
    try:
        event = codec.decode(headers, body)
    except codec.Malformed as error:
        return Remark(f"no CloudEvent: {error.reason}", wrong=True)
    if not event.type.startswith(TYPE):
        return Remark("a CloudEvent that is none of S3")
    return event.data or b""
