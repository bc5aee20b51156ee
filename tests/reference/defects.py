"""Ways in which a picture can be wrong: each as a reference that has it.

A right result that does not fit such a reference is the proof that the judge would find a wrong
result against the right one: likeness is the same from both sides.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from tests.reference.decode import View, filters
from tests.reference.truth import HLG, Colour, Picture

SAID = {
    "turned": "a turn missed",
    "mirrored": "a mirror missed",
    "stretched": "another shape of pixels",
    "matrix": "BT.601 taken for BT.709 or the other way",
    "range": "full range taken for limited or the other way",
    "untoned": "HLG shown as it is",
    "swapped": "chroma swapped",
    "lost": "a frame lost in the middle, all behind it early",
    "doubled": "a frame doubled in the middle, all behind it late",
    "late": "everything a frame late",
    "combed": "lines of two moments in one frame",
}
COLOURS = frozenset({"matrix", "range", "untoned", "swapped"})
_COMB = "tpad=start=1:start_mode=clone,tblend=all_expr='if(mod(Y,2),A,B)',setpts=N"


def wrong(picture: Picture, view: View) -> Iterator[tuple[str, str]]:
    """Name and filters of every defect that the picture can have."""

    def other(colour: Colour) -> str:
        return filters(replace(picture, colour=colour), view)

    def behind(words: str) -> str:
        return filters(picture, view, behind=words)

    colour, middle = picture.colour, picture.frames // 2
    # Scaled to the same size, whatever that does to the shape.
    missed = filters(replace(picture, turn=""), view)
    yield "turned", missed if picture.turn else behind("hflip,vflip")
    yield "mirrored", behind("hflip")
    yield "stretched", filters(picture, view, before="crop=floor(iw*0.475)*2:ih:0:0")
    if colour.transfer == HLG.transfer:
        yield "untoned", other(replace(colour, transfer=""))
    else:
        matrix = "smpte170m" if colour.matrix == "bt709" else "bt709"
        yield "matrix", other(replace(colour, matrix=matrix))
        yield "range", other(replace(colour, full=not colour.full))
    yield "swapped", behind("swapuv")
    lost = f"select=not(eq(n\\,{middle})),setpts=N,tpad=stop=1:stop_mode=clone"
    yield "lost", behind(lost)
    yield "doubled", behind(f"loop=1:1:{middle},setpts=N")
    yield "late", behind("tpad=start=1:start_mode=clone,setpts=N")
    yield "combed", behind(_COMB)
