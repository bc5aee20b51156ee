"""The first keyframe of a film: where decoding it begins.

Recorders and editors cut indexed files anywhere. What lies before the first keyframe, or follows it
and is presented before it, hangs on pictures that are not there.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from itertools import islice, takewhile
from typing import Final

from functions.media.source.index import Packets
from functions.media.source.probe import Table
from functions.media.source.stream import VideoStream

MOST_LEADING: Final = 64
"""Leading pictures follow their keyframe at once; no encoder delays more."""
_ALONE: Final = frozenset(("prores", "dnxhd", "dvvideo", "mjpeg"))
"""Codecs in which no picture hangs on another one: all of them can be decoded."""
_STRICT: Final = frozenset(("h264", "hevc"))
"""Codecs whose pictures that lead a film's first keyframe are not decoded. In MPEG-1, 2 and 4 a
closed group begins with some that are."""


def entered(tables: Mapping[int, Table], films: Iterable[VideoStream]) -> Mapping[int, Table]:
    """The tables of a file, where of these films nothing is shown that cannot be decoded."""
    codecs = {film.index: film.codec for film in films if film.codec not in _ALONE}
    return {
        stream: replace(table, packets=shown(table.packets, strict=codecs[stream] in _STRICT))
        if stream in codecs
        else table
        for stream, table in tables.items()
    }


def shown(packets: Packets, *, strict: bool) -> Packets:
    """The packets, of which those are not shown that are decoded before the first keyframe, nor
    those that lead it: where others are missing before it, or in any case where `strict`.

    As they are where none is a keyframe: such a table only does not tell.
    """
    first = before(packets)
    keyframe = packets[first] if packets else None
    if keyframe is None or not keyframe.sync or not (first or strict):
        return packets
    leading = takewhile(
        lambda packet: packet.pts < keyframe.pts and not packet.sync,
        islice(packets, first + 1, first + 1 + MOST_LEADING),
    )
    count = sum(1 for _ in leading)
    if count == MOST_LEADING:
        # So many do not lead: the keyframe's own time is wrong.
        count = 0
    if not first and not count:
        return packets
    stop = first + 1 + count
    head = Packets.of(
        packet._replace(shown=packet.shown and row == first)
        for row, packet in enumerate(packets[:stop])
    )
    return Packets(head.rows + packets[stop:].rows)


def before(packets: Packets) -> int:
    """How many are decoded before the first keyframe; 0 where there is none."""
    return next((row for row, packet in enumerate(packets) if packet.sync), 0)
