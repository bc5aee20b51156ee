"""AAC as transport streams carry it: each frame says its format itself (ADTS, 13818-7, 6.2).

A broadcast changes it between two films, from stereo to 5.1 or from one rate to another. Containers
with an index say it once for the whole track, so that what follows a change would not decode.
"""

from __future__ import annotations

import mmap
import re
from dataclasses import dataclass
from typing import Final

from functions.media.encoding import aac
from functions.media.encoding.rendition import Layout
from functions.media.source.guard import MAX_PACKETS

HEADER_BYTES: Final = 7
RATES: Final = (
    *(96000, 88200, 64000, 48000, 44100, 32000, 24000),
    *(22050, 16000, 12000, 11025, 8000, 7350),
)
"""Hertz, by sampling_frequency_index (14496-3, 1.6.3.4)."""
CHANNELS: Final = (0, 1, 2, 3, 4, 5, 6, 8)
"""By channel_configuration; 0 is told within the frames."""
REPLICATED_HZ: Final = 24000
"""Up to this rate the upper half of the spectrum, and a second channel, may be told within the
frames (SBR, PS)."""
LEAST_FRAMES: Final = 4
"""In a row, of a format that is one and no damage."""
MAX_SEARCHES: Final = 1_000_000
"""For the next header, where one was none: beyond that it is noise."""

_LIKELY: Final = re.compile(rb"\xff[\xf0\xf1\xf8\xf9]")


@dataclass(frozen=True, slots=True)
class Format:
    profile: int
    rate: int
    """Hertz; what is heard may be twice as much."""
    channels: int
    """0: the header does not tell."""


@dataclass(frozen=True, slots=True)
class Track:
    """What the headers of a track say."""

    formats: tuple[Format, ...]
    """Each once, in the order in which they begin."""
    seconds: float

    @property
    def changes(self) -> bool:
        return len(self.formats) > 1

    @property
    def rate(self) -> int:
        """Hertz, in which each format has room."""
        return max(each.rate * (1 + (each.rate <= REPLICATED_HZ)) for each in self.formats)

    @property
    def layout(self) -> Layout:
        """In which each format has its channels; of more than six it has the mix."""
        most = max(each.channels for each in self.formats)
        if most > 2:
            return "5.1"
        plain = all(each.channels == 1 and each.rate > REPLICATED_HZ for each in self.formats)
        return "mono" if plain else "stereo"


def read(data: bytes | mmap.mmap) -> Track:
    """Walk from header to header of an elementary stream; what is none is passed over."""
    formats: list[Format] = []
    last: Format | None = None
    run = frames = searches = at = 0
    seconds = 0.0
    while frames < MAX_PACKETS and searches < MAX_SEARCHES:
        header = data[at : at + HEADER_BYTES]
        if len(header) < HEADER_BYTES:
            break
        format, size = _header(header)
        if format is None or at + size > len(data):
            found = _LIKELY.search(data, at + 1)
            if found is None:
                break
            at, last = found.start(), None
            searches += 1
            continue
        run = run + 1 if format == last else 1
        last = format
        if run == LEAST_FRAMES and format not in formats:
            formats.append(format)
        frames += 1
        seconds += ((header[6] & 3) + 1) * aac.FRAME_SAMPLES / format.rate
        at += size
    return Track(tuple(formats), seconds)


def _header(header: bytes) -> tuple[Format | None, int]:
    """The format of a frame and how many bytes it has, header included; None, 0 of no header."""
    index = header[2] >> 2 & 15
    size = (header[3] & 3) << 11 | header[4] << 3 | header[5] >> 5
    if not _LIKELY.match(header) or index >= len(RATES) or size <= HEADER_BYTES:
        return None, 0
    channels = CHANNELS[(header[2] & 1) << 2 | header[3] >> 6]
    return Format(header[2] >> 6, RATES[index], channels), size
