"""Tracks of sound as ffmpeg's muxer `framecrc` lists them: a head for each, a line a packet."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction

from functions.media.encoding.rendition import Layout


@dataclass(slots=True)
class Track:
    """One of them."""

    codec: str = ""
    rate: int = 0
    """Hertz; 0 where nobody knows."""
    named: str = ""
    """Its layout, in ffmpeg's words."""
    timebase: Fraction = Fraction(1)
    first: int | None = None
    """Ticks of the first packet."""
    end: int = 0

    @property
    def seconds(self) -> float:
        return 0.0 if self.first is None else float((self.end - self.first) * self.timebase)

    @property
    def layout(self) -> Layout:
        """In which all of its channels have room; of more than six it has the mix."""
        if self.named == "mono":
            return "mono"
        return "stereo" if self.named == "stereo" else "5.1"


def read(lines: Iterable[str]) -> list[Track]:
    """The tracks by their numbers. Raises ValueError for what is no such list."""
    found: dict[int, Track] = {}
    for line in lines:
        if line.startswith("#"):
            name, _, value = line[1:].strip().partition(": ")
            name, _, number = name.partition(" ")
            if number.isdecimal():
                _note(found.setdefault(int(number), Track()), name, value)
            continue
        number, dts, _, duration, *_ = line.split(",", 5)
        track = found[int(number)]
        if track.first is None:
            track.first = int(dts)
        track.end = max(track.end, int(dts) + int(duration))
    if [*found] != [*range(len(found))]:
        raise ValueError("tracks that are not numbered one after the other")
    return [*found.values()]


def _note(track: Track, name: str, value: str) -> None:
    match name:
        case "codec_id":
            track.codec = value
        case "sample_rate":
            track.rate = int(value)
        case "channel_layout_name":
            track.named = value
        case "tb":
            track.timebase = Fraction(value)
