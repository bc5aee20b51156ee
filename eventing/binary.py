"""Binary content mode: attributes are headers, the body is the data.

HTTP = CloudEvents' HTTP protocol binding 1.0.2, section 3.1. The SDK writes these messages; it
does not read them here, because it neither percent-decodes nor refuses what the clauses forbid.
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Mapping
from typing import Final

from cloudevents.sdk.event import v1

from eventing import grammar
from eventing.attributes import attributes_of, build, label
from eventing.cloudevent import CONTEXT, CloudEvent
from eventing.message import Message, refuse

_PRINTABLE: Final = re.compile(r"[\t\x20-\x7e]*")
_BROKEN_ESCAPE: Final = re.compile(r"%(?![0-9A-Fa-f]{2})")


def decode(content_type: str | None, encoded: Mapping[str, str], body: bytes) -> CloudEvent:
    """The event of a message: `encoded` are its ce- headers without the prefix, each once."""
    if "datacontenttype" in encoded:
        refuse("HTTP 3.1.1: there must be no ce-datacontenttype header")
    if not encoded:
        refuse("HTTP 3: neither a CloudEvents content type nor ce- headers")
    attributes = {name: _percent_decode(name, value) for name, value in encoded.items()}
    if content_type is not None:
        attributes["datacontenttype"] = content_type
    return build(attributes, body or None)


def encode(event: CloudEvent) -> Message:
    """A checked event as a message."""
    envelope = v1.Event()  # type: ignore[no-untyped-call]
    extensions: dict[str, str] = {}
    for name, value in attributes_of(event):
        if name == "datacontenttype":
            envelope.SetContentType(value)
        elif name in CONTEXT:
            envelope.Set(name, _percent_encode(value))
        else:
            extensions[name] = _percent_encode(value)
    envelope.SetExtensions(extensions)
    envelope.SetData(event.data or b"")
    headers, body = envelope.MarshalBinary(_unchanged)
    return Message(headers, body)


def _unchanged(data: bytes) -> bytes:
    return data


_ESCAPED: Final = re.compile(r"[^\x21\x23\x24\x26-\x7e]")
"""HTTP 3.1.3.2: space, double quote, percent and everything outside U+0021 to U+007E."""


def _percent_encode(value: str) -> str:
    return _ESCAPED.sub(lambda found: "".join(f"%{byte:02X}" for byte in found[0].encode()), value)


def _percent_decode(name: str, value: str) -> str:
    value = value.strip(" \t")
    if not _PRINTABLE.fullmatch(value):
        refuse(f"HTTP 3.1.3.2: the header of {label(name)} has characters outside ASCII's print")
    if value.startswith('"'):
        if not grammar.QUOTED_STRING.fullmatch(value):
            refuse(f"HTTP 3.1.3.2: the quoted string of {label(name)} does not end as it should")
        value = re.sub(r"\\(.)", r"\1", value[1:-1])
    elif '"' in value:
        refuse(f"HTTP 3.1.3.2: {label(name)} has a double quote that is not percent-encoded")
    if "%" not in value:
        return value
    if _BROKEN_ESCAPE.search(value):
        refuse(f"HTTP 3.1.3.2: {label(name)} has a percent sign without two hex digits")
    raw = re.sub(rb"%(..)", lambda found: binascii.unhexlify(found[1]), value.encode("ascii"))
    try:
        return raw.decode()
    except UnicodeDecodeError:
        refuse(f"HTTP 3.1.3.2: {label(name)} is no UTF-8 once percent-decoded")
