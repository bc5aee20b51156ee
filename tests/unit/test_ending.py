"""Files that stop too early, by their last bytes and by what their first ones promise."""

from __future__ import annotations

import struct

import pytest

from functions.media.source import ending, sniff
from functions.media.source.ending import Read

TS = b"".join(b"\x47" + bytes(187) for _ in range(20))
M2TS = b"".join(bytes(4) + b"\x47" + bytes(187) for _ in range(20))
FLV_TAG = b"\x09" + (20).to_bytes(3, "big") + bytes(7) + bytes(20)
FLV = b"FLV\1\5\0\0\0\x09\0\0\0\0" + FLV_TAG + struct.pack(">I", len(FLV_TAG))


def page(flags: int, size: int) -> bytes:
    return b"OggS\0" + bytes([flags]) + bytes(20) + b"\1" + bytes([size]) + bytes(size)


def chunk(name: bytes, body: bytes, *, size: int | None = None) -> bytes:
    return name + struct.pack("<I", len(body) if size is None else size) + body


def avi(*, says: int | None = None) -> bytes:
    movie = chunk(b"LIST", b"movi" + bytes(500), size=says)
    return chunk(b"RIFF", b"AVI " + chunk(b"LIST", b"hdrl" + bytes(7) + b"\0") + movie)


def mxf(footer: int) -> bytes:
    pack = struct.pack(">HHIQQQ", 1, 3, 1, 0, 0, footer) + bytes(40)
    key = b"\x06\x0e\x2b\x34\x02\x05\x01\x01\x0d\x01\x02\x01\x01\x02\x04\x00"
    return key + b"\x83" + len(pack).to_bytes(3, "big") + pack


def box(name: bytes, size: int, *, says: int | None = None) -> bytes:
    return struct.pack(">I", 8 + size if says is None else says) + name + bytes(size)


FRAGMENTS = b"".join((
    struct.pack(">I", 16) + b"ftypisom" + bytes(4), box(b"moov", 50),
    *(box(b"moof", 30) + box(b"mdat", 90) for _ in range(3)),
))  # fmt: skip


def reading(data: bytes) -> Read:
    return lambda offset, size: data[offset : offset + size]


@pytest.mark.parametrize(
    ("data", "whole"),
    [
        pytest.param(TS, True, id="ts"),
        pytest.param(TS[:-1], False, id="ts within a packet"),
        pytest.param(TS[50:], True, id="ts from within a packet on"),
        pytest.param(TS[50:-20], False, id="ts within packets"),
        pytest.param(M2TS, True, id="m2ts"),
        pytest.param(M2TS[:-100], False, id="m2ts within a packet"),
        pytest.param(b"ID3\4\0\0\0\0\0\x0a" + bytes(10) + TS, True, id="ts behind a tag"),
        pytest.param(FLV, True, id="flv"),
        pytest.param(FLV[:-2], False, id="flv within a size"),
        pytest.param(FLV + FLV_TAG[:15], False, id="flv within a tag"),
        pytest.param(page(2, 9) + page(4, 99), True, id="ogg"),
        pytest.param(page(2, 9) + page(0, 99), False, id="ogg before its last page"),
        pytest.param(page(2, 9) + page(4, 99)[:-1], False, id="ogg within its last page"),
        pytest.param(FRAGMENTS, True, id="fragments"),
        pytest.param(FRAGMENTS + box(b"mfra", 20), True, id="fragments and their index"),
        pytest.param(FRAGMENTS[:-1], False, id="fragments within media"),
        pytest.param(FRAGMENTS[:-98], False, id="fragments before media"),
        pytest.param(FRAGMENTS[:-93], False, id="fragments within the head of media"),
        pytest.param(FRAGMENTS[:-100], False, id="fragments within a list"),
        pytest.param(FRAGMENTS[:-136], True, id="fragments, one less"),
        pytest.param(FRAGMENTS[:-136] + box(b"mdat", 9, says=0), True, id="media to the end"),
    ],
)
def test_a_stream_that_stops_within_a_packet_shows_it(data: bytes, whole: bool) -> None:
    kind = sniff.sniff(data[: sniff.SNIFF_BYTES])
    assert ending.torn(kind, reading(data), len(data)) is not whole
    assert ending.missing_bytes(kind, reading(data), len(data)) == 0


@pytest.mark.parametrize(
    ("data", "missing"),
    [
        pytest.param(avi(), 0, id="avi"),
        pytest.param(avi()[:-100], 100, id="avi cut off"),
        pytest.param(avi(says=0)[:-100], 0, id="avi never finished"),
        pytest.param(avi(says=0xFFFFFFFF)[:-100], 0, id="avi of unknown length"),
        pytest.param(avi()[:20], 0, id="avi without a list"),
        pytest.param(mxf(0), 0, id="mxf never finished"),
        pytest.param(mxf(90), 0, id="mxf"),
        pytest.param(mxf(1000), 1000 - len(mxf(0)), id="mxf cut off"),
    ],
)
def test_what_a_header_promises_is_held_against_the_file(data: bytes, missing: int) -> None:
    kind = sniff.sniff(data[: sniff.SNIFF_BYTES])
    assert ending.missing_bytes(kind, reading(data), len(data)) == missing
