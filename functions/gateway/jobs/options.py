"""The options of a job, as a request asks for them."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from functions.gateway.payload import Payload
from functions.jobs.profile import LANGUAGE
from functions.media.encoding.accelerator import Accelerator

ProfileName = Annotated[
    str, Field(pattern="^[a-z0-9][a-z0-9-]{0,62}$", description="See `GET /api/v1/profiles`.")
]


class JobOptions(Payload):
    """What counts before the object's metadata and a sidecar beside it."""

    profile: ProfileName = "default"
    chunk_segments: Annotated[
        int | None,
        Field(ge=1, le=1000, description="Force every chunk to this many segments."),
    ] = None
    accelerator: Annotated[
        Accelerator | None,
        Field(description="What encodes the pictures, where it is there. Default: the profile's."),
    ] = None
    frame_rate: Annotated[
        Literal["constant", "variable"],
        Field(
            description="`variable`: each frame at the source's own time, where that has no "
            "constant rate."
        ),
    ] = "constant"
    audio_languages: Annotated[
        tuple[Annotated[str, Field(pattern=LANGUAGE)], ...],
        Field(description="Only sound tracks in these languages. Default: every track."),
    ] = ()
    progressive: Annotated[
        bool,
        Field(
            description="Also one MP4 of the largest rung with the first sound, that plays while "
            "it loads."
        ),
    ] = False
    deadline_s: Annotated[
        int, Field(ge=60, le=7 * 86400, description="Seconds after which the job fails.")
    ] = 86400
    priority: Annotated[
        int, Field(ge=-9, le=9, description="Before the tenant's other jobs (higher) or after.")
    ] = 0
    public: Annotated[bool, Field(description="Anybody who knows the job's id may play it.")] = (
        False
    )
