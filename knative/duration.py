"""Durations as manifests write them: ISO 8601 in `spec.delivery`, Go's own elsewhere."""

from __future__ import annotations

import re
from typing import Final

_NUMBER: Final = r"\d+(?:[.,]\d+)?"
_DURATION: Final = re.compile(
    rf"P(?:(?P<w>{_NUMBER})W)?(?:(?P<d>{_NUMBER})D)?"
    rf"(?:T(?=\d)(?:(?P<h>{_NUMBER})H)?(?:(?P<m>{_NUMBER})M)?(?:(?P<s>{_NUMBER})S)?)?"
)
_UNIT_S: Final = {"w": 604_800, "d": 86_400, "h": 3_600, "m": 60, "s": 1}

_GO_PART: Final = re.compile(r"(\d+(?:\.\d+)?)(ms|h|m|s)")
_GO_UNIT_MS: Final = {"h": 3_600_000, "m": 60_000, "s": 1_000, "ms": 1}


def seconds(text: str) -> float:
    """The length of `text` ("PT0.5S", "PT11M", "P1DT2H") in seconds.

    Raises ValueError for anything else; years and months have no fixed length and are refused.
    """
    found = _DURATION.fullmatch(text)
    given = found and {unit: value for unit, value in found.groupdict().items() if value}
    if not given:
        raise ValueError(f"{text!r} is no ISO 8601 duration of weeks to seconds, like PT0.5S")
    return sum(float(value.replace(",", ".")) * _UNIT_S[unit] for unit, value in given.items())


def go_milliseconds(text: str) -> int:
    """The length of `text` ("60s", "1h30m", "0") in milliseconds. Raises ValueError."""
    parts = _GO_PART.findall(text)
    if text != "0" and (not parts or "".join(number + unit for number, unit in parts) != text):
        raise ValueError(f"{text!r} is no duration like 90s or 1h30m")
    return round(sum(float(number) * _GO_UNIT_MS[unit] for number, unit in parts))
