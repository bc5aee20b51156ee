"""What a task will cost in CPU time: good enough to size tasks that finish together.

Nanoseconds per pixel, measured with ffmpeg 9.0 on one thread of a 2026 cloud core: 132 frames of
720p film took 0.29 s to decode and 0.8, 2.9 and 5.5 s to encode with ultrafast, veryfast and
medium; another film at 640x272 took 50 ns a pixel with medium. The other presets are the ratios
that the encoder's makers give.
"""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from typing import Final

from functions.media.encoding.accelerator import GPU, Accelerator
from functions.media.encoding.rendition import VideoRendition

DECODE_NS: Final = 2.4
SCALE_NS: Final = 0.8
"""A pixel of the source, for each size."""
MEDIUM_NS: Final = 46.0
PRESETS: Final = {
    "ultrafast": 0.15,
    "superfast": 0.3,
    "veryfast": 0.52,
    "faster": 0.7,
    "fast": 0.85,
    "medium": 1.0,
    "slow": 1.6,
    "slower": 3.0,
    "veryslow": 5.5,
}
DECODERS: Final = {"hevc": 2.0, "av1": 2.5, "vp9": 1.5, "prores": 3.0, "mpeg2video": 0.7}
"""Relative to H.264; what is not here counts as 1."""
GPU_NS: Final = 2.0
"""Assumed, not measured: one engine of a data-centre GPU, 240 pictures of 1080p a second with a
middle preset. Decoding and scaling stay on the CPU and take longer than that."""
START_MS: Final = 250.0
"""Of every task: fetching, starting ffmpeg, storing."""
GPU_START_MS: Final = 500.0
"""Besides, of a task on a GPU: its driver starts, and a session is opened."""
AUDIO_MS_PER_S: Final = 25.0
REMUX_MS_PER_MB: Final = 8.0


def decode_ms(codec: str, width: int, height: int) -> float:
    """Of one source frame."""
    return width * height * DECODE_NS * DECODERS.get(codec, 1.0) / 1e6


def encode_ms(rendition: VideoRendition, source_pixels: int) -> float:
    """Of one output frame in one rendition on its accelerator, scaling included."""
    pixels = rendition.width * rendition.height
    if rendition.accelerator == GPU:
        encode_ns = GPU_NS
    else:
        encode_ns = MEDIUM_NS * PRESETS.get(rendition.preset, 1.0)
    return (pixels * encode_ns + source_pixels * SCALE_NS) / 1e6


def start_ms(accelerator: Accelerator) -> float:
    """Of a task, before its first frame and after its last."""
    return START_MS + (GPU_START_MS if accelerator == GPU else 0.0)


def encode_all_ms(renditions: Iterable[VideoRendition], source_pixels: int) -> float:
    """Of one output frame in all these renditions."""
    return sum(encode_ms(rendition, source_pixels) for rendition in renditions)


def audio_ms(duration_s: Fraction) -> float:
    """Of one whole audio track."""
    return START_MS + float(duration_s) * AUDIO_MS_PER_S


def remux_ms(size_bytes: int) -> float:
    return START_MS + size_bytes / 1e6 * REMUX_MS_PER_MB
