"""What whoever brought a file asks for: object metadata and sidecar, as validated options."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from eventing.typed import ready
from functions.jobs.profile import Options
from functions.jobs.refusal import refuse

METADATA_PREFIX: Final = "kinora-"
SIDECAR_LIMIT_BYTES: Final = 64 * 1024

_METADATA: Final = "the object's metadata"
_LISTS: Final = frozenset({"audio_languages"})
"""Fields that metadata spells with commas."""


def parse(
    metadata: Mapping[str, str],
    sidecar: bytes | None,
    *,
    sidecar_name: str,
    asked: Mapping[str, Any] | None = None,
) -> Options:
    """The options of all three; where several name a field, what was `asked` by a request counts
    first, then the metadata.

    Metadata `kinora-chunk-segments: 4` is the field `chunk_segments`, `kinora-audio-languages:
    en,de` is a list; other metadata is not ours.
    Raises Rejected (`options_invalid`) naming the place and the field.
    """
    fields: dict[str, Any] = {}
    if sidecar is not None:
        if len(sidecar) > SIDECAR_LIMIT_BYTES:
            raise refuse(
                "options_invalid",
                where=sidecar_name,
                problem=f"it is larger than {SIDECAR_LIMIT_BYTES // 1024} KiB",
            )
        fields |= _validated(sidecar_name, _decoded(sidecar_name, sidecar), strict=True)
    given: dict[str, Any] = {
        name.removeprefix(METADATA_PREFIX).replace("-", "_"): value
        for name, value in metadata.items()
        if name.startswith(METADATA_PREFIX)
    }
    for name in _LISTS & given.keys():
        given[name] = [each.strip() for each in given[name].split(",") if each.strip()]
    fields |= _validated(_METADATA, given, strict=False)
    fields |= _validated("the request", dict(asked or {}), strict=True)
    return msgspec.convert(fields, ready(Options))


def _decoded(where: str, sidecar: bytes) -> dict[str, Any]:
    try:
        return msgspec.json.decode(sidecar.removeprefix(b"\xef\xbb\xbf"), type=dict[str, Any])
    except msgspec.ValidationError:
        raise refuse("options_invalid", where=where, problem="it is no JSON object") from None
    except (ValueError, RecursionError):
        raise refuse("options_invalid", where=where, problem="it is no JSON") from None


def _validated(where: str, fields: dict[str, Any], *, strict: bool) -> dict[str, Any]:
    """The fields that were given, with their types right: metadata spells numbers as text."""
    try:
        options = msgspec.convert(fields, ready(Options), strict=strict)
    except msgspec.ValidationError as error:
        problem = str(error).replace(" - at `$.", " in `").replace("Object contains", "there is an")
        raise refuse("options_invalid", where=where, problem=problem) from None
    return {name: getattr(options, name) for name in fields}
