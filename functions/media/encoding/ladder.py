"""The ladder: which sizes a source is encoded in. Never larger than it is.

A rung is a box of 16:9, as high as its name says and turned for a portrait; a picture is as large
in it as fits. So a film of 1920x816 is 1080p, as everybody calls it, and loses no rung for its
shape (docs/decisions/0018-a-rung-is-a-box.md).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from functions.media.encoding.rendition import VideoRendition

BOX: Final = Fraction(16, 9)
OWN_RUNG: Final = Fraction(115, 100)
"""A source this much larger than the best rung below it gets a rung of its own size: 718 lines
shall not end as 480."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One rung of a profile."""

    short_side: int
    """Of its box."""
    maxrate_bps: int
    bufsize_bits: int


def rungs(
    steps: Sequence[Step],
    *,
    display_width: Fraction,
    display_height: Fraction,
    preset: str,
    crf: float,
) -> tuple[VideoRendition, ...]:
    """The renditions of a picture that is displayed so large, the largest first.

    Sizes are square pixels after rotation. Every size is even and keeps the shape within a pixel.
    A source below the lowest step, or well above the best one that fits, gets one rung of its own
    size.
    """
    wanted = sorted({step.short_side: step for step in steps}.values(), key=_short_side)
    box = max(min(display_width, display_height), max(display_width, display_height) / BOX)
    own = _even_floor(box)
    fitting = [step for step in wanted if step.short_side <= own]
    above = [step for step in wanted if step.short_side > own]
    if above and (not fitting or own >= OWN_RUNG * fitting[-1].short_side):
        fitting.append(_scaled(above[0], own))
    return tuple(
        VideoRendition(
            name=f"{step.short_side}p",
            width=_side(display_width, step.short_side, box),
            height=_side(display_height, step.short_side, box),
            preset=preset,
            crf=crf,
            maxrate_bps=step.maxrate_bps,
            bufsize_bits=step.bufsize_bits,
        )
        for step in reversed(fitting)
    )


def _short_side(step: Step) -> int:
    return step.short_side


def _scaled(step: Step, short_side: int) -> Step:
    """The step with its rates brought down to fewer pixels."""
    share = Fraction(short_side, step.short_side) ** 2
    floor = Fraction(1, 8)
    return Step(
        short_side=short_side,
        maxrate_bps=round(step.maxrate_bps * max(share, floor)),
        bufsize_bits=round(step.bufsize_bits * max(share, floor)),
    )


def _side(length: Fraction, short_side: int, box: Fraction) -> int:
    """`length` scaled so that `box` becomes `short_side`: even, and not above `length`."""
    even = 2 * round(length * short_side / (box * 2))
    return max(2, min(even, _even_floor(length)))


def _even_floor(length: Fraction) -> int:
    return max(2, int(length) // 2 * 2)
