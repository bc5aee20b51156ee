"""CloudEvents 1.0.2 over HTTP: bytes to events and back. Pure, and strict in what it takes.

Reasons name the clause that is broken: CE = the core specification, HTTP = its HTTP protocol
binding, JSON = its JSON event format, all 1.0.2.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final, Literal

from eventing import binary, structured
from eventing.attributes import ATTRIBUTES_LIMIT_BYTES, check
from eventing.cloudevent import CloudEvent
from eventing.message import Malformed, Message, refuse
from eventing.structured import JSON, STRUCTURED, is_json

__all__ = [
    "ATTRIBUTES_LIMIT_BYTES",
    "BODY_LIMIT_BYTES",
    "JSON",
    "STRUCTURED",
    "Headers",
    "Malformed",
    "Message",
    "Mode",
    "check",
    "decode",
    "encode",
    "is_json",
]

BODY_LIMIT_BYTES: Final = 64 * 1024
"""CE "Size Limits": every intermediary forwards this much, and no more need be taken."""

_FAMILY: Final = "application/cloudevents"
_BATCH: Final = "application/cloudevents-batch"

Headers = Mapping[str, str] | Iterable[tuple[str, str]]
Mode = Literal["binary", "structured"]


def decode(headers: Headers, body: bytes) -> CloudEvent:
    """The one event of a message, in binary or structured mode. Raises Malformed.

    `headers` are latin-1 text, as pairs where a name may repeat. Attributes come out as canonical
    strings (CE "Type System"); `data` is byte for byte what was sent, in structured mode the
    text of the JSON value.
    """
    if len(body) > BODY_LIMIT_BYTES:
        raise Malformed(413, f"the body is larger than {BODY_LIMIT_BYTES} bytes")
    pairs = headers.items() if isinstance(headers, Mapping) else headers
    content_type = None
    attributes: dict[str, str] = {}
    for raw_name, value in pairs:
        name = raw_name.lower()
        if name == "content-type":
            if content_type is not None:
                refuse("HTTP 3.1.1: more than one Content-Type header")
            content_type = value.strip(" \t")
        elif name.startswith("ce-"):
            if name[3:] in attributes:
                refuse("HTTP 3.1.3: an attribute's header appears twice")
            attributes[name[3:]] = value
    family = (content_type or "").lower()
    if family.startswith(_BATCH):
        raise Malformed(415, "HTTP 3.3: batches of events are not taken, send one at a time")
    if family.startswith(_FAMILY):
        return structured.decode(family, body)
    return binary.decode(content_type, attributes, body)


def encode(event: CloudEvent, *, mode: Mode = "binary") -> Message:
    """The event as a message. Raises Malformed if it breaks a rule of the specification.

    An event whose data is itself an event travels structured whatever `mode` says: as binary it
    would be taken for the one inside.
    """
    check(event)
    nested = (event.datacontenttype or "").lower().startswith(_FAMILY)
    if mode == "structured" or nested:
        return structured.encode(event)
    return binary.encode(event)
