"""Plans without running: what a job would be, before anybody pays for it."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter
from pydantic import BaseModel, Field

from eventing.errors import Unavailable
from functions.gateway.access.caller import JobWriter
from functions.gateway.edge.problem import Problem, responses
from functions.gateway.jobs import forecast
from functions.gateway.jobs.options import JobOptions
from functions.gateway.jobs.source import NamedSource, source_of
from functions.gateway.world import TheWorld
from functions.jobs.manifest import Manifest
from functions.jobs.plan import Plan as Drawn

router = APIRouter(tags=["plans"])


class PossibleJob(NamedSource):
    """What a job would be made of."""

    options: JobOptions = JobOptions()
    encoders: Annotated[
        int | None,
        Field(ge=1, le=1000, description="That work at the same time. Default: as many as do."),
    ] = None


class Picture(BaseModel):
    name: str
    width: int
    height: int
    maxrate_kbps: int


class Sound(BaseModel):
    name: str
    language: str
    channels: int
    bitrate_kbps: int


class Plan(BaseModel):
    source: Annotated[str, Field(description="Address of the object.")]
    size_bytes: Annotated[int, Field(description="Of the source.")]
    profile: str
    kind: Annotated[
        Literal["encode", "prepare"],
        Field(
            description="`prepare`: the source does not say where its pictures lie. It is copied "
            "into a form that does, first; the plan follows from that, so here are only the "
            "costs of the copy."
        ),
    ]
    format: Annotated[str, Field(description="Of the source, in ffmpeg's words.")]
    rate: Annotated[str | None, Field(description="Pictures a second, as `30000/1001`.")]
    frames: Annotated[int | None, Field(description="Of the output.")]
    duration_s: float
    video: list[Picture]
    audio: list[Sound]
    chunks: int
    tasks: int
    encoders: Annotated[int, Field(description="What `wall_s` counts with.")]
    cpu_s: Annotated[float, Field(description="An estimate.")]
    wall_s: Annotated[float, Field(description="An estimate, with so many encoders to itself.")]
    bytes_at_most: Annotated[int, Field(description="Of all outputs, by what the ladder allows.")]
    notes: Annotated[
        list[str],
        Field(description="What is odd in the source, and why a GPU that was asked for is none."),
    ]


@router.post(
    "/plans",
    summary="Plan a job without running it",
    responses=responses("not-found", "conflict", "refused"),
)
def plan_job(asked: PossibleJob, world: TheWorld, caller: JobWriter) -> Plan:
    """What a job of this source would be: chunks, CPU time, bytes. Nothing is encoded."""
    source = source_of(world, caller.tenant, asked)
    options, profile = world.acceptance.judge(
        source, asked=asked.options.model_dump(exclude_unset=True)
    )
    manifest = Manifest(
        job="",
        tenant=caller.tenant,
        source=source,
        options=options,
        profile=profile,
        accepted_s=world.clock(),
    )
    encoders = asked.encoders or world.settings.encoders
    try:
        gpu_encoders = world.settings.gpu_encoders
        drawn = world.previews.plan(manifest, encoders=encoders, gpu_encoders=gpu_encoders)
    except Unavailable as error:
        raise Problem(
            "unavailable",
            f"The source cannot be looked at here now: {error.reason}. A job can be made of it.",
            headers={"retry-after": str(error.retry_after_s)},
        ) from None
    return _view(manifest, drawn, encoders, gpu_encoders)


def _view(manifest: Manifest, drawn: Drawn, encoders: int, gpu_encoders: int) -> Plan:
    told = forecast.of(drawn, encoders=encoders, gpu_encoders=gpu_encoders)
    line = drawn.timeline
    return Plan(
        source=manifest.source.address,
        size_bytes=manifest.source.size_bytes,
        profile=manifest.options.profile,
        kind=drawn.kind,
        format=drawn.format,
        rate=str(line.rate) if line else None,
        frames=line.frames if line else None,
        duration_s=told.duration_s,
        video=[
            Picture(
                name=rung.name,
                width=rung.width,
                height=rung.height,
                maxrate_kbps=rung.maxrate_bps // 1000,
            )
            for rung in drawn.video
        ],
        audio=[
            Sound(
                name=track.name,
                language=track.language,
                channels=track.channels,
                bitrate_kbps=track.bitrate_bps // 1000,
            )
            for track in drawn.audio
        ],
        chunks=told.chunks,
        tasks=told.tasks,
        encoders=encoders,
        cpu_s=told.cpu_s,
        wall_s=told.wall_s,
        bytes_at_most=told.bytes_at_most,
        notes=list(drawn.notes),
    )
