"""The gate of a progressive MP4: its tracks are what the plan says, and it plays while it loads.

Read from its boxes alone (ISO/IEC 14496-12). Every function raises ValueError, naming the rule
that broke.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Final, Literal

from functions.media.streams import boxes
from functions.media.streams.boxes import Box, Buffer

Kind = Literal["video", "audio"]

EDIT_S: Final = Fraction(1, 1000)
"""Edit lists count in ticks of the whole file: sound may be off by a part of one."""
_KINDS: Final[dict[bytes, Kind]] = {b"vide": "video", b"soun": "audio"}


@dataclass(frozen=True, slots=True, kw_only=True)
class FileTrack:
    """One track of a file that is not fragmented."""

    kind: Kind
    samples: int
    duration_s: Fraction
    """Of all samples."""
    starts_s: Fraction
    """When the first sample in decoding order is presented."""
    presented_s: Fraction
    """How long its edit list shows it; all of it without one."""
    sync: bool
    """True when the first sample is a sync sample."""


def read(data: Buffer) -> tuple[FileTrack, ...]:
    """The tracks of a file whose header precedes its media."""
    found = [box for box in boxes.children(data, 0, len(data)) if box.kind != b"free"]
    if [box.kind for box in found] != [b"ftyp", b"moov", b"mdat"]:
        kinds = ", ".join(box.kind.decode("latin-1") for box in found)
        raise ValueError(f"a file that plays while it loads is ftyp, moov and mdat, not {kinds}")
    moov = found[1]
    movie_scale = boxes.timescale_of(data, boxes.child(data, moov, b"mvhd"))
    traks = (box for box in boxes.children(data, moov.body, moov.stop) if box.kind == b"trak")
    return tuple(_track(data, trak, movie_scale) for trak in traks)


def check(data: Buffer, *, planned: tuple[FileTrack, ...]) -> None:
    """The file has exactly these tracks, in this order."""
    found = read(data)
    if [track.kind for track in found] != [track.kind for track in planned]:
        raise ValueError(f"the file has {', '.join(t.kind for t in found) or 'no track'}")
    for track, wanted in zip(found, planned, strict=True):
        if track.samples != wanted.samples:
            raise ValueError(
                f"{track.kind}: {track.samples} samples in the file instead of {wanted.samples}"
            )
        if not track.sync:
            raise ValueError(f"{track.kind}: the file does not start with a sync sample")
        if track.duration_s != wanted.duration_s:
            raise ValueError(
                f"{track.kind}: {track.duration_s} s in the file instead of {wanted.duration_s} s"
            )
        if track.starts_s != wanted.starts_s:
            raise ValueError(
                f"{track.kind}: begins at {track.starts_s} s instead of {wanted.starts_s} s"
            )
        if abs(track.presented_s - wanted.presented_s) > EDIT_S:
            raise ValueError(
                f"{track.kind}: {track.presented_s} s are shown instead of {wanted.presented_s} s"
            )


def _track(data: Buffer, trak: Box, movie_scale: int) -> FileTrack:
    mdia = boxes.child(data, trak, b"mdia")
    hdlr = boxes.child(data, mdia, b"hdlr")
    kind = _KINDS.get(bytes(data[hdlr.body + 8 : hdlr.body + 12]))
    if kind is None:
        raise ValueError("a track that is neither pictures nor sound")
    timescale = boxes.timescale_of(data, boxes.child(data, mdia, b"mdhd"))
    stbl = boxes.child(data, boxes.child(data, mdia, b"minf"), b"stbl")
    tables = {box.kind: box for box in boxes.children(data, stbl.body, stbl.stop)}
    if b"stts" not in tables or b"stsz" not in tables:
        raise ValueError(f"{kind}: no table of samples")
    samples = duration = 0
    for count, delta in _pairs(data, tables[b"stts"]):
        samples += count
        duration += count * delta
    (sized,) = boxes.unpack(">I", data, tables[b"stsz"].body + 8, tables[b"stsz"].stop)
    if sized != samples or not samples:
        raise ValueError(f"{kind}: {sized} sizes of {samples} samples")
    offset = next(iter(_pairs(data, tables[b"ctts"])), (0, 0))[1] if b"ctts" in tables else 0
    edits = boxes.edits_of(data, trak)
    if len(edits) > 1 or any(edit.media_time < 0 for edit in edits):
        raise ValueError(f"{kind}: an edit list that does more than begin")
    begins = edits[0].media_time if edits else 0
    shown = Fraction(edits[0].duration, movie_scale) if edits else Fraction(duration, timescale)
    first_sync = True
    if b"stss" in tables:
        table = tables[b"stss"]
        count, first = boxes.unpack(">II", data, table.body + 4, table.stop)
        first_sync = count > 0 and first == 1
    return FileTrack(
        kind=kind,
        samples=samples,
        duration_s=Fraction(duration, timescale),
        starts_s=Fraction(offset - begins, timescale),
        presented_s=shown,
        sync=first_sync,
    )


def _pairs(data: Buffer, table: Box) -> list[tuple[int, int]]:
    """The rows of `stts` or `ctts`: a count and a number."""
    (rows,) = boxes.unpack(">I", data, table.body + 4, table.stop)
    at = table.body + 8
    if at + 8 * rows > table.stop:
        raise ValueError("a table of samples is cut off")
    return [boxes.unpack(">II", data, at + 8 * row, table.stop) for row in range(rows)]  # type: ignore[misc]
