"""What ffmpeg is told where a GPU encodes, and to find out whether one does.

NVENC obeys the laws that x264 obeys here: closed groups of one segment, an instantaneous refresh
at each segment's start and nowhere else, no picture out of order, one parameter set a rendition.
It is not as obedient in rate control: with a target quality ffmpeg hands it the highest rate and
drops the buffer (libavcodec/nvenc.c), so a window may hold more than the ladder's `bufsize`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from functions.media.cutting.timeline import Timeline
from functions.media.encoding.rendition import VideoRendition

ENCODER: Final = "h264_nvenc"
COMPLAINT: Final = f"[{ENCODER} @"
"""What each line begins with that is the encoder's own, its driver's and its device's complaint."""

PRESETS: Final = {
    "ultrafast": "p1",
    "superfast": "p2",
    "veryfast": "p3",
    "faster": "p4",
    "fast": "p4",
    "medium": "p5",
    "slow": "p6",
    "slower": "p7",
    "veryslow": "p7",
}
"""NVENC's word for the same place between speed and size, by x264's."""
LEAST_CQ: Final = 1.0
"""0 would let the encoder choose."""

_PROBE_SIDE: Final = 256
"""In pixels: above what any generation of the hardware needs at least."""
_PROBE_FRAMES: Final = 5


def options(rendition: VideoRendition, timeline: Timeline) -> Iterator[str]:
    """The encoder's options of one output, up to the times of its packets."""
    yield from ("-c:v", ENCODER, "-preset", PRESETS.get(rendition.preset, "p5"), "-tune", "hq")
    # x264's constant quality and NVENC's target quality count in the same steps.
    yield from ("-rc", "vbr", "-cq", f"{max(LEAST_CQ, rendition.crf):g}", "-b:v", "0")
    yield from ("-maxrate", str(rendition.maxrate_bps), "-bufsize", str(rendition.bufsize_bits))
    yield from ("-profile:v", "high")
    group = timeline.segment_frames
    yield from ("-g", str(group), "-strict_gop", "1", "-no-scenecut", "1", "-forced-idr", "1")
    if not timeline.variable:
        # Counted from the chunk's first picture, which starts a segment.
        yield from ("-force_key_frames", f"expr:not(mod(n,{group}))")
    # No B-pictures: decoding order is presentation order, whatever the generation of the hardware.
    yield from ("-bf", "0", "-flags:v", "+cgop+bitexact")


def probe(ffmpeg: str) -> tuple[str, ...]:
    """A tiny encode that ends well only where a GPU, its driver and ffmpeg work together."""
    picture = f"color=size={_PROBE_SIDE}x{_PROBE_SIDE}:rate=25"
    return (
        *(ffmpeg, "-nostdin", "-hide_banner", "-v", "error"),
        *("-f", "lavfi", "-i", picture, "-frames:v", str(_PROBE_FRAMES)),
        *("-c:v", ENCODER, "-pix_fmt", "yuv420p", "-f", "null", "-"),
    )
