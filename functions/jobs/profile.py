"""Profiles and options: what a job may be asked to do, as validated data.

Unknown fields are refused: a mistyped option must not be silently ignored.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Final, Literal

from msgspec import Meta, Struct

from functions.media.encoding.accelerator import CPU, Accelerator

LANGUAGE: Final = "^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$"
"""A language tag as BCP 47 and ISO 639 write them."""


class Rung(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One step of the ladder: a box of 16:9, turned for a portrait, that pictures fit into."""

    height: Annotated[int, Meta(ge=64, le=4320)]
    """Short side of the box in pixels; steps larger than the source are left out."""
    maxrate_kbps: Annotated[int, Meta(ge=50, le=200_000)]
    """The highest bit rate, in 1000 bits a second, averaged over the buffer."""
    bufsize_kbps: Annotated[int, Meta(ge=50, le=400_000)]
    """The decoder's buffer, in 1000 bits: at least half a second at `maxrate_kbps`."""


class VideoProfile(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How pictures are encoded, in every rung alike."""

    codec: Annotated[str, Meta(pattern="^h264$")] = "h264"
    """Only H.264 so far."""
    preset: Annotated[
        str,
        Meta(pattern="^(ultrafast|superfast|veryfast|faster|fast|medium|slow|slower|veryslow)$"),
    ] = "medium"
    """x264's word for speed against size; on a GPU the step that stands for it."""
    crf: Annotated[float, Meta(ge=0, le=51)] = 23
    """Constant rate factor: lower looks better and is larger."""
    accelerator: Accelerator = CPU
    """What encodes: `cpu`, or `gpu` where one is there; else the CPU does, and the report says
    why."""
    ladder: Annotated[tuple[Rung, ...], Meta(min_length=1, max_length=12)]
    """The rungs, in any order; no height twice."""


class AudioProfile(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How every sound track is encoded."""

    codec: Annotated[str, Meta(pattern="^aac$")] = "aac"
    """Only AAC (low complexity) so far."""
    bitrate_kbps: Annotated[int, Meta(ge=16, le=512)] = 128
    """Of all channels together, in 1000 bits a second; of a source with fewer, its share."""
    channels: Annotated[int, Meta(ge=1, le=2)] = 2
    """At most so many, of what everybody can play; never more than the source has. More channels
    of the source are mixed down."""
    surround_kbps: Annotated[int, Meta(ge=128, le=1024)] | None = None
    """Of a second rendition in 5.1, for each track that has as many channels; None: none."""
    sample_rate: Annotated[int, Meta(ge=8000, le=48000)] = 48000
    """Samples a second."""


class Profile(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A named ladder and settings; frozen into the job when it is accepted."""

    name: Annotated[str, Meta(pattern="^[a-z0-9][a-z0-9-]{0,62}$")]
    """That of its file, without `.toml`."""
    description: str = ""
    """One line for people."""
    segment_s: Annotated[int, Meta(ge=1, le=10)] = 4
    """Seconds of a segment of pictures, rounded to whole frames."""
    chunk_s: Annotated[int, Meta(ge=1, le=60)] = 60
    """Seconds of the longest chunk; the planner makes them shorter where that ends sooner."""
    video: VideoProfile
    """Table `[video]`."""
    audio: AudioProfile = AudioProfile()
    """Table `[audio]`."""


def contradictions(profile: Profile) -> Iterator[tuple[str, str]]:
    """What no single field shows to be wrong: a path, and how the sentence goes on after it."""
    seen: dict[int, int] = {}
    for number, rung in enumerate(profile.video.ladder):
        at = f"video.ladder[{number}]"
        if rung.height in seen:
            yield f"{at}.height", f"is that of video.ladder[{seen[rung.height]}] too"
        seen.setdefault(rung.height, number)
        least_kbps = rung.maxrate_kbps // 2
        if rung.bufsize_kbps < least_kbps:
            yield (
                f"{at}.bufsize_kbps",
                f"is less than half a second at its maxrate_kbps: {least_kbps} or more",
            )


class Options(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What whoever brings a file may ask for, by metadata `kinora-…` or a sidecar `<name>.json`."""

    profile: Annotated[str, Meta(pattern="^[a-z0-9][a-z0-9-]{0,62}$")] = "default"
    """The profile's name."""
    chunk_segments: Annotated[int, Meta(ge=1, le=1000)] | None = None
    """Force every chunk to this many segments; None lets the planner decide."""
    accelerator: Accelerator | None = None
    """What encodes the pictures, `cpu` or `gpu`; None leaves it to the profile."""
    frame_rate: Literal["constant", "variable"] = "constant"
    """`variable`: each frame at the source's own time, where that has no constant rate."""
    audio_languages: tuple[Annotated[str, Meta(pattern=LANGUAGE)], ...] = ()
    """Only sound tracks in these languages; none named: every track."""
    progressive: bool = False
    """Also one MP4 of the largest rung with the first sound, that plays while it loads."""
    deadline_s: Annotated[int, Meta(ge=60, le=7 * 86400)] = 86400
    """Seconds after which the job fails if it has no other verdict."""
    priority: Annotated[int, Meta(ge=-9, le=9)] = 0
    """Before other jobs of the same tenant (higher) or after them (lower)."""
    public: bool = False
    """Anybody who knows the job's id may play it, without a signed link."""
