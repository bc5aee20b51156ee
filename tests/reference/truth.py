"""What is true of a file: written by hand from what other tools and eyes see in it."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction


@dataclass(frozen=True, kw_only=True)
class Colour:
    """How numbers become light, in ffmpeg's words; "" where the file does not say.

    `matrix` is never "": where a file names none it is what everybody takes pictures of that size
    for (BT.601 below 720 lines, BT.709 from there on).
    """

    matrix: str
    transfer: str = ""
    primaries: str = ""
    full: bool = False
    """0 to 255 instead of 16 to 235."""


BT601 = Colour(matrix="smpte170m")
BT709 = Colour(matrix="bt709")
HLG = Colour(matrix="bt2020nc", transfer="arib-std-b67", primaries="bt2020")


@dataclass(frozen=True, kw_only=True)
class Picture:
    """The picture track that everybody would watch."""

    frames: int
    """Of a right result."""
    rate: Fraction
    """Frames a second of a right result."""
    width: int
    height: int
    """In square pixels, as it is to be seen."""
    colour: Colour
    held: int = 0
    """Frames for which the first one stands in besides its own: the source starts with a gap."""
    crop: str = ""
    """The clean aperture as width:height:x:y of the stored picture, where there is one."""
    turn: str = ""
    """The filter that brings the stored picture upright."""
    scan: str = "progressive"
    """What is to be seen in the fields, whatever the flags say: or `tff`, `bff`."""
    flat: bool = False
    """One colour from beginning to end: there is nothing to see but that."""
    silent: frozenset[str] = frozenset()
    """Ways of being wrong that its pictures cannot show, by name (`defects`)."""

    @property
    def shape(self) -> Fraction:
        return Fraction(self.width, self.height)

    @property
    def duration_s(self) -> Fraction:
        return self.frames / self.rate


@dataclass(frozen=True, kw_only=True)
class Sound:
    """A sound track; times count from the first picture, without pictures from the first sample."""

    channels: int
    start_ms: int
    end_ms: int
    language: str = "und"


@dataclass(frozen=True, kw_only=True)
class Truth:
    """One file."""

    name: str
    seen: str
    """What is special, and how that is known."""
    picture: Picture | None = None
    sounds: tuple[Sound, ...] = ()
    profile: str = "judged"
    """What the test asks for: two rungs that hide nothing, or `tiny` ones."""
    chunk_segments: int = 1
    """How many segments a task encodes in the test: one, unless that were very many tasks."""
