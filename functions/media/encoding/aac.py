"""AAC as the encoder writes it: frames of a fixed length, the first of them priming.

A track is one frame of priming, which its edit list skips, then the planned samples, the last
frame filled up.
"""

from __future__ import annotations

from typing import Final

from functions.media.encoding.rendition import AudioRendition

FRAME_SAMPLES: Final = 1024
"""Of a frame, and of the priming (ISO/IEC 14496-3, 4.5.1.1)."""


def frames(rendition: AudioRendition) -> int:
    """Of the whole track, priming included."""
    return -(-(FRAME_SAMPLES + rendition.samples) // FRAME_SAMPLES)


def segment_frames(rendition: AudioRendition) -> int:
    """Of every segment but the last: at most the rendition's `segment_s` long."""
    return max(1, rendition.segment_s * rendition.sample_rate // FRAME_SAMPLES)
