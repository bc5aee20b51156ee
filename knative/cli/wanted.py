"""What a job may be asked for on the command line, wherever a file is handed in."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

import typer

from functions.media.encoding.accelerator import Accelerator

Rate = Literal["constant", "variable"]

CONSTANT: Final[Rate] = "constant"

ChunkSegments = Annotated[
    int | None,
    typer.Option("--chunk-segments", min=1, max=1000, help="Segments in every chunk."),
]
Chosen = Annotated[
    Accelerator | None,
    typer.Option("--accelerator", help="What encodes the pictures (default: the profile's)."),
]
FrameRate = Annotated[
    Rate,
    typer.Option(
        "--frame-rate",
        help="variable: each frame at the source's own time, where that has no constant rate.",
    ),
]
AudioLanguages = Annotated[
    list[str] | None,
    typer.Option(
        "--audio-language",
        metavar="TAG",
        help="Only sound tracks in this language; may be given several times (default: all).",
    ),
]
Progressive = Annotated[
    bool,
    typer.Option(
        "--progressive", help="Also one MP4 of the largest rung, that plays while it loads."
    ),
]


def options(
    *,
    profile: str,
    chunk_segments: int | None,
    accelerator: Accelerator | None,
    frame_rate: Rate,
    audio_languages: list[str] | None,
    progressive: bool,
) -> dict[str, Any]:
    """What differs from the defaults, as a sidecar says it. Raises Complaint for what is none, and
    for a profile that there is not."""
    from eventing.errors import Rejected
    from functions.jobs.options import parse
    from knative.cli import profile_choice
    from knative.cli.complaint import Complaint

    if profile != "default":
        profile_choice.check(profile)
    chosen = {
        "profile": profile if profile != "default" else None,
        "chunk_segments": chunk_segments,
        "accelerator": accelerator,
        "frame_rate": frame_rate if frame_rate != CONSTANT else None,
        "audio_languages": audio_languages or None,
        "progressive": progressive or None,
    }
    found = {name: value for name, value in chosen.items() if value is not None}
    for tag in audio_languages or ():
        try:
            parse({}, None, sidecar_name="", asked={"audio_languages": [tag]})
        except Rejected as rejected:
            raise Complaint(
                f"`{tag}` is not the tag of a language. Use one like `de`, `deu` or `pt-BR`.",
                code=rejected.code,
            ) from None
    try:
        parse({}, None, sidecar_name="", asked=found)
    except Rejected as rejected:
        raise Complaint(rejected.reason, code=rejected.code) from None
    return found
