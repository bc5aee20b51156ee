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


def large_avi(*, says: int | None = None) -> bytes:
    """Two more lists; the last says how long it is."""
    packets = b"movi" + 6 * chunk(b"00db", bytes(43) + b"\1")
    more, last = (chunk(b"LIST", packets, size=size) for size in (None, says))
    return avi() + chunk(b"RIFF", b"AVIX" + more) + chunk(b"RIFF", b"AVIX" + last, size=says)


def mxf(footer: int) -> bytes:
    pack = struct.pack(">HHIQQQ", 1, 3, 1, 0, 0, footer) + bytes(40)
    key = b"\x06\x0e\x2b\x34\x02\x05\x01\x01\x0d\x01\x02\x01\x01\x02\x04\x00"
    return key + b"\x83" + len(pack).to_bytes(3, "big") + pack


def box(name: bytes, size: int, *, says: int | None = None) -> bytes:
    return struct.pack(">I", 8 + size if says is None else says) + name + bytes(size)


def avi_of(*packets: bytes) -> bytes:
    """As a recorder leaves it that did not come to its end."""
    return avi(says=0)[: -len(bytes(500))] + b"".join(packets)


def element(name: str, body: bytes, *, size: bytes | None = None) -> bytes:
    said = (len(body) | 1 << 28).to_bytes(4, "big") if size is None else size
    return bytes.fromhex(name) + said + body


def live(*clusters: bytes) -> bytes:
    return (
        element("1a45dfa3", bytes(20)) + element("18538067", b"", size=b"\xff") + b"".join(clusters)
    )


def packet(code: int, size: int) -> bytes:
    return b"\0\0\1" + bytes([code]) + struct.pack(">H", size) + b"\x80" * size


BLOCKS = element("e7", b"\1") + 3 * element("a3", bytes(90))
OPEN = element("1f43b675", BLOCKS, size=b"\xff")
CLOSED = element("1f43b675", BLOCKS)
AVI = avi_of(*(chunk(b"00dc", bytes(60)) for _ in range(4)), chunk(b"01wb", bytes(31)) + b"\0")
GROUPS = avi_of(*(chunk(b"LIST", b"rec " + chunk(b"00dc", bytes(60))) for _ in range(4)))
PACK = b"\0\0\1\xba\x44" + bytes(8) + b"\xf8"
OLD_PACK = b"\0\0\1\xba\x21" + bytes(7)
PS = 4 * (PACK + packet(0xE0, 90) + packet(0xC0, 50))
PADDED = 4 * (PACK + packet(0xC0, 50) + bytes(20))
PROGRAM_END = b"\0\0\1\xb9"
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
        pytest.param(live(OPEN, OPEN), True, id="live matroska"),
        pytest.param(live(OPEN, OPEN[:-1]), False, id="live matroska within a block"),
        pytest.param(live(OPEN, OPEN[:-94]), False, id="live matroska within a head"),
        pytest.param(live(OPEN, OPEN[:3]), False, id="live matroska within a cluster's name"),
        pytest.param(live(CLOSED, CLOSED), True, id="streamed matroska"),
        pytest.param(live(CLOSED, CLOSED[:-95]), False, id="streamed matroska within a cluster"),
        pytest.param(live(OPEN, element("ec", bytes(9))), True, id="live matroska and a void"),
        pytest.param(live(element("a3", bytes(90))), True, id="live matroska without a cluster"),
        pytest.param(AVI, True, id="avi never finished"),
        pytest.param(AVI[:-1], True, id="avi without its last padding"),
        pytest.param(AVI[:-2], False, id="avi within a packet"),
        pytest.param(AVI[:-34], False, id="avi within the head of a packet"),
        pytest.param(GROUPS, True, id="avi in groups"),
        pytest.param(GROUPS[:-5], False, id="avi in groups within one"),
        pytest.param(avi_of(), True, id="avi without a packet"),
        pytest.param(AVI + b"\n", True, id="avi and a line"),
        pytest.param(AVI + b"00", False, id="avi within the name of a packet"),
        pytest.param(large_avi(says=0xFFFFFFFF), True, id="large avi never finished"),
        pytest.param(large_avi(says=0xFFFFFFFF)[:-9], False, id="large avi within a packet"),
        pytest.param(PS, True, id="ps"),
        pytest.param(PS + PROGRAM_END, True, id="ps that says its end"),
        pytest.param(PS + PROGRAM_END + bytes(50), True, id="ps and zeros"),
        pytest.param(PS.replace(PACK, OLD_PACK), True, id="ps of mpeg-1"),
        pytest.param(PS.replace(PACK, OLD_PACK)[:-9], False, id="ps of mpeg-1 within a packet"),
        pytest.param(PS[:-9], False, id="ps within a packet"),
        pytest.param(PADDED, True, id="ps in sectors that are filled up"),
        pytest.param(PADDED[:-30], False, id="ps in sectors within a packet"),
        pytest.param(PS + PACK[:5], False, id="ps within a pack"),
        pytest.param(PS[:-9] + PS, True, id="ps that misses something before"),
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
        pytest.param(large_avi(), 0, id="large avi"),
        pytest.param(large_avi(says=0xFFFFFFFF), 0, id="large avi never finished"),
        pytest.param(large_avi(says=0), 0, id="large avi never begun to be finished"),
        pytest.param(large_avi()[:-100], 100, id="large avi cut off"),
        pytest.param(mxf(0), 0, id="mxf never finished"),
        pytest.param(mxf(90), 0, id="mxf"),
        pytest.param(mxf(1000), 1000 - len(mxf(0)), id="mxf cut off"),
    ],
)
def test_what_a_header_promises_is_held_against_the_file(data: bytes, missing: int) -> None:
    kind = sniff.sniff(data[: sniff.SNIFF_BYTES])
    assert ending.missing_bytes(kind, reading(data), len(data)) == missing
