"""Profiles and options: what a job may be asked to do, as validated data.

Unknown fields are refused: a mistyped option must not be silently ignored.
"""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct


class Rung(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One step of the ladder; `height` is the short side of the picture."""

    height: Annotated[int, Meta(ge=64, le=4320)]
    maxrate_kbps: Annotated[int, Meta(ge=50, le=200_000)]
    bufsize_kbps: Annotated[int, Meta(ge=50, le=400_000)]


class VideoProfile(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    codec: Annotated[str, Meta(pattern="^h264$")] = "h264"
    preset: Annotated[
        str,
        Meta(pattern="^(ultrafast|superfast|veryfast|faster|fast|medium|slow|slower|veryslow)$"),
    ] = "medium"
    crf: Annotated[float, Meta(ge=0, le=51)] = 23
    ladder: Annotated[tuple[Rung, ...], Meta(min_length=1, max_length=12)]


class AudioProfile(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    codec: Annotated[str, Meta(pattern="^aac$")] = "aac"
    bitrate_kbps: Annotated[int, Meta(ge=16, le=512)] = 128
    channels: Annotated[int, Meta(ge=1, le=2)] = 2
    sample_rate: Annotated[int, Meta(ge=8000, le=48000)] = 48000


class Profile(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A named ladder and settings; frozen into the job when it is accepted."""

    name: Annotated[str, Meta(pattern="^[a-z0-9][a-z0-9-]{0,62}$")]
    description: str = ""
    segment_s: Annotated[int, Meta(ge=1, le=10)] = 4
    chunk_s: Annotated[int, Meta(ge=1, le=60)] = 60
    """The longest chunk; the planner makes them shorter where that ends sooner."""
    video: VideoProfile
    audio: AudioProfile = AudioProfile()


class Options(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What whoever brings a file may ask for, by metadata `kinora-…` or a sidecar `<name>.json`."""

    profile: Annotated[str, Meta(pattern="^[a-z0-9][a-z0-9-]{0,62}$")] = "default"
    chunk_segments: Annotated[int, Meta(ge=1, le=1000)] | None = None
    """Force every chunk to this many segments; None lets the planner decide."""
    deadline_s: Annotated[int, Meta(ge=60, le=7 * 86400)] = 86400
    """The job fails if it has no other verdict this long after it was accepted."""
