"""Pictures with red, green, blue and black in their corners: made by ffmpeg, and seen again."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from functions.jobs.plan import VideoTask
from tests.clips import ffmpeg
from tests.planning import Drawn

WIDTH, HEIGHT = 96, 64
CORNERS = "RG\nBK"
"""Red, green, blue and black, a quarter each."""
LEVELS = {"R": (1, 0, 0), "G": (0, 1, 0), "B": (0, 0, 1), "K": (0, 0, 0)}
LOSSLESS = ("-c:v", "libx264", "-preset", "ultrafast", "-qp", "0", "-bf", "0")
KR_KB = {"bt709": (0.2126, 0.0722), "smpte170m": (0.299, 0.114), "bt2020nc": (0.2627, 0.0593)}
"""Luma's shares of red and blue (H.273, table 4): our own arithmetic, not ffmpeg's."""


def corners(path: Path, *options: str, filters: str = "null") -> Path:
    """Ten pictures of four quarters."""
    size = f"{WIDTH // 2}x{HEIGHT // 2}"
    quarters = [
        f"color={name}:s={size}:r=25:d=0.4,format=gbrp[{at}]"
        for at, name in enumerate(("red", "0x00FF00", "blue", "black"))
    ]
    graph = f"{';'.join(quarters)};[0][1]hstack[a];[2][3]hstack[b];[a][b]vstack,{filters}[x]"
    ffmpeg("-filter_complex", graph, "-map", "[x]", *options, f"file:{path}")
    return path


def quarters(drawn: Drawn, task: VideoTask | None = None) -> dict[str, tuple[int, int, int]]:
    """Luma and chroma in the middle of the four quarters of the first picture, of the film or of a
    chunk."""
    width, height = drawn.plan.video[0].width, drawn.plan.video[0].height
    data = drawn.pixels(task or drawn.whole())
    found = {}
    for name, x, y in (("tl", 1, 1), ("tr", 3, 1), ("bl", 1, 3), ("br", 3, 3)):
        at_x, at_y = width * x // 4, height * y // 4
        luma = data[at_y * width + at_x]
        chroma = (at_y // 2) * (width // 2) + at_x // 2
        blue = data[width * height + chroma]
        red = data[width * height * 5 // 4 + chroma]
        found[name] = (luma, blue, red)
    return found


def letters(drawn: Drawn) -> str:
    """The quarters as `CORNERS` writes them."""
    levels = {name: numbers(LEVELS[name], "bt709") for name in LEVELS}
    seen = [
        min(
            levels,
            key=lambda name: sum(abs(a - b) for a, b in zip(levels[name], each, strict=True)),
        )
        for each in quarters(drawn).values()
    ]
    return f"{seen[0]}{seen[1]}\n{seen[2]}{seen[3]}"


def numbers(rgb: Sequence[float], matrix: str) -> tuple[int, int, int]:
    """Limited-range luma and chroma of 8 bits (H.273, equations 25 to 37)."""
    kr, kb = KR_KB[matrix]
    red, green, blue = rgb
    luma = kr * red + (1 - kr - kb) * green + kb * blue
    return (
        round(16 + 219 * luma),
        round(128 + 224 * (blue - luma) / (2 * (1 - kb))),
        round(128 + 224 * (red - luma) / (2 * (1 - kr))),
    )


def same(found: dict[str, tuple[int, int, int]], matrix: str, *, within: int = 3) -> bool:
    wanted = [numbers(LEVELS[name], matrix) for name in CORNERS.replace("\n", "")]
    return all(
        abs(a - b) <= within
        for each, other in zip(found.values(), wanted, strict=True)
        for a, b in zip(each, other, strict=True)
    )
