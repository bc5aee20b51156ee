"""A CloudEvent as a value: what travels, before anybody asks what it means.

CloudEvents 1.0.2, section 3: context attributes are strings here (their canonical string
encoding), `data` is bytes. Nothing in this file knows HTTP or JSON.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Final

SPECVERSION: Final = "1.0"


@dataclass(frozen=True, slots=True, kw_only=True)
class CloudEvent:
    """One event. `source` and `id` together name it: the same pair again is the same event."""

    specversion: str = SPECVERSION
    id: str
    source: str
    type: str
    subject: str | None = None
    time: str | None = None
    """RFC 3339, or None where the sender gave none."""
    datacontenttype: str | None = None
    dataschema: str | None = None
    extensions: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    """Extension attributes by name (lower-case letters and digits), as strings."""
    data: bytes | None = None

    def with_extensions(self, **extensions: str) -> CloudEvent:
        """The same event with these extension attributes added or replaced."""
        return replace(self, extensions={**self.extensions, **extensions})


CONTEXT: Final = tuple(
    field.name for field in fields(CloudEvent) if field.name not in ("extensions", "data")
)
"""Names of the context attributes that the specification itself defines."""


def timestamp(posix_s: float) -> str:
    """RFC 3339 in UTC, to the millisecond: how `time` is written here."""
    text = datetime.fromtimestamp(posix_s, UTC).isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z")
