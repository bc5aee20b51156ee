"""Pictures of which nothing says when they are shown: streams without a container, and those in AVI
or MXF whose codec shows them in another order than they are stored.

They are shown one after the other at the rate that the stream itself names, or 25 a second. In
which order they are shown only a decoder knows, so a table of them counts, and has no times: a
task decodes from the start and counts as well.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from statistics import median_low

from functions.media.source import guard
from functions.media.source.index import Packet, Packets
from functions.media.source.probe import Table, Unreadable
from functions.media.source.stream import VideoStream


def argv(ffprobe: Path, format: str, source: Path, *, pixels: int) -> list[str]:
    """What asks for every picture of the local file `source`. It has to be parsed for that."""
    return [
        str(ffprobe),
        *("-v", "quiet", "-hide_banner"),
        *guard.input_options(format, pixels=pixels),
        *("-select_streams", "v:0", "-show_entries", "packet=duration,size,pos,flags"),
        *("-of", "csv=p=0"),
        *("-i", f"file:{source}"),
    ]


def read(answer: bytes, timebase: Fraction) -> tuple[Table, Fraction]:
    """The answer to `argv`: pictures by number in decode order, and how long each lasts in
    seconds. Raises Unreadable."""
    try:
        rows = list(_rows(answer))
        packets = Packets.of(packet for packet, _ in rows)
    except ValueError as error:
        raise Unreadable("its packets make no sense") from error
    lasting = [ticks for _, ticks in rows if ticks > 0]
    if not lasting:
        raise Unreadable("it has no pictures")
    return Table(packets, complete=True, located=False), median_low(lasting) * timebase


def doubtful(format: str, film: VideoStream) -> bool:
    """Whether these pictures may be of that kind. Those of MPEG-4 in AVI say themselves which are
    B-frames, so that copying them finds their times; with those of MPEG-2, MXF tells them."""
    if format == "mxf":
        return film.reordered and film.codec in ("h264", "hevc")
    return format == "avi" and film.reordered and film.codec != "mpeg4"


def ordered(format: str, table: Table) -> bool:
    """Whether there are times of showing in the first packets or in all: AVI has none, MXF those
    of decoding where what wrote it knew no others."""
    return format != "avi" and not (
        table.complete and all(packet.pts == packet.dts for packet in table.packets)
    )


def counted(format: str, table: Table, timebase: Fraction) -> tuple[Table, Fraction] | None:
    """Like `read`; None where there are times, or where places between pictures are empty, so that
    counting goes wrong."""
    steps = {after.dts - before.dts for before, after in pairwise(table.packets)}
    step = steps.pop() if len(steps) == 1 else 0
    if step <= 0 or ordered(format, table):
        return None
    packets = Packets.of(
        packet._replace(pts=number, dts=number) for number, packet in enumerate(table.packets)
    )
    return Table(packets, complete=True, located=False), step * timebase


def _rows(answer: bytes) -> Iterator[tuple[Packet, int]]:
    for number, line in enumerate(answer.splitlines()):
        if number >= guard.MAX_PACKETS:
            raise Unreadable(f"it has more than {guard.MAX_PACKETS} packets")
        fields = line.split(b",")
        if len(fields) < 4:
            continue
        ticks, size, position, flags = fields[:4]
        duration = int(ticks) if ticks != b"N/A" else 0
        where = int(position) if position != b"N/A" else -1
        yield Packet(number, number, where, int(size), b"K" in flags), duration
