"""Which events a Trigger wants: `spec.filter.attributes` and the dialects of `spec.filters`.

Filters look at context attributes, never at data. Comparison is case-sensitive.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, Protocol

from eventing.cloudevent import CONTEXT, CloudEvent
from knative.field import Field

_NAME: Final = re.compile("[a-z0-9]+")


def attribute(event: CloudEvent, name: str) -> str | None:
    """The context attribute `name`, or None where the event has none."""
    value: str | None = getattr(event, name) if name in CONTEXT else event.extensions.get(name)
    return value


class Filter(Protocol):
    def matches(self, event: CloudEvent) -> bool: ...


@dataclass(frozen=True, slots=True)
class Attributes:
    """`spec.filter.attributes`: each equals its value; "" stands for any non-empty value."""

    attributes: Mapping[str, str]

    def matches(self, event: CloudEvent) -> bool:
        return all(
            actual == wanted if wanted else bool(actual)
            for name, wanted in self.attributes.items()
            for actual in (attribute(event, name),)
        )


@dataclass(frozen=True, slots=True)
class Exact:
    attributes: Mapping[str, str]

    def matches(self, event: CloudEvent) -> bool:
        return all(attribute(event, name) == wanted for name, wanted in self.attributes.items())


@dataclass(frozen=True, slots=True)
class Prefix:
    attributes: Mapping[str, str]

    def matches(self, event: CloudEvent) -> bool:
        return all(
            (attribute(event, name) or "").startswith(wanted)
            for name, wanted in self.attributes.items()
        )


@dataclass(frozen=True, slots=True)
class Suffix:
    attributes: Mapping[str, str]

    def matches(self, event: CloudEvent) -> bool:
        return all(
            (attribute(event, name) or "").endswith(wanted)
            for name, wanted in self.attributes.items()
        )


@dataclass(frozen=True, slots=True)
class All:
    filters: tuple[Filter, ...]

    def matches(self, event: CloudEvent) -> bool:
        return all(filter.matches(event) for filter in self.filters)


@dataclass(frozen=True, slots=True)
class Any:
    filters: tuple[Filter, ...]

    def matches(self, event: CloudEvent) -> bool:
        return any(filter.matches(event) for filter in self.filters)


@dataclass(frozen=True, slots=True)
class Not:
    filter: Filter

    def matches(self, event: CloudEvent) -> bool:
        return not self.filter.matches(event)


EVERYTHING: Final[Filter] = All(())


def parse(spec: Field) -> Filter:
    """The filter of a Trigger's `spec`. A non-empty `filters` overrides `filter`."""
    if spec["filters"].items():
        return All(tuple(_dialect(item) for item in spec["filters"].items()))
    spec["filter"].only("attributes")
    wanted = _attributes(spec["filter"]["attributes"], empty_values=True)
    return Attributes(wanted) if wanted else EVERYTHING


def _dialect(field: Field) -> Filter:
    """One expression: a mapping with exactly one dialect."""
    members = field.members()
    if len(members) != 1:
        raise field.invalid(f"must name exactly one dialect of {', '.join(_DIALECTS)}")
    name, body = members[0]
    if name == "cesql":
        raise body.invalid(
            "CESQL is not supported here: write it with exact, prefix, suffix, all, any and not"
        )
    if name not in _DIALECTS:
        raise body.invalid(f"no such dialect; known: {', '.join(_DIALECTS)}")
    return _DIALECTS[name](body)


def _several(field: Field) -> tuple[Filter, ...]:
    filters = tuple(_dialect(item) for item in field.items())
    if not filters:
        raise field.invalid("must be a list of at least one filter")
    return filters


def _attributes(field: Field, *, empty_values: bool = False) -> Mapping[str, str]:
    """Attribute names with the values wanted of them."""
    for name, value in field.members():
        if not _NAME.fullmatch(name):
            raise value.invalid("an attribute's name has only lower-case letters and digits")
        if not (empty_values and value.value == ""):
            value.text()
    return {name: str(value.value) for name, value in field.members()}


def _some_attributes(field: Field) -> Mapping[str, str]:
    wanted = _attributes(field)
    if not wanted:
        raise field.invalid("must name at least one attribute")
    return wanted


_DIALECTS: Final[Mapping[str, Callable[[Field], Filter]]] = {
    "exact": lambda field: Exact(_some_attributes(field)),
    "prefix": lambda field: Prefix(_some_attributes(field)),
    "suffix": lambda field: Suffix(_some_attributes(field)),
    "all": lambda field: All(_several(field)),
    "any": lambda field: Any(_several(field)),
    "not": lambda field: Not(_dialect(field)),
}
