"""A mezzanine: what ffmpeg is told to copy, packet by packet, into a container with an index."""

from __future__ import annotations

from typing import Final

from functions.media.encoding import argv as words
from functions.media.source.guard import input_options

LASTING: Final = "setts=pts=PTS:dts=DTS:duration=max(DURATION\\,1)"
"""As they are, but that each lasts: a picture of no duration, as the last one of a transport stream
may be, would lie behind the end of the muxer's edit list."""
_DELAY: Final = "min(1\\,STARTPTS-STARTDTS)"
UNPACKED: Final = (
    "mpeg4_unpack_bframes,noise=drop=lt(size\\,8),"
    f"setts=pts=if(N\\,PTS-{_DELAY}\\,DTS):dts=DTS-{_DELAY}:duration=max(DURATION\\,1)"
)
"""MPEG-4 in AVI. AVI only counts pictures as they are stored, and its sound begins with the one
that is seen first: the delay of one, which `genpts` puts before those with B-frames, is none of the
film's. A picture of less than 8 bytes says that nothing has changed (14496-2, vop_coded): no
decoder shows it, and the one before it stands still."""
STORED: Final = "setts=pts=DTS:dts=DTS:duration=max(DURATION\\,1)"
"""Pictures of AVI that are shown as they are stored. `genpts` gives each the next one's time where
it cannot tell B-frames, and those of any codec but MPEG-4 are not copied: they are counted."""


def argv(ffmpeg: str, *, source: words.Source, muxer: str, unpack: bool) -> tuple[str, ...]:
    """Copy pictures and sound into `output(0)`, a file of the kind `muxer`.

    `unpack` takes apart the packed B-frames that MPEG-4 in AVI has; ffmpeg refuses it for any
    other codec. Cover pictures, subtitles and data stay behind.
    """
    # The last packet of a file of fragments that was cut off; elsewhere a picture with a flaw.
    torn = "+discardcorrupt" if source.format == "mov" else ""
    filters = UNPACKED if unpack else STORED if source.format == "avi" else LASTING
    return (
        *words.start(ffmpeg),
        *("-fflags", f"+genpts{torn}"),
        *input_options(source.format),
        *("-i", f"file:{words.SOURCE}"),
        *("-map", "0:V?", "-map", "0:a?", "-c", "copy"),
        *("-bsf:v", filters),
        # What the file says of itself stays behind.
        *("-map_metadata:g", "-1", "-map_chapters", "-1", "-fflags", "+bitexact"),
        *("-max_muxing_queue_size", "9999"),
        *("-f", muxer, f"file:{words.output(0)}"),
    )
