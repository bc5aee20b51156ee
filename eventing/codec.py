"""CloudEvents 1.0.2 over HTTP: bytes to events and back. Pure, and strict in what it takes.

Clauses: CE = the core specification, HTTP = its HTTP protocol binding, JSON = its JSON event
format, all 1.0.2. The SDK writes binary messages; it does not read them here, because it neither
percent-decodes nor refuses what the clauses forbid.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, Literal, NoReturn

import msgspec
from cloudevents.sdk.event import v1

from eventing import grammar
from eventing.cloudevent import CONTEXT, SPECVERSION, CloudEvent

BODY_LIMIT_BYTES: Final = 64 * 1024
"""CE "Size Limits": every intermediary forwards this much, and no more need be taken."""
ATTRIBUTES_LIMIT_BYTES: Final = 16 * 1024
"""Names and values of all attributes together."""

STRUCTURED: Final = "application/cloudevents+json"
JSON: Final = "application/json"
_FAMILY: Final = "application/cloudevents"
_BATCH: Final = "application/cloudevents-batch"

Headers = Mapping[str, str] | Iterable[tuple[str, str]]
Mode = Literal["binary", "structured"]


class Malformed(ValueError):
    """Not an event that can be taken. `reason` is one line and quotes nothing of the message.

    `status` is 400, 413 or 415: none of the codes that a broker redelivers on.
    """

    def __init__(self, status: Literal[400, 413, 415], reason: str) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Message:
    """The headers (lower-case names) and the body of an HTTP request or response."""

    headers: dict[str, str]
    body: bytes


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
                _refuse("HTTP 3.1.1: more than one Content-Type header")
            content_type = value.strip(" \t")
        elif name.startswith("ce-"):
            if name[3:] in attributes:
                _refuse("HTTP 3.1.3: an attribute's header appears twice")
            attributes[name[3:]] = value
    family = (content_type or "").lower()
    if family.startswith(_BATCH):
        raise Malformed(415, "HTTP 3.3: batches of events are not taken, send one at a time")
    if family.startswith(_FAMILY):
        return _decode_structured(family, body)
    return _decode_binary(content_type, attributes, body)


def encode(event: CloudEvent, *, mode: Mode = "binary") -> Message:
    """The event as a message. Raises Malformed if it breaks a rule of the specification.

    An event whose data is itself an event travels structured whatever `mode` says: as binary it
    would be taken for the one inside.
    """
    check(event)
    nested = (event.datacontenttype or "").lower().startswith(_FAMILY)
    if mode == "structured" or nested:
        return _encode_structured(event)
    return _encode_binary(event)


def check(event: CloudEvent) -> None:
    """Raises Malformed naming the first rule of CE "Context Attributes" that `event` breaks."""
    size = 0
    for name, value in _attributes(event):
        if not _NAME.fullmatch(name):
            _refuse("CE naming conventions: an attribute's name has other characters than a-z, 0-9")
        if name == "data":
            _refuse("CE naming conventions: no attribute may be named data")
        size += len(name) + len(value)
        if not (value.isascii() and value.isprintable()):
            if grammar.FORBIDDEN.search(value):
                _refuse(f"CE type system: {_label(name)} has a character that strings may not have")
            size += len(value.encode()) - len(value)
    if size > ATTRIBUTES_LIMIT_BYTES:
        raise Malformed(413, f"the attributes are larger than {ATTRIBUTES_LIMIT_BYTES} bytes")
    if event.specversion != SPECVERSION:
        _refuse("CE specversion: only version 1.0 is taken")
    for name, value in (("id", event.id), ("source", event.source), ("type", event.type)):
        if not value:
            _refuse(f"CE {name}: must not be empty")
    if not grammar.is_uri_reference(event.source):
        _refuse("CE source: is no URI-reference")
    if event.subject == "":
        _refuse("CE subject: must not be empty")
    if event.dataschema is not None and not grammar.is_absolute_uri(event.dataschema):
        _refuse("CE dataschema: is no absolute URI")
    if event.time is not None and not grammar.is_timestamp(event.time):
        _refuse("CE time: is no RFC 3339 timestamp")
    if event.datacontenttype is not None and not grammar.is_media_type(event.datacontenttype):
        _refuse("CE datacontenttype: is no RFC 2046 media type")


# HTTP 3.1, binary content mode.


def _decode_binary(content_type: str | None, encoded: Mapping[str, str], body: bytes) -> CloudEvent:
    if "datacontenttype" in encoded:
        _refuse("HTTP 3.1.1: there must be no ce-datacontenttype header")
    if not encoded:
        _refuse("HTTP 3: neither a CloudEvents content type nor ce- headers")
    attributes = {name: _percent_decode(name, value) for name, value in encoded.items()}
    if content_type is not None:
        attributes["datacontenttype"] = content_type
    return _build(attributes, body or None)


def _encode_binary(event: CloudEvent) -> Message:
    envelope = v1.Event()  # type: ignore[no-untyped-call]
    extensions: dict[str, str] = {}
    for name, value in _attributes(event):
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
        _refuse(f"HTTP 3.1.3.2: the header of {_label(name)} has characters outside ASCII's print")
    if value.startswith('"'):
        if not grammar.QUOTED_STRING.fullmatch(value):
            _refuse(f"HTTP 3.1.3.2: the quoted string of {_label(name)} does not end as it should")
        value = re.sub(r"\\(.)", r"\1", value[1:-1])
    elif '"' in value:
        _refuse(f"HTTP 3.1.3.2: {_label(name)} has a double quote that is not percent-encoded")
    if "%" not in value:
        return value
    if _BROKEN_ESCAPE.search(value):
        _refuse(f"HTTP 3.1.3.2: {_label(name)} has a percent sign without two hex digits")
    raw = re.sub(rb"%(..)", lambda found: binascii.unhexlify(found[1]), value.encode("ascii"))
    try:
        return raw.decode()
    except UnicodeDecodeError:
        _refuse(f"HTTP 3.1.3.2: {_label(name)} is no UTF-8 once percent-decoded")


# HTTP 3.2, structured content mode, with the JSON event format.


_MEMBERS: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])


class _Number(str):
    """A JSON number as it was written."""


class _Object(list[tuple[str, object]]):
    """A JSON object's members as they were written."""


def _decode_structured(family: str, body: bytes) -> CloudEvent:
    media_type, _, parameters = family.partition(";")
    if media_type.strip() != STRUCTURED:
        raise Malformed(415, "HTTP 1.4: of the event formats only JSON is taken")
    if _charset(parameters) not in ("", "utf-8"):
        raise Malformed(415, "HTTP 3.2.1: structured events are UTF-8")
    try:
        parsed = json.loads(
            body.decode(),
            object_pairs_hook=_Object,
            parse_int=_Number,
            parse_float=_Number,
            parse_constant=_no_constant,
        )
    except (ValueError, RecursionError):
        _refuse("JSON 3: the body is no JSON text")
    if not isinstance(parsed, _Object):
        _refuse("JSON 3: the body is no JSON object")
    members = dict(parsed)
    if len(members) != len(parsed):
        _refuse("JSON 3: a member appears twice")
    attributes = {
        name: _canonical(name, value)
        for name, value in members.items()
        if name not in ("data", "data_base64") and value is not None
    }
    return _build(attributes, _structured_data(members, attributes, body))


def _structured_data(
    members: Mapping[str, object], attributes: dict[str, str], body: bytes
) -> bytes | None:
    """JSON 3.1.2. Notes the content type that a `data` member without one implies."""
    encoded = members.get("data_base64")
    if encoded is not None:
        if "data" in members:
            _refuse("JSON 3.1.1: data and data_base64 exclude each other")
        if not isinstance(encoded, str) or isinstance(encoded, _Number):
            _refuse("JSON 3.1.1: data_base64 is no string")
        try:
            return base64.b64decode(encoded.encode("ascii"), validate=True)
        except ValueError:
            _refuse("JSON 3.1.1: data_base64 is no Base64")
    if "data" not in members:
        return None
    content_type = attributes.setdefault("datacontenttype", JSON)
    if is_json(content_type):
        return bytes(_MEMBERS.decode(body)["data"])
    text = members["data"]
    if not isinstance(text, str) or isinstance(text, _Number):
        _refuse("JSON 3.1.2: data is neither declared as JSON nor a string")
    if _charset(content_type.partition(";")[2]) not in ("", "utf-8", "us-ascii"):
        raise Malformed(415, "JSON 3.1.2: text in data is UTF-8, other text goes in data_base64")
    try:
        return text.encode()
    except UnicodeEncodeError:
        _refuse("JSON 3.1.2: data has half of a surrogate pair")


def _encode_structured(event: CloudEvent) -> Message:
    members = {name: msgspec.Raw(msgspec.json.encode(text)) for name, text in _attributes(event)}
    if event.data is not None:
        if _is_json_data(event):
            members["data"] = msgspec.Raw(event.data)
        else:
            members["data_base64"] = msgspec.Raw(b'"' + base64.b64encode(event.data) + b'"')
    return Message({"content-type": STRUCTURED}, msgspec.json.encode(members))


def _is_json_data(event: CloudEvent) -> bool:
    if event.data is None or event.datacontenttype is None or not is_json(event.datacontenttype):
        return False
    try:
        json.loads(event.data.decode(), parse_constant=_no_constant, parse_int=_Number)
    except (ValueError, RecursionError):
        return False
    return True


def _no_constant(_: str) -> NoReturn:
    raise ValueError("NaN and Infinity are not JSON")


def _canonical(name: str, value: object) -> str:
    """The canonical string of an attribute (CE "Type System", JSON 2.2)."""
    match value:
        case bool():
            if name in CONTEXT:
                _refuse(f"JSON 2.2: {name} is no string")
            return "true" if value else "false"
        case _Number():
            if name in CONTEXT:
                _refuse(f"JSON 2.2: {name} is no string")
            if not _INTEGER.fullmatch(value) or not -(2**31) <= int(value) < 2**31:
                _refuse("JSON 2.2: an attribute's number is no integer of 32 bits")
            return str(int(value))
        case str():
            return value
        case _:
            _refuse(f"JSON 2.2: {_label(name)} is an array or an object")


def is_json(content_type: str) -> bool:
    """Whether a media type declares JSON (JSON 3.1.1): `*/json` or `*/*+json`."""
    subtype = content_type.partition(";")[0].strip().lower().partition("/")[2]
    return subtype == "json" or subtype.endswith("+json")


def _charset(parameters: str) -> str:
    for parameter in parameters.lower().split(";"):
        name, _, value = parameter.partition("=")
        if name.strip() == "charset":
            return value.strip().strip('"')
    return ""


# CE, context attributes and type system.

_REQUIRED: Final = ("specversion", "id", "source", "type")

_NAME: Final = re.compile(r"[a-z0-9]+")
_PRINTABLE: Final = re.compile(r"[\t\x20-\x7e]*")
_BROKEN_ESCAPE: Final = re.compile(r"%(?![0-9A-Fa-f]{2})")
_INTEGER: Final = re.compile(r"-?[0-9]{1,10}")


def _build(attributes: dict[str, str], data: bytes | None) -> CloudEvent:
    for name in _REQUIRED:
        if name not in attributes:
            _refuse(f"CE required attributes: {name} is missing")
    context = {name: attributes.pop(name, None) for name in CONTEXT}
    event = CloudEvent(
        specversion=context["specversion"] or "",
        id=context["id"] or "",
        source=context["source"] or "",
        type=context["type"] or "",
        subject=context["subject"],
        time=context["time"],
        datacontenttype=context["datacontenttype"],
        dataschema=context["dataschema"],
        extensions=attributes,
        data=data,
    )
    check(event)
    return event


def _attributes(event: CloudEvent) -> Iterable[tuple[str, str]]:
    for name in CONTEXT:
        value = getattr(event, name)
        if value is not None:
            yield name, value
    for name, value in event.extensions.items():
        if name in CONTEXT:
            _refuse("CE extension attributes: one has the name of a context attribute")
        yield name, value


def _label(name: str) -> str:
    """What a reason may call an attribute: only names from the specification are repeated."""
    return name if name in CONTEXT else "an extension attribute"


def _refuse(reason: str) -> NoReturn:
    raise Malformed(400, reason)
