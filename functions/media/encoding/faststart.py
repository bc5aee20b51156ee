"""One MP4 of a rung and a sound that are complete: what ffmpeg is told to copy, packet by packet.

Its header lies before the media (`faststart`), so that a browser plays it while it loads. Times
stay what they are: each track's edit list takes off what precedes presentation time 0, the
reordering of pictures and the priming of sound.
"""

from __future__ import annotations

from typing import Final

from functions.media.encoding import argv as words
from functions.media.source.guard import input_options

PICTURES: Final = "pictures"
SOUND: Final = "sound"
"""Init segment and segments of one rendition, one after the other."""
_FORMAT: Final = "mov"


def argv(ffmpeg: str, *, inputs: tuple[str, ...], timescale: int) -> tuple[str, ...]:
    """Copy `inputs` (PICTURES, SOUND or both) into `output(0)`. `timescale`: ticks a second of
    the pictures, or of the sound alone, and of the whole, so that nothing is rounded."""
    read = [word for name in inputs for word in (*input_options(_FORMAT), "-i", f"file:{name}")]
    return (
        *words.start(ffmpeg),
        *read,
        *(word for number in range(len(inputs)) for word in ("-map", f"{number}:0")),
        *("-c", "copy", "-map_metadata", "-1", "-map_chapters", "-1", "-fflags", "+bitexact"),
        *("-write_btrt", "0", "-movie_timescale", str(timescale)),
        *("-video_track_timescale", str(timescale), "-movflags", "+faststart"),
        *("-max_muxing_queue_size", "9999", "-f", "mp4", f"file:{words.output(0)}"),
    )
