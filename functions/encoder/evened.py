"""Sound that a mezzanine does not copy: found by what a run left, of the copy or in its place.

It changes its format where the copy can say but one, or the copy could not name its codec.
"""

from __future__ import annotations

import mmap
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from functions.media.cutting import cost
from functions.media.encoding import remux
from functions.media.encoding.remux import Evened
from functions.media.encoding.rendition import CHANNELS
from functions.media.source import adts, framecrc, guard

SAMPLE_BYTES: Final = 2
"""Of sound that is stored without loss, before it is made smaller."""
ALAC_GROWTH: Final = 2
"""How much larger than its samples it may be."""


def most_bytes(found: Sequence[Evened]) -> int:
    """What they add to a copy."""
    sizes = (
        ALAC_GROWTH * SAMPLE_BYTES * CHANNELS[each.layout] * round(each.seconds * each.rate)
        for each in found
    )
    # Headers may claim months; beyond this nobody has the disk.
    return min(guard.MAX_WHOLE_BYTES, sum(sizes))


def cost_ms(found: Sequence[Evened]) -> int:
    """And what they add to its cost."""
    return round(sum(cost.sound_ms(each.seconds, CHANNELS[each.layout]) for each in found))


def tracks(folder: Path) -> list[framecrc.Track]:
    """All of sound, in order; none where ffmpeg did not get so far as to list them."""
    try:
        with (folder / remux.TRACKS).open(encoding="ascii") as lines:
            return framecrc.read(lines)
    except (FileNotFoundError, ValueError, LookupError):
        return []


def look(folder: Path, beat: Callable[[], None]) -> tuple[Evened, ...]:
    """Tracks that are not to be copied, by what a run left; the headers in it are removed.

    `beat` is called before each of AAC: in a long recording one takes seconds.
    """
    found = []
    for number, track in enumerate(tracks(folder)):
        room: framecrc.Track | adts.Track | None = None
        if track.codec in remux.UNNAMED and track.rate:
            room = track
        elif track.codec == remux.CHANGING_CODEC:
            beat()
            headers = _headers(folder / remux.headers(number))
            room = headers if headers is not None and headers.changes else None
        if room is not None:
            found.append(
                Evened(number=number, rate=room.rate, layout=room.layout, seconds=room.seconds)
            )
    return tuple(found)


def _headers(file: Path) -> adts.Track | None:
    """What the frames of a track say; its file is not kept."""
    try:
        with (
            file.open("rb") as opened,
            mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ) as data,
        ):
            return adts.read(data)
    except (FileNotFoundError, ValueError):
        # Python maps no file that is empty.
        return None
    finally:
        file.unlink(missing_ok=True)
