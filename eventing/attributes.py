"""Context attributes: what an event's are called, and what may stand in them.

CloudEvents 1.0.2, sections "Context Attributes" and "Type System". Knows no HTTP and no JSON.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from eventing import grammar
from eventing.cloudevent import CONTEXT, SPECVERSION, CloudEvent
from eventing.message import Malformed, refuse

ATTRIBUTES_LIMIT_BYTES: Final = 16 * 1024
"""Names and values of all attributes together."""

_REQUIRED: Final = ("specversion", "id", "source", "type")
_NAME: Final = re.compile(r"[a-z0-9]+")


def check(event: CloudEvent) -> None:
    """Raises Malformed naming the first rule of CE "Context Attributes" that `event` breaks."""
    size = 0
    for name, value in attributes_of(event):
        if not _NAME.fullmatch(name):
            refuse("CE naming conventions: an attribute's name has other characters than a-z, 0-9")
        if name == "data":
            refuse("CE naming conventions: no attribute may be named data")
        size += len(name) + len(value)
        if not (value.isascii() and value.isprintable()):
            if grammar.FORBIDDEN.search(value):
                refuse(f"CE type system: {label(name)} has a character that strings may not have")
            size += len(value.encode()) - len(value)
    if size > ATTRIBUTES_LIMIT_BYTES:
        raise Malformed(413, f"the attributes are larger than {ATTRIBUTES_LIMIT_BYTES} bytes")
    if event.specversion != SPECVERSION:
        refuse("CE specversion: only version 1.0 is taken")
    for name, value in (("id", event.id), ("source", event.source), ("type", event.type)):
        if not value:
            refuse(f"CE {name}: must not be empty")
    if not grammar.is_uri_reference(event.source):
        refuse("CE source: is no URI-reference")
    if event.subject == "":
        refuse("CE subject: must not be empty")
    if event.dataschema is not None and not grammar.is_absolute_uri(event.dataschema):
        refuse("CE dataschema: is no absolute URI")
    if event.time is not None and not grammar.is_timestamp(event.time):
        refuse("CE time: is no RFC 3339 timestamp")
    if event.datacontenttype is not None and not grammar.is_media_type(event.datacontenttype):
        refuse("CE datacontenttype: is no RFC 2046 media type")


def build(attributes: dict[str, str], data: bytes | None) -> CloudEvent:
    """The event with these attributes by name, extensions among them. Raises Malformed."""
    for name in _REQUIRED:
        if name not in attributes:
            refuse(f"CE required attributes: {name} is missing")
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


def attributes_of(event: CloudEvent) -> Iterable[tuple[str, str]]:
    """Names and values: the specification's own first, in its order. Raises Malformed."""
    for name in CONTEXT:
        value = getattr(event, name)
        if value is not None:
            yield name, value
    for name, value in event.extensions.items():
        if name in CONTEXT:
            refuse("CE extension attributes: one has the name of a context attribute")
        yield name, value


def label(name: str) -> str:
    """What a reason may call an attribute: only names from the specification are repeated."""
    return name if name in CONTEXT else "an extension attribute"
