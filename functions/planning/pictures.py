"""The renditions of pictures, and what is done to a source's pictures on the way there."""

from __future__ import annotations

from dataclasses import replace
from typing import Final, Literal

from functions.jobs.profile import Profile
from functions.media.encoding import ladder
from functions.media.encoding.accelerator import Accelerator
from functions.media.encoding.rendition import VideoRendition
from functions.media.source.probe import VideoStream

HD_LINES: Final = 720
"""From here on pictures that name no colours are taken for those of HD television (BT.709)."""


def rungs(
    profile: Profile, video: VideoStream, accelerator: Accelerator
) -> tuple[VideoRendition, ...]:
    steps = [
        ladder.Step(
            short_side=rung.height // 2 * 2,
            maxrate_bps=rung.maxrate_kbps * 1000,
            bufsize_bits=rung.bufsize_kbps * 1000,
        )
        for rung in profile.video.ladder
    ]
    fitting = ladder.rungs(
        steps,
        display_width=video.display_width,
        display_height=video.display_height,
        preset=profile.video.preset,
        crf=profile.video.crf,
    )
    return tuple(replace(rung, accelerator=accelerator) for rung in fitting)


def assumed_color(video: VideoStream) -> Literal["", "bt709", "smpte170m"]:
    """What everybody takes pictures of that size for that say nothing."""
    if video.color_space or video.color_transfer or video.color_primaries:
        return ""
    return "bt709" if min(video.width, video.height) >= HD_LINES else "smpte170m"
