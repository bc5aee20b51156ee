"""docs/media.md: what the real files are, what became of them, and what their pictures prove."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Final

from tests.reference import defects
from tests.reference.real import REAL
from tests.reference.truth import HLG, Colour, Picture, Truth

PAGE: Final = Path(__file__).resolve().parents[2] / "docs/media.md"
_HEAD: Final = """\
<!-- Written by tests/e2e/test_real_files.py with WRITE_DOCS=1: edit tests/reference. -->
# Real files

Twenty files of public projects, which nobody here made, each encoded a segment a task (a long one
eight) and judged by `tests/e2e/test_real_files.py`. The rungs are those of small profiles made to
be judged, with short segments: the built-in ones go up to the source's own size. What is right is
written by hand (`tests/reference/real.py`). The pictures of the largest and of the smallest rung
are compared, frame by frame (every hundredth of six minutes of black), with a reference that
Debian's ffmpeg 5.1 decodes: told by hand how to turn, crop and convert, by zimg instead of swscale.
Counts and times are those of the boxes, of ffmpeg 5.1, 8.1 and 9.0 by HLS and by DASH (8.1 is built
without DASH), and of Shaka's packager. Sound is correlated with the source's at its start, in its
middle and at its end, each channel by itself where there are as many.

## What is in them

| file | what is special, and how it is known |
|---|---|
"""
_RESULTS: Final = """
## What they become

Frames of every rung. SSIM: the lowest of any frame, of luma and of chroma. A right frame has 0.93
at least, one that was HDR 0.90. Colours are compared as a mosaic of 16 by 9 as well: SSIM is all
but blind to a shift of them
([decision 28](decisions/0028-pictures-are-judged-by-another-decoder.md)).

| file | frames | rate | rungs | upright by | fields | colours | sounds | SSIM |
|---|---|---|---|---|---|---|---|---|
"""
_PROOF: Final = """
## What their pictures prove

The same result against a reference that is wrong in one way: ● is found, and the test fails where
it is not; · cannot be seen in that file, which stands still, moves in a small place or is no HDR.
There frames are only counted. Wrong fields and frames out of place are shown besides with generated
pictures that move everywhere (`tests/e2e/test_reference.py`, `tests/e2e/test_judges.py`).

"""


@dataclass(frozen=True, kw_only=True)
class Row:
    """What was found of a file."""

    truth: Truth
    rungs: tuple[str, ...]
    frames: tuple[int, ...]
    """Each number that a rung has."""
    rate: Fraction | None
    sounds: tuple[tuple[int, Fraction], ...]
    """Channels and seconds."""
    worst: tuple[float, float] | None
    """Lowest SSIM of luma and chroma."""

    def line(self) -> str:
        film = self.truth.picture
        cells = [
            f"`{self.truth.name}`",
            ", ".join(f"{each:,}" for each in self.frames) or "-",
            str(self.rate) if self.rate else "-",
            ", ".join(self.rungs) or "-",
            film.turn.removeprefix("transpose=") or "-" if film else "-",
            film.scan if film else "-",
            _colours(film.colour) if film else "-",
            ", ".join(f"{count} ch {float(s):.2f} s" for count, s in self.sounds) or "-",
            "{:.2f}, {:.2f}".format(*self.worst) if self.worst else "-",
        ]
        return "| " + " | ".join(cells) + " |\n"


def page(lines: Sequence[str]) -> str:
    """The whole page, with these lines of results."""
    special = "".join(f"| `{truth.name}` | {truth.seen} |\n" for truth in REAL)
    films = [(truth.name, truth.picture) for truth in REAL if truth.picture]
    names = list(defects.SAID)
    proof = ["| file | " + " | ".join(names) + " |\n", "|---" * (len(names) + 1) + "|\n"]
    for name, film in films:
        marks = ["●" if each in told(film) else "·" for each in names]
        proof.append(f"| `{name}` | " + " | ".join(marks) + " |\n")
    legend = "".join(f"- **{name}**: {said}\n" for name, said in defects.SAID.items())
    return _HEAD + special + _RESULTS + "".join(lines) + _PROOF + legend + "\n" + "".join(proof)


def write(row: Row) -> None:
    """Put the row into the page, in place of what it says of that file."""
    own = row.truth.name
    PAGE.touch()
    lines = [row.line() if truth.name == own else line_of(truth.name) for truth in REAL]
    PAGE.write_text(page(lines))


def told(film: Picture) -> frozenset[str]:
    """The defects that a judge of this picture must find."""
    if film.flat:
        return frozenset()
    own = {"untoned"} if film.colour.transfer == HLG.transfer else {"matrix", "range"}
    return (frozenset(defects.SAID) - {"untoned", "matrix", "range"} | own) - film.silent


def line_of(name: str) -> str:
    """The page's line of results of a file, "" where it has none."""
    results = PAGE.read_text().partition(_RESULTS)[2].partition(_PROOF)[0]
    lines = results.splitlines(keepends=True)
    return next((line for line in lines if line.startswith(f"| `{name}` ")), "")


def alike(one: str, other: str) -> bool:
    """The same but for likeness, which is another by a hair with another number of threads."""
    number = re.compile(r"\b[01]\.\d\d\b(?! s)")
    if number.sub("", one) != number.sub("", other):
        return False
    pairs = zip(number.findall(one), number.findall(other), strict=True)
    return all(abs(float(left) - float(right)) < 0.025 for left, right in pairs)


def _colours(colour: Colour) -> str:
    said = " ".join(dict.fromkeys(each for each in (colour.matrix, colour.transfer) if each))
    if colour.transfer == HLG.transfer:
        return f"{said} to bt709"
    return f"{said}, full to limited" if colour.full else said
