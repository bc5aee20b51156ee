"""Presentation: the packets of a track in the order in which they are shown."""

from __future__ import annotations

from array import array
from dataclasses import dataclass
from typing import Final

from functions.media.source.index import Packets

_ROW_BITS: Final = 32


@dataclass(frozen=True, slots=True)
class Presentation:
    """Of each packet that is shown its ticks, ascending, and its row in decode order.

    Twelve bytes a packet: lists of numbers are seven times as much, and a film of a day has five
    million.
    """

    ticks: array[int]
    rows: array[int]


def of(packets: Packets) -> Presentation:
    """Packets with the same ticks stay in decode order."""
    # Sorted as one number each, which is a third of a pair.
    order = sorted(
        packet.pts << _ROW_BITS | row for row, packet in enumerate(packets) if packet.shown
    )
    rows_only = (1 << _ROW_BITS) - 1
    return Presentation(
        array("q", (number >> _ROW_BITS for number in order)),
        array("I", (number & rows_only for number in order)),
    )
