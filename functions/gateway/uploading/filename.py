"""What a file that is uploaded is called in the store: the client's name, as far as it is one."""

from __future__ import annotations

import unicodedata
from typing import Final

from functions.jobs import naming
from functions.jobs.refusal import refuse

MAX_BYTES: Final = 200
"""In UTF-8; the sidecar's name beside it is longer, and folders take 255."""
NAMELESS: Final = "upload"


def safe(name: str) -> str:
    """One segment of a key: no folders, no control characters, not hidden.

    Raises Rejected (`name_invalid`) for the names of what is no source: sidecars, and what
    programs have not finished.
    """
    last = name.replace("\\", "/").rstrip("/").rsplit("/", 1)[-1]
    # Also lone surrogates, which are no text.
    kept = "".join(char for char in last if unicodedata.category(char)[0] != "C")
    kept = unicodedata.normalize("NFC", kept).strip().lstrip(".").strip() or NAMELESS
    stem, dot, suffix = kept.rpartition(".")
    if not dot or len(suffix) > 10:
        stem, suffix = kept, ""
    room_bytes = MAX_BYTES - len(f"{dot}{suffix}".encode() if suffix else b"")
    cut = stem.encode()[:room_bytes].decode(errors="ignore").rstrip()
    kept = f"{cut}.{suffix}" if suffix else cut
    if not naming.is_source(kept):
        raise refuse("name_invalid", key=kept)
    return kept
