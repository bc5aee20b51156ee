"""Why a job ends without streams: stable codes, and the sentence a person gets.

A code never changes its meaning. docs/refusals.md is generated from this table.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from eventing.errors import Rejected


@dataclass(frozen=True, slots=True)
class Refusal:
    """`what` may hold `{names}` that `refuse` fills; `advice` is what to do about it."""

    code: str
    what: str
    advice: str


NO_ACCELERATOR: Final = "accelerator"
"""The one code that ends no job: what a GPU does not do, the CPU does."""

REFUSALS: Final[tuple[Refusal, ...]] = (
    # Found on admission, from the name, the options and the first bytes.
    Refusal("source_empty", "The file is empty.", "Upload it again; it has no bytes."),
    Refusal(
        "source_too_large",
        "The file is {size} and the limit is {limit}.",
        "Split it, or raise KINORA_MAX_SOURCE_BYTES.",
    ),
    Refusal(
        "source_gone",
        "The file was removed or replaced before it was read.",
        "Upload it again; a new version is a new job.",
    ),
    Refusal(
        "tenant_unknown",
        "The key `{key}` does not start with a tenant's name.",
        "Put the file under <tenant>/…, in lower-case letters, digits and hyphens.",
    ),
    Refusal(
        "name_invalid",
        "The key `{key}` cannot be used.",
        "Rename the file: no part of its path may be empty, `.` or `..`.",
    ),
    Refusal(
        "options_invalid",
        "The options in {where} are wrong: {problem}.",
        "Correct the field that is named and drop the file again.",
    ),
    Refusal("profile_unknown", "There is no profile called `{profile}`.", "Use one of: {known}."),
    Refusal(
        "source_not_media",
        "This is not a video or audio file that is read here: {found}.",
        "Upload a file in one of the supported containers: {supported}.",
    ),
    Refusal(
        "source_is_playlist",
        "This is a playlist or a list of other files, not a video.",
        "Upload the video itself; files that point to other files are never followed.",
    ),
    # Found by the index, before any decode.
    Refusal(
        "source_unreadable",
        "The file's structure cannot be read: {problem}.",
        "Export or copy it again; it seems damaged or cut off.",
    ),
    Refusal("source_truncated", "The file is cut off: {problem}.", "Upload it again in full."),
    Refusal(
        "index_missing",
        "The file is {size} and has no index; without one it may be up to {limit}.",
        "Copy it into an MP4 or Matroska file, without a new encode, or raise "
        "KINORA_MAX_WHOLE_BYTES.",
    ),
    Refusal("source_encrypted", "The file is encrypted.", "Upload it without protection (DRM)."),
    Refusal(
        "no_streams",
        "The file has neither pictures nor sound that could be encoded.",
        "Check that it plays in a video player.",
    ),
    Refusal(
        "codec_unsupported",
        "The {kind} codec `{codec}` is not one that is decoded here.",
        "Convert it to one of: {supported}.",
    ),
    Refusal(
        "picture_too_large",
        "The picture is {width}x{height} and the limit is {limit} pixels.",
        "Scale it down, or raise KINORA_MAX_PIXELS.",
    ),
    Refusal(
        "too_many_streams",
        "The file has {count} streams and the limit is {limit}.",
        "Remove the streams that are not needed.",
    ),
    Refusal(
        "too_long",
        "The file would be {frames} frames and the limit is {limit}.",
        "Cut it into parts.",
    ),
    # Found only by decoding.
    Refusal(
        "decode_failed",
        "The {kind} could not be decoded: {problem}.",
        "Check that the file plays to its end in a video player; export it again.",
    ),
    Refusal(
        "frames_missing",
        "{found} of {planned} frames could be decoded.",
        "The file is damaged or cut off; export or upload it again.",
    ),
    Refusal(
        "output_invalid",
        "The encoder's output broke a rule: {problem}.",
        "This is a defect here; please report it with the job's report.",
    ),
    Refusal(
        "resource_limit",
        "The encode used more than it may: {problem}.",
        "Use a smaller source or a lighter profile, or raise the limit.",
    ),
    Refusal(
        "encoder_crashed",
        "The decoder crashed on this file {count} times.",
        "The file is damaged or malicious; export it again from its origin.",
    ),
    Refusal(
        NO_ACCELERATOR,
        "The GPU did not do it: {problem}.",
        "Look after the worker's node; the job goes on without it.",
    ),
    Refusal(
        "deadline",
        "No result within {deadline}.",
        "Look at the job's events for what stood still, and try again as a new job.",
    ),
    Refusal("cancelled", "Cancelled by request.", "Submit the file again if you want it."),
)

_BY_CODE: Final = {refusal.code: refusal for refusal in REFUSALS}


def refuse(code: str, **facts: object) -> Rejected:
    """The error to raise. Raises KeyError for a code or a fact that the table does not know."""
    refusal = _BY_CODE[code]
    return Rejected(code, f"{refusal.what.format(**facts)} {refusal.advice.format(**facts)}")


def in_units(size_bytes: int) -> str:
    """`1.5 GiB`: for people."""
    unit = max(0, min(4, (size_bytes.bit_length() - 1) // 10))
    return f"{size_bytes / 1024**unit:.4g} {('bytes', 'KiB', 'MiB', 'GiB', 'TiB')[unit]}"
