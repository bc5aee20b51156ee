"""What ffprobe says beside a stream's own fields: which way is up, what is cut off, how bright.

Every function takes a stream's list of side data, of which nothing is believed further than its
type.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Final

FIELDS: Final = (
    "side_data_type,rotation,displaymatrix,crop_left,crop_top,crop_right,crop_bottom,"
    "dv_profile,dv_bl_signal_compatibility_id,max_content,max_luminance"
)
"""What `-show_entries stream_side_data` has to ask for."""
_INTEGER: Final = re.compile(r"-?\d+")


@dataclass(frozen=True, slots=True)
class Margins:
    """Pixels of the stored picture that are outside its clean aperture."""

    left: int = 0
    top: int = 0
    right: int = 0
    bottom: int = 0


NOTHING_OUTSIDE: Final = Margins()


@dataclass(frozen=True, slots=True)
class DolbyVision:
    """What a stream in Dolby Vision says of its base layer."""

    profile: int
    compatible: int
    """0: with nothing; 1: HDR10, 2: SDR, 4: HLG, 6: HDR10 of a Blu-ray."""


def orientation(side_data: list[dict[str, Any]]) -> tuple[int, bool]:
    """Degrees counter-clockwise, and whether the picture is mirrored before.

    The matrix takes a point (x, y) to (a x + c y, b x + d y), y downwards. An angle that is not
    right counts as the nearest that is.
    """
    for data in side_data:
        matrix = _INTEGER.findall(re.sub(r"[0-9a-f]+:", "", str(data.get("displaymatrix", ""))))
        if len(matrix) == 9:
            a, b, _, c, d, *_ = map(int, matrix)
            mirror = a * d - b * c < 0
            if mirror:
                a, b = -a, -b
            if abs(a) + abs(d) >= abs(b) + abs(c):
                return (180 if a < 0 else 0), mirror
            return (270 if b > 0 else 90), mirror
        turned = data.get("rotation")
        if isinstance(turned, int | float):
            return round(turned / 90) * 90 % 360, False
    return 0, False


def crop(side_data: list[dict[str, Any]], width: int, height: int) -> Margins:
    """None at all where less than half of the picture would remain: nobody means that."""
    for data in side_data:
        if data.get("side_data_type") == "Frame Cropping":
            sides = [data.get(f"crop_{side}", 0) for side in ("left", "top", "right", "bottom")]
            if not all(isinstance(side, int) and side >= 0 for side in sides):
                continue
            left, top, right, bottom = sides
            if 2 * (left + right) < width and 2 * (top + bottom) < height:
                return Margins(left, top, right, bottom)
    return NOTHING_OUTSIDE


def dolby_vision(side_data: list[dict[str, Any]]) -> DolbyVision | None:
    for data in side_data:
        profile = data.get("dv_profile")
        compatible = data.get("dv_bl_signal_compatibility_id", 0)
        if isinstance(profile, int) and isinstance(compatible, int):
            return DolbyVision(profile, compatible)
    return None


def peak_nits(side_data: list[dict[str, Any]]) -> int:
    """The brightest pixel where that is told, else what the mastering display could do."""
    found = [data["max_content"] for data in side_data if isinstance(data.get("max_content"), int)]
    for data in side_data:
        if nits := ratio(str(data.get("max_luminance", ""))):
            found.append(round(nits))
    return next((nits for nits in found if nits > 0), 0)


def ratio(value: str) -> Fraction | None:
    """A fraction as ffprobe writes one; None for what is none."""
    numerator, slash, denominator = value.replace(":", "/").partition("/")
    if not slash or not numerator.isdecimal() or not denominator.isdecimal():
        return None
    return Fraction(int(numerator), int(denominator)) if int(denominator) else None
