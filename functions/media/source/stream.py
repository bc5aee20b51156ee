"""The streams of a source as values."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from functions.media.source.sidedata import NOTHING_OUTSIDE, DolbyVision, Margins


@dataclass(frozen=True, slots=True, kw_only=True)
class VideoStream:
    """A stream of moving pictures (never an attached cover)."""

    index: int
    """As ffprobe counts all streams of the file."""
    track: int = 0
    """Its number in the container, 0 where it has none."""
    codec: str
    width: int
    height: int
    """Of the stored picture, before `sample_aspect` and `rotation`; 0 where unknown."""
    sample_aspect: Fraction
    rotation: int
    """Degrees counter-clockwise, one of 0, 90, 180, 270, by which a player turns the picture."""
    pixel_format: str
    field_order: str
    """`progressive`, `tt`, `bb`, `tb`, `bt` or "" where unknown."""
    color_range: str
    color_space: str
    color_transfer: str
    color_primaries: str
    timebase: Fraction
    nominal_rate: Fraction | None
    """Frames per second as the container claims; often wrong."""
    mirror: bool = False
    """A player changes left and right before it turns the picture."""
    crop: Margins = NOTHING_OUTSIDE
    chroma_location: str = ""
    dolby_vision: DolbyVision | None = None
    peak_nits: int = 0
    """Brightest light as the metadata claim, 0 where they say nothing."""
    reordered: bool = False
    """Pictures are stored in another order than they are shown."""

    @property
    def display_width(self) -> Fraction:
        """Width in square pixels after rotation."""
        return Fraction(self._lines) if self._lies else self._columns * self.sample_aspect

    @property
    def display_height(self) -> Fraction:
        """Height in square pixels after rotation."""
        return self._columns * self.sample_aspect if self._lies else Fraction(self._lines)

    @property
    def _columns(self) -> int:
        return self.width - self.crop.left - self.crop.right

    @property
    def _lines(self) -> int:
        return self.height - self.crop.top - self.crop.bottom

    @property
    def _lies(self) -> bool:
        return self.rotation in (90, 270)


@dataclass(frozen=True, slots=True, kw_only=True)
class AudioStream:
    """A stream of sound."""

    index: int
    """As ffprobe counts all streams of the file."""
    codec: str
    channels: int
    sample_rate: int
    """Both 0 where unknown."""
    language: str
    """As tagged where that looks like a language, else `und`."""
    timebase: Fraction
    start: int | None
    """First presented sample, in ticks."""
    duration: int | None
    """In ticks, as the container claims."""


@dataclass(frozen=True, slots=True)
class Media:
    """A source's streams. Subtitles and data are counted, not listed."""

    video: tuple[VideoStream, ...]
    audio: tuple[AudioStream, ...]
    streams: int
    """All of them."""
    encrypted: bool = False
    """True where a stream names the key that it is encrypted with, as Matroska does; of MP4 the
    boxes tell."""
