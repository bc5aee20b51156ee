"""What must not leave: values of secrets, wherever they turn up and however they are written.

Two nets: the values themselves, as far as they are known, and whatever looks like a secret.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterable, Iterator
from typing import Final
from urllib.parse import quote

REDACTED: Final = "[redacted]"
_SHORTEST: Final = 6
"""Shorter values are words: taking them out would hide what is to be read."""

_SECRET: Final = r"(?:secret|token|password|passwd|master[-_]?key|private[-_]?key|access[-_]?key)"
_LOOKS: Final = (
    # `KINORA_MASTER_KEY=…`, `"secret-key": "…"`, `sourceToken: …`; not `secretName: …`.
    re.compile(
        rf"(?i)({_SECRET}(?!_?name|keyref|_?ref\b)[\w.-]*[\"']?[ \t]*[:=][ \t]*[\"']?)"
        r"([^\s\"',}&\\{\[]{6,})"
    ),
    # A variable of a container, as YAML and JSON have it: the value stands on a line of its own.
    re.compile(rf"(?i)({_SECRET}\w*[\"']?,?\s+[\"']?value[\"']?:[ \t]*[\"']?)([^\s\"']{{6,}})"),
    re.compile(r"(?i)(\b(?:bearer|basic)\s+)([\w.~+/=-]{6,})"),
    re.compile(r"(?i)(X-Amz-(?:Signature|Credential|Security-Token)=)([^&\s\"']+)"),
    re.compile(r"(\b[a-z][a-z0-9+.-]*://[^\s:/@\"']*:)([^\s/@\"']+)(?=@)"),
    # What signs webhooks, and what clients of the gateway show.
    re.compile(r"(\bwhsec_)([\w+/=-]{6,})"),
    re.compile(r"(\bkinora_[a-z0-9-]+_[0-9a-f]{16}_)([\w-]{43})"),
    re.compile(r"(-----BEGIN [A-Z ]*PRIVATE KEY-----)([^-]+)"),
)


class Redactor:
    """Takes known values, and what looks like any, out of texts."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        written = {form for value in secrets for form in _forms(value) if len(form) >= _SHORTEST}
        # The longest first: one value may be a part of another.
        self._known = (
            re.compile("|".join(map(re.escape, sorted(written, key=len, reverse=True))))
            if written
            else None
        )

    def __call__(self, text: str) -> str:
        if self._known is not None:
            text = self._known.sub(REDACTED, text)
        for look in _LOOKS:
            text = look.sub(lambda found: found[1] + REDACTED, text)
        return text


def _forms(value: str) -> Iterator[str]:
    """As programs write it: plain, in JSON, in an address, in base64 at the three offsets."""
    plain = value.strip()
    if len(plain) < _SHORTEST:
        return
    yield plain
    yield json.dumps(plain)[1:-1]
    yield quote(plain, safe="")
    raw = plain.encode()
    yield base64.urlsafe_b64encode(raw).decode().rstrip("=")
    yield base64.b64encode(raw).decode().rstrip("=")
    for shift in (1, 2):
        # Within something longer that was encoded whole, without what its neighbours reach into.
        yield base64.b64encode(b"\0" * shift + raw).decode()[4:-4]
