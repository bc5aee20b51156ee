"""What tus 1.0 says in headers. https://tus.io/protocols/resumable-upload"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from email.utils import formatdate
from typing import Final

from functions.gateway.edge.problem import Problem
from functions.gateway.uploading.reception import Checksum

VERSION: Final = "1.0.0"
EXTENSIONS: Final = (
    "creation",
    "creation-defer-length",
    "creation-with-upload",
    "checksum",
    "expiration",
    "termination",
)
ALGORITHMS: Final = ("sha1", "sha256", "sha512", "md5")
OFFSET_TYPE: Final = "application/offset+octet-stream"
MISMATCH: Final = 460
"""The status of a body that is not what its checksum says; tus made it up."""

_NAMES: Final = ("filename", "name")
_TYPES: Final = ("filetype", "type", "content-type")


def require_version(headers: Mapping[str, str]) -> None:
    """Raises Problem (precondition-failed) for another version of the protocol."""
    if headers.get("tus-resumable") != VERSION:
        raise Problem(
            "precondition-failed",
            f"Send `Tus-Resumable: {VERSION}`.",
            headers={"tus-version": VERSION},
        )


def number(headers: Mapping[str, str], name: str) -> int | None:
    """A header that counts bytes, None where it is missing. Raises Problem (invalid)."""
    text = headers.get(name)
    if text is None:
        return None
    if not (text.isascii() and text.isdigit()) or len(text) > 15:
        raise Problem("invalid", f"`{name}` is a number of bytes.")
    return int(text)


def metadata(text: str) -> dict[str, str]:
    """`filename ZmlsbS5tcDQ=,draft`: pairs of a name and base64, which may be missing.

    Raises Problem (invalid).
    """
    found: dict[str, str] = {}
    for pair in filter(None, (pair.strip() for pair in text.split(","))):
        name, _, encoded = pair.partition(" ")
        try:
            value = base64.b64decode(encoded.strip(), validate=True).decode()
        except ValueError:
            raise Problem(
                "invalid", f"`upload-metadata`: {name[:50]!r} is no base64 of UTF-8 text."
            ) from None
        if name in found:
            raise Problem("invalid", f"`upload-metadata`: {name[:50]!r} is there twice.")
        found[name] = value
    return found


def metadata_text(given: Mapping[str, str]) -> str:
    """The other way."""
    pairs = ((name, base64.b64encode(value.encode()).decode()) for name, value in given.items())
    return ",".join(f"{name} {value}".strip() for name, value in pairs)


def file_name(given: Mapping[str, str]) -> str:
    return next((given[name] for name in _NAMES if given.get(name)), "")


def content_type(given: Mapping[str, str]) -> str:
    """What the client says the file is, "" for nothing that fits a header."""
    found = next((given[name] for name in _TYPES if given.get(name)), "")
    return found if found.isascii() and found.isprintable() and len(found) <= 100 else ""


def options(given: Mapping[str, str]) -> dict[str, str]:
    """What the client asks of the job: `profile`, and any option as `kinora-…`."""
    named = {name: value for name, value in given.items() if name.startswith("kinora-")}
    return {"kinora-profile": given["profile"], **named} if given.get("profile") else named


def checksum(headers: Mapping[str, str]) -> Checksum | None:
    """What the body has to be, None where the client does not say. Raises Problem (invalid)."""
    text = headers.get("upload-checksum")
    if text is None:
        return None
    algorithm, _, encoded = text.partition(" ")
    if algorithm not in ALGORITHMS:
        raise Problem("invalid", f"`upload-checksum` is by one of {', '.join(ALGORITHMS)}.")
    running = hashlib.new(algorithm, usedforsecurity=False)
    try:
        expected = base64.b64decode(encoded, validate=True)
    except ValueError:
        expected = b""
    if len(expected) != running.digest_size:
        raise Problem("invalid", "`upload-checksum` is the algorithm and the base64 of a digest.")
    return Checksum(running, expected)


def date(posix_s: float) -> str:
    """As HTTP writes it (RFC 9110, section 5.6.7)."""
    return formatdate(posix_s, usegmt=True)
