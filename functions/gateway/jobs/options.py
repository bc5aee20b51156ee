"""The options of a job, as a request asks for them."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from functions.gateway.payload import Payload
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
    deadline_s: Annotated[
        int, Field(ge=60, le=7 * 86400, description="Seconds after which the job fails.")
    ] = 86400
    priority: Annotated[
        int, Field(ge=-9, le=9, description="Before the tenant's other jobs (higher) or after.")
    ] = 0
    public: Annotated[bool, Field(description="Anybody who knows the job's id may play it.")] = (
        False
    )
