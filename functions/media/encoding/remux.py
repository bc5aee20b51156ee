"""A mezzanine: what ffmpeg is told to copy, packet by packet, into a container with an index."""

from __future__ import annotations

from typing import Final

from functions.media.encoding import argv as words
from functions.media.source.guard import input_options

LASTING: Final = "setts=pts=PTS:dts=DTS:duration=max(DURATION\\,1)"
"""As they are, but that each lasts: a picture of no duration, as the last one of a transport stream
may be, would lie behind the end of the muxer's edit list."""


def argv(ffmpeg: str, *, source: words.Source, muxer: str, unpack: bool) -> tuple[str, ...]:
    """Copy pictures and sound into `output(0)`, a file of the kind `muxer`.

    `unpack` takes apart the packed B-frames that MPEG-4 in AVI has; ffmpeg refuses it for any
    other codec. Cover pictures, subtitles and data stay behind.
    """
    return (
        *words.start(ffmpeg),
        *("-fflags", "+genpts"),
        *input_options(source.format),
        *("-i", f"file:{words.SOURCE}"),
        *("-map", "0:V?", "-map", "0:a?", "-c", "copy"),
        *("-bsf:v", f"mpeg4_unpack_bframes,{LASTING}" if unpack else LASTING),
        # What the file says of itself stays behind; languages are the streams'.
        *("-map_metadata:g", "-1", "-map_chapters", "-1", "-fflags", "+bitexact"),
        *("-max_muxing_queue_size", "9999"),
        *("-f", muxer, f"file:{words.output(0)}"),
    )
