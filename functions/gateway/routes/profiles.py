"""Profiles: list, show, validate."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

import msgspec
from fastapi import APIRouter, Path
from pydantic import BaseModel, Field

from functions.gateway.access.caller import ProfileReader
from functions.gateway.edge.problem import Problem, responses
from functions.gateway.payload import Alternative
from functions.gateway.world import TheWorld
from functions.jobs import flaws, profile

router = APIRouter(tags=["profiles"])


class Rung(BaseModel):
    height: Annotated[int, Field(description="Short side in pixels.")]
    maxrate_kbps: int
    bufsize_kbps: int


class VideoProfile(BaseModel):
    codec: str
    preset: str
    crf: float
    ladder: list[Rung]


class AudioProfile(BaseModel):
    codec: str
    bitrate_kbps: int
    channels: int
    sample_rate: int


class Profile(BaseModel):
    """See docs/settings.md."""

    name: str
    description: str
    segment_s: int
    chunk_s: int
    video: VideoProfile
    audio: AudioProfile


class Profiles(BaseModel):
    profiles: list[Profile]


class Draft(Alternative):
    """A profile of one's own."""

    ALTERNATIVES: ClassVar[tuple[str, ...]] = ("toml", "profile")

    toml: Annotated[str, Field(description="The text of a profile file.")] = ""
    profile: Annotated[
        dict[str, Any], Field(default_factory=dict, description="The same fields as JSON.")
    ]


class Flaw(BaseModel):
    field: Annotated[str, Field(description="As `video.ladder[2].height`; empty for the whole.")]
    problem: Annotated[str, Field(description="Completes the sentence that the field begins.")]


class Judgement(BaseModel):
    valid: bool
    name: Annotated[str | None, Field(description="Of a valid profile.")]
    errors: Annotated[list[Flaw], Field(description="Everything that is wrong.")]


@router.get("/profiles", summary="List profiles")
def list_profiles(world: TheWorld, caller: ProfileReader) -> Profiles:
    """The profiles that jobs may ask for."""
    found = sorted(world.acceptance.profiles.values(), key=lambda each: each.name)
    return Profiles(profiles=[_view(each) for each in found])


@router.get("/profiles/{name}", summary="Get a profile", responses=responses("not-found"))
def get_profile(
    name: Annotated[str, Path(max_length=63, description="A profile's name.")],
    world: TheWorld,
    caller: ProfileReader,
) -> Profile:
    """One profile."""
    found = world.acceptance.profiles.get(name)
    if found is None:
        raise Problem("not-found", "There is no such profile. GET /api/v1/profiles lists them.")
    return _view(found)


@router.post("/profiles/validate", summary="Check a profile")
def validate_profile(asked: Draft, caller: ProfileReader) -> Judgement:
    """Whether a profile of one's own is right; it is not kept."""
    if asked.given == "toml":
        fields, found = flaws.of_toml(asked.toml)
    else:
        fields, found = asked.profile, flaws.of_profile(asked.profile)
    name = fields.get("name") if fields and not found else None
    return Judgement(
        valid=not found,
        name=name if isinstance(name, str) else None,
        errors=[Flaw(field=each.field, problem=each.problem) for each in found],
    )


def _view(found: profile.Profile) -> Profile:
    return Profile.model_validate(msgspec.to_builtins(found))
