"""What strings may be, by the grammars that CloudEvents refers to."""

from __future__ import annotations

import re
from datetime import date
from typing import Final

_NONCHARACTERS: Final = "".join(
    chr(plane * 0x10000 + last) for plane in range(17) for last in (0xFFFE, 0xFFFF)
)
FORBIDDEN: Final = re.compile(f"[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef{_NONCHARACTERS}]")
"""CloudEvents "Type System": what no String holds: controls, surrogates, noncharacters."""

QUOTED_STRING: Final = re.compile(r'"(?:[\t \x21\x23-\x5b\x5d-\x7e]|\\[\t \x21-\x7e])*"')
"""RFC 7230, section 3.2.6, in ASCII."""

_TOKEN: Final = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_MEDIA_TYPE: Final = re.compile(
    rf"{_TOKEN}/{_TOKEN}(?:[ ]*;[ ]*{_TOKEN}=(?:{_TOKEN}|{QUOTED_STRING.pattern}))*"
)
_SCHEME: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
_PCHAR: Final = r"(?:[A-Za-z0-9._~!$&'()*+,;=:@-]|%[0-9A-Fa-f]{2})"
_URI_REFERENCE: Final = re.compile(
    rf"(?:[A-Za-z][A-Za-z0-9+.-]*:|(?![^/?#]*:))"  # a scheme, or no colon before the first slash
    rf"(?://(?:(?:[A-Za-z0-9._~!$&'()*+,;=:-]|%[0-9A-Fa-f]{{2}})*@)?"  # user information
    rf"(?:\[[0-9A-Fa-f:.v]+\]|(?:[A-Za-z0-9._~!$&'()*+,;=-]|%[0-9A-Fa-f]{{2}})*)"  # host
    rf"(?::[0-9]*)?(?=[/?#]|\Z)|(?!//))"
    rf"(?:{_PCHAR}|/)*(?:\?(?:{_PCHAR}|[/?])*)?(?:#(?:{_PCHAR}|[/?])*)?"
)
_TIMESTAMP: Final = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})[Tt]([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.[0-9]+)?"
    r"(?:[Zz]|[+-]([0-9]{2}):([0-9]{2}))"
)


def is_media_type(value: str) -> bool:
    """RFC 2046: type, subtype, parameters."""
    return _MEDIA_TYPE.fullmatch(value) is not None


def is_uri_reference(value: str) -> bool:
    """RFC 3986, section 4.1."""
    return _URI_REFERENCE.fullmatch(value) is not None


def is_absolute_uri(value: str) -> bool:
    """A URI with a scheme. CloudEvents' type URI."""
    return _SCHEME.match(value) is not None and is_uri_reference(value)


def is_timestamp(value: str) -> bool:
    """RFC 3339, section 5.6."""
    found = _TIMESTAMP.fullmatch(value)
    if found is None:
        return False
    year, month, day, hour, minute, second, offset_hour, offset_minute = (
        int(part or 0) for part in found.groups()
    )
    try:
        date(year or 4, month, day)  # the year 0 has the days of the year 4
    except ValueError:
        return False
    # 60 is a leap second; which minutes had one is not ours to know.
    return hour < 24 and minute < 60 and second <= 60 and offset_hour < 24 and offset_minute < 60
