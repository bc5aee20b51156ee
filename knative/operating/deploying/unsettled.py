"""Functions of an overlay that would start without knowing where anything is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

_NEEDED: Final = frozenset({"K_SINK", "KINORA_STORE", "KINORA_STATE"})
"""Empty in `knative/base`; the component `settings` copies kinora-settings into them."""


def unsettled(objects: Sequence[Mapping[str, Any]]) -> dict[str, list[str]]:
    """Variables that are there and empty, by `<kind>/<name>` of who has them."""
    found = {
        f"{each['kind']}/{each['metadata']['name']}": sorted({*_empty(each.get("spec"))})
        for each in objects
    }
    return {name: variables for name, variables in found.items() if variables}


def _empty(value: Any) -> Iterator[str]:
    if isinstance(value, list):
        for each in value:
            yield from _empty(each)
    elif isinstance(value, dict):
        if value.get("value") == "" and value.get("name") in _NEEDED:
            yield str(value["name"])
        for inner in value.values():
            yield from _empty(inner)
