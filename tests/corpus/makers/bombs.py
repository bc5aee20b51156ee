"""Small files that want much: hours, billions, large pictures, depth.

A sample that a table lists a thousand times is there once.
"""

from __future__ import annotations

import struct
from fractions import Fraction

from tests.corpus import atoms
from tests.corpus.atoms import box, full, u16, u32
from tests.corpus.bases import H264, Bases, lavfi
from tests.corpus.case import Case, Completed, either, refused
from tests.corpus.makers.structures import DAMAGED


def still(bases: Bases, size: str, *words: str) -> bytes:
    """One black keyframe in MP4."""
    return bases.made(
        "film.mp4", *lavfi(f"color=black:s={size}:r=25:d=0.04"), *H264, "-bf", "0", *words
    )


def repeated(data: bytes, count: int, *, ticks: int, scale: int = 1000) -> bytes:
    """The one sample of a film so many times, so many ticks each."""
    media = atoms.path(data, "mdat")[-1]
    entry = atoms.path(data, "moov", "trak", "mdia", "minf", "stbl", "stsd")[-1]
    header = atoms.path(data, "moov", "trak", "tkhd")[-1]
    ftyp = atoms.path(data, "ftyp")[-1]
    start = ftyp.stop - ftyp.start + 8
    length = media.stop - media.body
    lasts = count * ticks
    table = box(
        "stbl",
        data[entry.start : entry.stop],
        full("stts", u32(1, count, ticks)),
        full("stsc", u32(1, 1, 1, 1)),
        full("stsz", u32(length, count)),
        full("stco", u32(count), u32(start) * count),
    )
    movie = box(
        "moov",
        full("mvhd", u32(0, 0, scale, lasts), u32(1 << 16), u16(0x100), bytes(10), IDENTITY,
             bytes(24), u32(2)),
        box("trak",
            data[header.start : header.stop],
            box("mdia",
                full("mdhd", u32(0, 0, scale, lasts), b"\x55\xc4\0\0"),
                full("hdlr", bytes(4), b"vide", bytes(12), b"v\0"),
                box("minf", full("vmhd", bytes(8), flags=1),
                    box("dinf", full("dref", u32(1), full("url ", flags=1))), table))),
    )  # fmt: skip
    return data[ftyp.start : ftyp.stop] + box("mdat", data[media.body : media.stop]) + movie


IDENTITY = u32(1 << 16, 0, 0, 0, 1 << 16, 0, 0, 0, 1 << 30)


def claims(count: int) -> bytes:
    """A header that lists a sample of no byte so many times, in a few bytes."""
    description = full(
        "stsd", u32(1),
        box("avc1", bytes(6), u16(1), bytes(16), u16(64, 36), u32(0x480000, 0x480000, 0), u16(1),
            bytes(32), u16(24, 0xFFFF),
            box("avcC", bytes.fromhex("0142c00affe1000967424c00a8d942109001000468ce3c80"))),
    )  # fmt: skip
    table = box(
        "stbl", description, full("stts", u32(1, count, 1)),
        full("stsc", u32(1, 1, count, 1)), full("stsz", u32(1, count)), full("stco", u32(1, 40)),
    )  # fmt: skip
    return b"".join((
        box("ftyp", b"isom\0\0\2\0isommp42"),
        box("mdat", bytes(100)),
        box("moov",
            full("mvhd", u32(0, 0, 1000, 1000), u32(1 << 16), u16(0x100), bytes(10), IDENTITY,
                 bytes(24), u32(2)),
            box("trak",
                full("tkhd", u32(0, 0, 1, 0, 1000), bytes(16), IDENTITY, u32(64 << 16, 36 << 16),
                     flags=3),
                box("mdia", full("mdhd", u32(0, 0, 25, 1000), b"\x55\xc4\0\0"),
                    full("hdlr", bytes(4), b"vide", bytes(12), b"v\0"),
                    box("minf", full("vmhd", bytes(8), flags=1),
                        box("dinf", full("dref", u32(1), full("url ", flags=1))), table)))),
    ))  # fmt: skip


CASES = (
    Case("three minutes of black, a picture a second", lambda bases: repeated(
        still(bases, "64x36"), 180, ticks=1000),
        Completed(frames=180, rate=Fraction(1)), options={"profile": "long"}),
    Case("four hours of black", lambda bases: repeated(still(bases, "64x36"), 36_000, ticks=400),
         refused("too_long")),
    Case("4K60 in a few frames", lambda bases: repeated(
        still(bases, "3840x2160"), 12, ticks=1000, scale=60_000),
        Completed(frames=12, rate=Fraction(60), size=(170, 96)), memory_bytes=1 << 30),
    Case("three minutes of 4K60", lambda bases: repeated(
        still(bases, "3840x2160"), 12_000, ticks=1000, scale=60_000), refused("too_long")),
    Case("8K in a few frames", lambda bases: repeated(
        still(bases, "7680x4320"), 3, ticks=40), Completed(frames=3, size=(170, 96)),
        memory_bytes=2 << 30),
    Case("two billion frames of one byte", lambda _: claims(2**31 - 1), DAMAGED,
         memory_bytes=2200 << 20),
    Case("two million frames of one byte", lambda _: claims(2_000_000), DAMAGED,
         memory_bytes=2200 << 20),
    Case("a hundred thousand frames of one byte", lambda _: claims(100_000), DAMAGED),
    Case("a movie box of 200 MiB", lambda bases: bases.mp4[:32] + struct.pack(
        ">I4s", 200 << 20, b"moov") + bytes(1000), refused("source_truncated",
                                                            "source_unreadable")),
    Case("a movie box of zeros", lambda _: box("ftyp", b"isom\0\0\2\0isom")
         + box("moov", bytes(2 << 20)), refused("source_unreadable", "no_streams")),
    Case("a megabyte of tables", lambda bases: atoms.inserted(
        bases.mp4, "moov", box=box("udta", *(box("name", b"x") for _ in range(100_000)))),
        either("source_unreadable")),
    Case("a hundred thousand fragments", lambda bases: bases.made(
        "film.mp4", *lavfi("color=black:s=64x36:r=25:d=0.2"), *H264, "-movflags",
        "+frag_keyframe+empty_moov") + box("moof", full("mfhd", u32(1))) * 100_000, DAMAGED),
    Case("mkv: 100,000 empty clusters", lambda bases: bases.made(
        "film.mkv", *lavfi("color=black:s=64x36:r=25:d=0.2"), *H264, "-live", "1")
        + atoms.element(0x1F43B675, atoms.element(0xE7, b"\0")) * 100_000,
        Completed(frames=5, quiet=False)),
    Case("ogg: a page of nothing 50,000 times", lambda bases: b"OggS\0\0" + bytes(20) + b"\x01\0"
         + (b"OggS\0\0" + bytes(20) + b"\x01\0") * 50_000, DAMAGED),
    Case("flv: a tag of 16 MiB", lambda _: b"FLV\x01\x05\0\0\0\x09\0\0\0\0"
         + b"\x09\xff\xff\xff" + bytes(7) + b"\x17" + bytes(500), DAMAGED),
)  # fmt: skip
