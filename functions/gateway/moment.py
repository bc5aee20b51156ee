"""A moment as requests and answers spell it: RFC 3339, and nothing that only looks like a number
of seconds."""

from __future__ import annotations

import re
from typing import Annotated, Final

from pydantic import AwareDatetime, BeforeValidator, Field, Strict

_RFC_3339: Final = re.compile(
    r"\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:\d{2}(\.\d{1,9})?([Zz]|[+-]\d{2}:\d{2})", re.ASCII
)


def _spelled(value: object) -> object:
    if not isinstance(value, str) or not _RFC_3339.fullmatch(value):
        raise ValueError("a time is spelled like 2026-01-31T12:00:00Z")
    return value


Moment = Annotated[AwareDatetime, BeforeValidator(_spelled), Strict(False)]
"""A field or parameter of this type; a datetime with its zone."""
Timestamp = Annotated[str, Field(json_schema_extra={"format": "date-time"})]
"""A field of an answer; in UTC, to the millisecond (`eventing.cloudevent.timestamp`)."""
