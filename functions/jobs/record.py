"""Records as JSON: frozen dataclasses and structs, fractions as `30000/1001`.

A record is written once and never changed, so its bytes are compared by the whole.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any, Final, TypeVar

import msgspec

from eventing.typed import ready
from functions.ports import Absent, ObjectStore

T = TypeVar("T")

JSON: Final = "application/json"


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


def read(store: ObjectStore, key: str, kind: type[T]) -> T | None:
    """The record at `key`, None where there is none. Raises ValueError like `load`."""
    try:
        data = store.get(key)
    except Absent:
        return None
    return load(data, kind)


def create(store: ObjectStore, key: str, record: object) -> bool:
    """Write it once: False where one is there already, which stays."""
    return store.create(key, dump(record), content_type=JSON)


def settle(store: ObjectStore, key: str, ours: T) -> T:
    """Write it once, and return the one that counts: `ours`, or what somebody wrote before."""
    return ours if create(store, key, ours) else load(store.get(key), type(ours))
