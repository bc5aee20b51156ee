"""An event as somebody types it: a CloudEvent in JSON, or only its type and data."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from knative.cli.complaint import Complaint

if TYPE_CHECKING:
    from eventing.cloudevent import CloudEvent


def parse(text: bytes, *, where: str, time: str) -> CloudEvent:
    """The event in `text`. Without `specversion` the envelope is made from `type` and `data`.

    Raises Complaint that says what is wrong with it.
    """
    from eventing import codec

    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        raise Complaint(f"{where} is not JSON. Write the event as a JSON object.") from None
    if not isinstance(value, dict):
        raise Complaint(f"{where} is not a JSON object. Write one event as a JSON object.")
    if "specversion" not in value:
        return _from_payload(value, where=where, time=time)
    try:
        return codec.decode({"content-type": "application/cloudevents+json"}, text)
    except codec.Malformed as error:
        raise Complaint(f"{where} is not a CloudEvent: {error.reason}. Correct it.") from None


def _from_payload(value: dict[str, object], *, where: str, time: str) -> CloudEvent:
    import msgspec

    from eventing.cloudevent import CloudEvent
    from eventing.contract import TICK, digest
    from eventing.envelope import TYPES, wrap

    if unknown := sorted(value.keys() - {"type", "data"}):
        raise Complaint(
            f"{where} has a field `{unknown[0]}`. Write a whole CloudEvent (with `specversion`), "
            "or `type` and `data` alone."
        )
    name = value.get("type")
    if name == TICK:
        return CloudEvent(id=digest("tick", time), source="/cli", type=TICK, time=time)
    if not isinstance(name, str) or name not in TYPES:
        raise Complaint(
            f"{where} has no `type` of the contract. Use one of: {', '.join(sorted(TYPES))}."
        )
    try:
        payload = msgspec.convert(value.get("data", {}), TYPES[name])
    except ValueError as error:
        raise Complaint(f"{where}: `data` is wrong: {error}. Correct it.") from None
    return wrap(payload, producer="cli", time=time)


def as_json(event: CloudEvent) -> dict[str, object]:
    """The event in CloudEvents' JSON format, with its data as JSON where it is JSON."""
    from eventing import codec

    message = codec.encode(event, mode="structured")
    shown: dict[str, object] = json.loads(message.body)
    return shown
