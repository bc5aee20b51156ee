"""Structured content mode: the body is the whole event, in the JSON event format.

HTTP = CloudEvents' HTTP protocol binding, section 3.2; JSON = its JSON event format; both 1.0.2.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping
from typing import Final, NoReturn

import msgspec

from eventing.attributes import attributes_of, build, label
from eventing.cloudevent import CONTEXT, CloudEvent
from eventing.message import Malformed, Message, refuse

STRUCTURED: Final = "application/cloudevents+json"
JSON: Final = "application/json"

_INTEGER: Final = re.compile(r"-?[0-9]{1,10}")
_MEMBERS: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])


class _Number(str):
    """A JSON number as it was written."""


class _Object(list[tuple[str, object]]):
    """A JSON object's members as they were written."""


def decode(family: str, body: bytes) -> CloudEvent:
    """The event in `body`; `family` is the content type in lower case. Raises Malformed."""
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
        refuse("JSON 3: the body is no JSON text")
    if not isinstance(parsed, _Object):
        refuse("JSON 3: the body is no JSON object")
    members = dict(parsed)
    if len(members) != len(parsed):
        refuse("JSON 3: a member appears twice")
    attributes = {
        name: _canonical(name, value)
        for name, value in members.items()
        if name not in ("data", "data_base64") and value is not None
    }
    return build(attributes, _structured_data(members, attributes, body))


def _structured_data(
    members: Mapping[str, object], attributes: dict[str, str], body: bytes
) -> bytes | None:
    """JSON 3.1.2. Notes the content type that a `data` member without one implies."""
    encoded = members.get("data_base64")
    if encoded is not None:
        if "data" in members:
            refuse("JSON 3.1.1: data and data_base64 exclude each other")
        if not isinstance(encoded, str) or isinstance(encoded, _Number):
            refuse("JSON 3.1.1: data_base64 is no string")
        try:
            return base64.b64decode(encoded.encode("ascii"), validate=True)
        except ValueError:
            refuse("JSON 3.1.1: data_base64 is no Base64")
    if "data" not in members:
        return None
    content_type = attributes.setdefault("datacontenttype", JSON)
    if is_json(content_type):
        return bytes(_MEMBERS.decode(body)["data"])
    text = members["data"]
    if not isinstance(text, str) or isinstance(text, _Number):
        refuse("JSON 3.1.2: data is neither declared as JSON nor a string")
    if _charset(content_type.partition(";")[2]) not in ("", "utf-8", "us-ascii"):
        raise Malformed(415, "JSON 3.1.2: text in data is UTF-8, other text goes in data_base64")
    try:
        return text.encode()
    except UnicodeEncodeError:
        refuse("JSON 3.1.2: data has half of a surrogate pair")


def encode(event: CloudEvent) -> Message:
    """A checked event as a message."""
    members = {name: msgspec.Raw(msgspec.json.encode(text)) for name, text in attributes_of(event)}
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
                refuse(f"JSON 2.2: {name} is no string")
            return "true" if value else "false"
        case _Number():
            if name in CONTEXT:
                refuse(f"JSON 2.2: {name} is no string")
            if not _INTEGER.fullmatch(value) or not -(2**31) <= int(value) < 2**31:
                refuse("JSON 2.2: an attribute's number is no integer of 32 bits")
            return str(int(value))
        case str():
            return value
        case _:
            refuse(f"JSON 2.2: {label(name)} is an array or an object")


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
