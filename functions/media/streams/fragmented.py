"""ISO base media files as encoders here write them: one track, an init, fragments.

Facts of a file, read from its boxes alone (ISO/IEC 14496-12, 14496-14, 14496-15). Input that is
not such a file raises ValueError, in time linear in its size.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from itertools import islice
from typing import Final, NamedTuple

from functions.media.streams.boxes import (
    Box,
    Buffer,
    Edit,
    child,
    children,
    edits_of,
    full_box,
    spelt,
    timescale_of,
    unpack,
)

NON_SYNC: Final = 0x0001_0000
"""`sample_is_non_sync_sample` in sample flags (8.8.3.1)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Init:
    """What an init segment says of its one track."""

    start: int
    stop: int
    """Bytes [start, stop) of the file: `ftyp` and `moov`."""
    codecs: str
    """RFC 6381: `avc1.64001f`, `mp4a.40.2`."""
    timescale: int
    edits: tuple[Edit, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fragment:
    """One `moof` with its `mdat` and what precedes them (`styp`, `sidx`, `prft`, `emsg`)."""

    start: int
    stop: int
    """Bytes [start, stop) of the file."""
    decode_time: int
    """`tfdt`, in ticks of the track."""
    samples: int
    duration: int
    """Sum of the samples' durations in ticks."""
    sync: bool
    """True when the first sample is a sync sample."""
    first_composition_offset: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Fragmented:
    """A whole file."""

    init: Init
    fragments: tuple[Fragment, ...]


class _Defaults(NamedTuple):
    """Of `trex`, overridden by `tfhd`."""

    duration: int
    size: int
    flags: int


def read(data: Buffer) -> Fragmented:
    """The init and the fragments of an encoder's output, in the order of the file.

    Raises ValueError for anything that is not one `ftyp`, one `moov` with one track, and then
    only whole fragments of that track.
    """
    boxes = list(children(data, 0, len(data)))
    if [box.kind for box in boxes[:2]] != [b"ftyp", b"moov"]:
        raise ValueError("the file does not start with ftyp and moov")
    init, track, defaults = _init(data, boxes[0].start, boxes[1])
    fragments: list[Fragment] = []
    start = boxes[1].stop
    rest = iter(boxes[2:])
    for box in rest:
        if box.kind in (b"styp", b"sidx", b"prft", b"emsg", b"free"):
            continue
        if box.kind != b"moof":
            raise ValueError(f"a box {spelt(box.kind)} where a fragment should start")
        payload = next(rest, None)
        if payload is None or payload.kind != b"mdat":
            raise ValueError("a moof without its mdat")
        fragments.append(_fragment(data, box, track, defaults, start, payload.stop))
        start = payload.stop
    return Fragmented(init=init, fragments=tuple(fragments))


def _init(data: Buffer, start: int, moov: Box) -> tuple[Init, int, _Defaults]:
    trak = child(data, moov, b"trak")
    tkhd = child(data, trak, b"tkhd")
    (track,) = unpack(">I", data, tkhd.body + (20 if full_box(data, tkhd)[0] else 12), tkhd.stop)
    mdia = child(data, trak, b"mdia")
    stbl = child(data, child(data, mdia, b"minf"), b"stbl")
    trex = child(data, child(data, moov, b"mvex"), b"trex")
    known, _, duration, size, flags = unpack(">5I", data, trex.body + 4, trex.stop)
    if known != track:
        raise ValueError("trex of another track")
    init = Init(
        start=start,
        stop=moov.stop,
        codecs=_codecs(data, child(data, stbl, b"stsd")),
        timescale=timescale_of(data, child(data, mdia, b"mdhd")),
        edits=edits_of(data, trak),
    )
    return init, track, _Defaults(duration, size, flags)


def _codecs(data: Buffer, stsd: Box) -> str:
    entries = list(children(data, stsd.body + 8, stsd.stop))
    if len(entries) != 1:
        raise ValueError(f"{len(entries)} sample entries")
    entry = entries[0]
    if entry.kind in (b"avc1", b"avc3"):
        avcc = child(data, entry, b"avcC", skip=78)
        _, profile, compatibility, level = unpack(">4B", data, avcc.body, avcc.stop)
        return f"{entry.kind.decode()}.{profile:02x}{compatibility:02x}{level:02x}"
    if entry.kind == b"mp4a":
        return _aac(data, child(data, entry, b"esds", skip=28))
    raise ValueError(f"a sample entry {spelt(entry.kind)}")


def _aac(data: Buffer, esds: Box) -> str:
    """`mp4a.<object type>.<audio object type>` (ISO/IEC 14496-1, 7.2.6; 14496-3, 1.6.2.1)."""
    at, stop = _descriptor(data, 3, esds.body + 4, esds.stop)
    (flags,) = unpack(">B", data, at + 2, stop)
    if flags & 0xE0:
        raise ValueError("an elementary stream descriptor with optional fields")
    at, stop = _descriptor(data, 4, at + 3, stop)
    (kind,) = unpack(">B", data, at, stop)
    at, stop = _descriptor(data, 5, at + 13, stop)
    first, second = unpack(">2B", data, at, stop)
    audio = first >> 3
    if audio == 31:
        audio = 32 + ((first & 7) << 3 | second >> 5)
    return f"mp4a.{kind:02x}.{audio}"


def _descriptor(data: Buffer, tag: int, at: int, stop: int) -> tuple[int, int]:
    """Where the body of the descriptor at `at` lies."""
    (found,) = unpack(">B", data, at, stop)
    if found != tag:
        raise ValueError(f"descriptor {found} where {tag} should be")
    size = 0
    for count in range(1, 5):
        (byte,) = unpack(">B", data, at + count, stop)
        size = size << 7 | byte & 0x7F
        if not byte & 0x80:
            body = at + 1 + count
            if body + size > stop:
                raise ValueError("a descriptor is cut off")
            return body, body + size
    raise ValueError("a descriptor's size is too long")


def _fragment(
    data: Buffer, moof: Box, track: int, defaults: _Defaults, start: int, stop: int
) -> Fragment:
    traf = child(data, moof, b"traf")
    defaults = _overridden(data, child(data, traf, b"tfhd"), track, defaults)
    tfdt = child(data, traf, b"tfdt")
    layout = ">Q" if full_box(data, tfdt)[0] else ">I"
    (decode_time,) = unpack(layout, data, tfdt.body + 4, tfdt.stop)
    runs = [
        _run(data, box, defaults)
        for box in children(data, traf.body, traf.stop)
        if box.kind == b"trun"
    ]
    filled = [run for run in runs if run.samples]
    if not filled:
        raise ValueError("a fragment without samples")
    return Fragment(
        start=start,
        stop=stop,
        decode_time=decode_time,
        samples=sum(run.samples for run in runs),
        duration=sum(run.duration for run in runs),
        sync=not filled[0].first_flags & NON_SYNC,
        first_composition_offset=filled[0].first_offset,
    )


def _overridden(data: Buffer, tfhd: Box, track: int, defaults: _Defaults) -> _Defaults:
    """The defaults that hold for one fragment (8.8.7)."""
    _, flags = full_box(data, tfhd)
    (found,) = unpack(">I", data, tfhd.body + 4, tfhd.stop)
    if found != track:
        raise ValueError("a fragment of another track")
    at = tfhd.body + 8 + (8 if flags & 0x01 else 0) + (4 if flags & 0x02 else 0)
    values = list(defaults)
    for place, bit in enumerate((0x08, 0x10, 0x20)):
        if flags & bit:
            (values[place],) = unpack(">I", data, at, tfhd.stop)
            at += 4
    return _Defaults(*values)


class _Run(NamedTuple):
    samples: int
    duration: int
    first_flags: int
    first_offset: int


def _run(data: Buffer, trun: Box, defaults: _Defaults) -> _Run:
    """A track run (8.8.8)."""
    version, flags = full_box(data, trun)
    (samples,) = unpack(">I", data, trun.body + 4, trun.stop)
    at = trun.body + 8 + (4 if flags & 0x01 else 0)
    first_flags = defaults.flags
    if flags & 0x04:
        (first_flags,) = unpack(">I", data, at, trun.stop)
        at += 4
    fields = [bit for bit in (0x100, 0x200, 0x400, 0x800) if flags & bit]
    row = struct.Struct(">" + "".join("i" if bit == 0x800 and version else "I" for bit in fields))
    if at + samples * row.size > trun.stop:
        raise ValueError("a track run is cut off")
    duration = samples * defaults.duration
    first_offset = 0
    if fields and samples:
        rows = islice(row.iter_unpack(memoryview(data)[at : at + samples * row.size]), samples)
        first = dict(zip(fields, next(rows), strict=True))
        first_offset = first.get(0x800, 0)
        if not flags & 0x04:
            first_flags = first.get(0x400, first_flags)
        if 0x100 in fields:
            duration = first[0x100] + sum(values[0] for values in rows)
    return _Run(samples, duration, first_flags, first_offset)
