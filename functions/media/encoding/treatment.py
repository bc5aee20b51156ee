"""What is done to a source's pictures besides scaling: decided once a plan, followed by encoders.

Words are ffmpeg's: parities as `bwdif` names them, colours as ffprobe and `setparams` do.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

Fields = Literal["", "tff", "bff"]
Turn = Literal[0, 90, 180, 270]
Tone = Literal["", "pq", "hlg"]

REFERENCE_NITS: Final = 203
"""Brightness of a white sheet in HDR (BT.2408, section 2.2): it becomes 1.0 before tone mapping."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Colors:
    """How numbers become light."""

    range: Literal["tv", "pc"] = "tv"
    matrix: str = "bt709"
    primaries: str = "bt709"
    transfer: str = "bt709"


@dataclass(frozen=True, slots=True, kw_only=True)
class Crop:
    """The clean aperture: pixels of the stored picture, all even, so that chroma stays whole."""

    left: int
    top: int
    width: int
    height: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Treatment:
    """In the order in which it is done. The default leaves SDR pictures as they are."""

    width: int = 0
    height: int = 0
    """Of the stored picture. A picture of another size in mid-stream is brought to it. 0: as it
    comes."""
    deinterlace: Fields = ""
    """Which field is the earlier one, where pictures are two fields."""
    crop: Crop | None = None
    mirror: bool = False
    """Left becomes right, before it is turned."""
    turn: Turn = 0
    """Degrees counter-clockwise."""
    chroma_x: int = 0
    chroma_y: int = 128
    """Where chroma samples lie once it is turned, in 1/256 of a luma pixel from the first one's
    centre. 0 and 128 is where everybody takes those of H.264 to be."""
    tone: Tone = ""
    peak_nits: int = 0
    """The brightest light that the tone curve has room for."""
    largest_width: int = 0
    largest_height: int = 0
    """Of the largest rendition: where light is reckoned with, no more pixels than that."""
    source: Colors = Colors()
    """What the source's numbers are taken for; what it does not say is assumed."""
    named: bool = False
    """Whether pictures say so themselves: one that says otherwise in mid-stream is converted."""
    output: Colors = Colors()
    """What every rendition's numbers are, and says that they are."""

    @property
    def beside(self) -> int:
        """How many frames on either side of one it is made from."""
        return 1 if self.deinterlace else 0

    @property
    def converts(self) -> bool:
        """By way of linear light, because other colours or another curve come out."""
        return not self.tone and (
            self.source.primaries != self.output.primaries
            or self.source.transfer != self.output.transfer
            or self.source.matrix not in (*SCALED_MATRICES, self.output.matrix)
        )

    @property
    def costs(self) -> tuple[Literal["deinterlace", "tonemap"], ...]:
        """What of it takes time, in the words of `cost.Model.decode_ms`."""
        tonemap = bool(self.tone) or self.converts
        return (*(("deinterlace",) if self.deinterlace else ()), *(("tonemap",) if tonemap else ()))


AS_THEY_ARE: Final = Treatment()
SCALED_MATRICES: Final = ("gbr", "bt709", "bt470bg", "smpte170m", "fcc", "smpte240m", "bt2020nc")
"""Between these `scale` converts by itself."""
