"""A mezzanine: what ffmpeg is told to copy, packet by packet, into a container with an index."""

from __future__ import annotations

from typing import Final

from functions.media.encoding import argv as words
from functions.media.source.guard import input_options

UNPACK: Final = "mpeg4_unpack_bframes"
"""Takes apart the packed B-frames that MPEG-4 in AVI has."""
ORDER: Final = "dts2pts"
"""Gives pictures of H.264 and HEVC, which came in the order of decoding and without a time, the
time of their place in the order of presentation."""
AS_IT_IS: Final = ""


def argv(ffmpeg: str, *, source: words.Source, muxer: str, filter: str) -> tuple[str, ...]:
    """Copy pictures and sound into `output(0)`, a file of the kind `muxer`.

    `filter` is done to each picture's packet; ffmpeg refuses one that is not for their codec.
    Cover pictures, subtitles and data stay behind.
    """
    return (
        *words.start(ffmpeg),
        *("-fflags", "+genpts"),
        *input_options(source.format),
        *("-i", f"file:{words.SOURCE}"),
        *("-map", "0:V?", "-map", "0:a?", "-c", "copy"),
        *(("-bsf:v", filter) if filter else ()),
        *("-map_metadata", "-1", "-map_chapters", "-1", "-fflags", "+bitexact"),
        *("-max_muxing_queue_size", "9999"),
        *("-f", muxer, f"file:{words.output(0)}"),
    )
