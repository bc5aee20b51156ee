"""What is wrong in a profile that somebody wrote: everything at once, field by field.

`catalogue.parse` stops at the first wrong field, with the words of its library; whoever writes a
profile wants to see all of them.
"""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import msgspec
from msgspec import inspect

from eventing.typed import ready
from functions.jobs.profile import Profile, contradictions

MOST: Final = 50
_SHOWN_CHARS: Final = 60


@dataclass(frozen=True, slots=True)
class Flaw:
    """`field` is a path like `video.ladder[2].height`, "" for the whole; `problem` completes the
    sentence that begins with it."""

    field: str
    problem: str


def of_toml(text: str) -> tuple[Mapping[str, Any] | None, list[Flaw]]:
    """The fields in a profile file's text, None where it is no TOML, and what is wrong."""
    try:
        fields = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        return None, [Flaw("", f"is no TOML: {error}")]
    return fields, of_profile(fields)


def of_profile(fields: Mapping[str, Any]) -> list[Flaw]:
    """At most `MOST` flaws; none means that `catalogue.parse` takes it."""
    found = list(_struct("", fields, _TYPE))
    if not found:
        found = [Flaw(*each) for each in contradictions(msgspec.convert(fields, ready(Profile)))]
    return found[:MOST]


def _struct(path: str, value: object, kind: inspect.StructType) -> Iterator[Flaw]:
    if not isinstance(value, dict):
        yield Flaw(path, f"has to be a table, not {_what(value)}")
        return
    known = {field.name: field for field in kind.fields}
    for name in value:
        if name not in known:
            close = difflib.get_close_matches(str(name), known, 1)
            meant = f"; is `{close[0]}` meant?" if close else f"; there are {', '.join(known)}"
            yield Flaw(_at(path, name), f"is not known{meant}")
    for name, field in known.items():
        if name in value:
            yield from _value(_at(path, name), value[name], field.type)
        elif field.required:
            yield Flaw(_at(path, name), "is missing")


def _value(path: str, value: object, kind: inspect.Type) -> Iterator[Flaw]:
    match kind:
        case inspect.StructType():
            yield from _struct(path, value, kind)
        case inspect.VarTupleType():
            yield from _list(path, value, kind)
        case inspect.IntType() | inspect.FloatType():
            if not _is_within(value, kind):
                what = "a whole number" if isinstance(kind, inspect.IntType) else "a number"
                bounds = f"from {kind.ge} to {kind.le}"
                yield Flaw(path, f"has to be {what} {bounds}, not {_what(value)}")
        case inspect.StrType():
            if not isinstance(value, str):
                yield Flaw(path, f"has to be a text, not {_what(value)}")
            elif kind.pattern and not re.fullmatch(kind.pattern.strip("^$"), value):
                yield Flaw(path, f"has to be {_in_words(kind.pattern)}, not {_what(value)}")
        case inspect.UnionType():
            # Something or nothing; TOML has no word for nothing, so it is simply left out.
            (some,) = (each for each in kind.types if not isinstance(each, inspect.NoneType))
            if value is not None:
                yield from _value(path, value, some)
        case _:
            raise NotImplementedError(f"no words for {kind}")


def _is_within(value: object, kind: inspect.IntType | inspect.FloatType) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    if isinstance(kind, inspect.IntType) and not isinstance(value, int):
        return False
    assert kind.ge is not None and kind.le is not None
    return kind.ge <= value <= kind.le  # False for what is no number (NaN)


def _list(path: str, value: object, kind: inspect.VarTupleType) -> Iterator[Flaw]:
    if not isinstance(value, list):
        yield Flaw(path, f"has to be a list, not {_what(value)}")
        return
    if not (kind.min_length or 0) <= len(value) <= (kind.max_length or len(value)):
        yield Flaw(path, f"has to hold {kind.min_length} to {kind.max_length}, not {len(value)}")
    for number, item in enumerate(value[:MOST]):
        yield from _value(f"{path}[{number}]", item, kind.item_type)


def _in_words(pattern: str) -> str:
    """`^(a|b)$`: one of a, b."""
    words = pattern.removeprefix("^").removesuffix("$").strip("()")
    if re.fullmatch(r"\w+(\|\w+)*", words):
        return "one of " + ", ".join(words.split("|"))
    return "of lower-case letters, digits and hyphens, at most 63"


def _what(value: object) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case None:
            return "null"
        case str():
            shown = value[:_SHOWN_CHARS].encode("utf-8", "replace").decode()
            return f"`{shown}{'…' if len(value) > _SHOWN_CHARS else ''}`"
        case int() if abs(value) > 10**18:
            return "so large a number"  # that writing it out may be refused
        case int() | float():
            return str(value)[:_SHOWN_CHARS]
        case dict():
            return "a table"
        case list():
            return "a list"
    return "that"  # TOML has dates


def _at(path: str, name: object) -> str:
    shown = str(name)[:_SHOWN_CHARS].encode("utf-8", "replace").decode()
    return f"{path}.{shown}" if path else shown


def _type() -> inspect.StructType:
    kind = inspect.type_info(Profile)
    assert isinstance(kind, inspect.StructType)
    return kind


_TYPE: Final = _type()
