"""JSON Schemas: one for the data of each event, one for profiles."""

from __future__ import annotations

import inspect
import json
from typing import Any, Final

import msgspec

from eventing.contract import EVENTS
from functions.jobs.profile import Profile
from infra.derived.docstrings import attribute_docstrings

DRAFT: Final = "https://json-schema.org/draft/2020-12/schema"
PATTERN: Final = "eventing/schemas/*.json"


def files() -> dict[str, str]:
    texts = {
        f"eventing/schemas/{type_}.json": _text(schema) for type_, schema in event_schemas().items()
    }
    texts["functions/profiles/profile.schema.json"] = _text(
        {"$schema": DRAFT, **msgspec.json.schema(Profile)}
    )
    return texts


def event_schemas() -> dict[str, dict[str, Any]]:
    """By CloudEvents type: the schema of the event's data."""
    _, components = msgspec.json.schema_components(EVENTS)
    schemas = {}
    for event in EVENTS:
        schema = components[event.__name__]
        documented = attribute_docstrings(event)
        for name, field in schema["properties"].items():
            if name in documented:
                field["description"] = documented[name]
        schemas[event.type] = {"$schema": DRAFT, "$id": f"urn:kinora:{event.type}", **schema}
    return schemas


def _text(schema: dict[str, Any]) -> str:
    return json.dumps(_dedented(schema), indent=2) + "\n"


def _dedented(schema: Any) -> Any:
    """Descriptions without the indentation of the source, which newer Pythons strip themselves."""
    if isinstance(schema, dict):
        return {
            name: inspect.cleandoc(value)
            if name == "description" and isinstance(value, str)
            else _dedented(value)
            for name, value in schema.items()
        }
    return [_dedented(each) for each in schema] if isinstance(schema, list) else schema
