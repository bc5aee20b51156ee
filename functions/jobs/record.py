"""Records as JSON: frozen dataclasses and structs, fractions as `30000/1001`.

A record is written once and never changed, so its bytes are compared by the whole.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any, TypeVar

import msgspec

from eventing.typed import ready

T = TypeVar("T")


def _encode(value: object) -> str:
    if isinstance(value, Fraction):
        return f"{value.numerator}/{value.denominator}"
    raise NotImplementedError(f"no JSON for {type(value).__name__}")


def _decode(kind: type, value: Any) -> Any:
    if kind is Fraction:
        return Fraction(value)
    raise NotImplementedError(f"no {kind.__name__} from JSON")


def dump(record: object) -> bytes:
    """The record as JSON, keys in the order of its fields, one line, ended by a newline."""
    return msgspec.json.encode(record, enc_hook=_encode) + b"\n"


def load(data: bytes, kind: type[T]) -> T:
    """The record in `data`. Raises ValueError with the path of the field that is wrong."""
    return msgspec.json.decode(data, type=ready(kind), dec_hook=_decode)
