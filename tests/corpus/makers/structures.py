"""Boxes, elements and tables that contradict themselves or claim too much."""

from __future__ import annotations

import struct
from functools import partial

from tests.corpus import atoms
from tests.corpus.atoms import Step, box, field, full, grown, inserted, replaced, sized, u32, u64
from tests.corpus.bases import AAC, H264_B, PICTURE, SOUND, Bases, lavfi
from tests.corpus.case import Case, Completed, End, either, refused

FILM = Completed(frames=50, sounds=1)
STBL: tuple[Step, ...] = ("moov", "trak", "mdia", "minf", "stbl")
UNREADABLE = refused("source_unreadable", "source_truncated", "no_streams")
DAMAGED = either(
    "source_unreadable", "source_truncated", "no_streams", "decode_failed", "frames_missing",
    "codec_unsupported", "too_long", "source_not_media",
)  # fmt: skip


def sizes() -> list[Case]:
    """Each box of the movie with a wrong size."""
    found = []
    places: dict[str, tuple[Step, ...]] = {
        "ftyp": ("ftyp",), "mdat": ("mdat",), "moov": ("moov",), "mvhd": ("moov", "mvhd"),
        "trak": ("moov", "trak"), "tkhd": ("moov", "trak", "tkhd"),
        "mdia": ("moov", "trak", "mdia"), "stbl": STBL, "stsd": (*STBL, "stsd"),
        "stts": (*STBL, "stts"), "stsz": (*STBL, "stsz"), "stco": (*STBL, "stco"),
    }  # fmt: skip
    for name, steps in places.items():
        for words, change in (
            ("one too many", lambda data, steps=steps: grown(data, 1, *steps)),
            ("one too few", lambda data, steps=steps: grown(data, -1, *steps)),
            ("0", lambda data, steps=steps: sized(data, 0, *steps)),
            ("4 GiB", lambda data, steps=steps: sized(data, 2**32 - 1, *steps)),
        ):
            if name in ("trak", "tkhd", "mdia", "stts") and words in ("one too many", "0"):
                continue  # enough of a kind
            found.append(Case(f"size of {name}: {words}", partial(changed, change=change), DAMAGED))
    return found


def changed(bases: Bases, *, change: atoms.Edit) -> bytes:
    return change(bases.mp4)


def table(id: str, name: str, *, at: int, value: bytes, end: End = DAMAGED) -> Case:
    """Other bytes in a table of the pictures."""
    return Case(id, lambda bases: field(bases.mp4, *STBL, name, at=at, value=value), end)


def wide_mdat(bases: Bases) -> bytes:
    """64 bits for the size of the media, in a box that has always had the room."""
    data = bases.mp4
    free = atoms.path(data, "free")[-1]
    media = atoms.path(data, "mdat")[-1]
    assert media.start == free.stop
    head = struct.pack(">I4sQ", 1, b"mdat", media.stop - free.start)
    return data[: free.start] + head + data[free.start + 16 :]


def twice(bases: Bases) -> bytes:
    data = bases.mp4
    movie = atoms.path(data, "moov")[-1]
    return data + data[movie.start : movie.stop]


def swapped(bases: Bases) -> bytes:
    """The movie box moved before the media, and every offset is wrong."""
    data = bases.mp4
    movie = atoms.path(data, "moov")[-1]
    media = atoms.path(data, "mdat")[-1]
    return (data[: media.start] + data[movie.start : movie.stop]
            + data[media.start : media.stop])  # fmt: skip


def nested(bases: Bases) -> bytes:
    """Ten thousand boxes, each in the other."""
    body = b""
    for _ in range(10_000):
        body = box("udta", body)
    return inserted(bases.mp4, "moov", box=body)


def crowded(bases: Bases) -> bytes:
    return bases.mp4 + box("free") * 2000


def mkv_element(bases: Bases, name: str, old: bytes, new: bytes) -> bytes:
    return atoms.substituted(bases.mkv, old, new, count=1)


def ebml_deep(bases: Bases) -> bytes:
    """Tags in tags in tags."""
    body = b""
    for _ in range(2000):
        body = atoms.element(0x67C8, body)
    return bases.mkv + atoms.element(0x1254C367, atoms.element(0x7373, body))


def dropped(data: bytes, *, every: int) -> bytes:
    """One byte of each so many is lost."""
    return b"".join(data[at : at + every - 1] for at in range(0, len(data), every))


def flood(bases: Bases) -> bytes:
    """A transport stream with a packet of each of 8,000 further PIDs."""
    extra = b"".join(
        b"\x47" + struct.pack(">H", 0x4000 | pid) + b"\x10" + b"\0\0\1\xe0" + bytes(180)
        for pid in range(0x100, 0x1F40)
        if pid not in (0x100, 0x101)
    )
    return bases.ts + extra


def corrupt_ts(bases: Bases) -> bytes:
    """One packet of ten says that it has an error, and has one."""
    packets = [bases.ts[at : at + 188] for at in range(0, len(bases.ts), 188)]
    return b"".join(
        packet[:1] + bytes([packet[1] | 0x80]) + packet[2:4] + b"\xff" * 184
        if number % 10 == 9 else packet
        for number, packet in enumerate(packets)
    )  # fmt: skip


def avi(bases: Bases) -> bytes:
    return bases.made("film.avi", *lavfi(PICTURE, SOUND), "-c:v", "mjpeg", "-c:a", "pcm_s16le")


def avi_index(bases: Bases, change: str) -> bytes:
    data = avi(bases)
    at = data.rindex(b"idx1")
    size = struct.unpack_from("<I", data, at + 4)[0]
    rows = bytearray(data[at + 8 : at + 8 + size])
    for row in range(0, size, 16):
        offset, length = struct.unpack_from("<II", rows, row + 8)
        if change == "offsets":
            offset = (offset * 7919) % 2**32
        elif change == "lengths":
            length = 2**31 - 1
        elif change == "flags":
            struct.pack_into("<I", rows, row + 4, 0)
        struct.pack_into("<II", rows, row + 8, offset, length)
    return data[: at + 8] + bytes(rows) + data[at + 8 + size :]


CASES = (
    *sizes(),
    Case("64-bit size of mdat", wide_mdat, FILM),
    Case("two movie boxes", twice, FILM),
    Case("movie box before the media, offsets as before", swapped, DAMAGED),
    Case("10,000 boxes in each other", nested, either("source_unreadable")),
    Case("2,000 boxes in a row", crowded, refused("source_unreadable")),
    table("stsz: 4 billion samples", "stsz", at=8, value=u32(2**32 - 1)),
    table("stsz: a sample of 2 GiB", "stsz", at=12, value=u32(2**31 - 1)),
    table("stsz: all samples of one size", "stsz", at=4, value=u32(1000)),
    table("stsz: no sample", "stsz", at=8, value=u32(0)),
    table("stco: beyond the end", "stco", at=8, value=u32(2**32 - 9)),
    table("stco: into the movie box", "stco", at=8, value=u32(4)),
    table("stco: 4 billion chunks", "stco", at=4, value=u32(2**32 - 1)),
    table("stsc: 2 billion samples a chunk", "stsc", at=12, value=u32(2**31 - 1)),
    table("stsc: chunk 0", "stsc", at=8, value=u32(0)),
    table("stsc: a description that is not there", "stsc", at=16, value=u32(9)),
    table("stts: 4 billion samples", "stts", at=8, value=u32(2**32 - 1)),
    table("stts: no time passes", "stts", at=12, value=u32(0)),
    table("stts: 2^31 ticks a sample", "stts", at=12, value=u32(2**31)),
    table("ctts: 2^31 ticks", "ctts", at=12, value=u32(2**31)),
    table("ctts: 4 billion entries", "ctts", at=4, value=u32(2**32 - 1)),
    table("stss: no keyframe", "stss", at=4, value=u32(0)),
    table("stss: the first is the 26th", "stss", at=8, value=u32(26)),
    table("stsd: no description", "stsd", at=4, value=u32(0)),
    table("stsd: a codec of zeros", "stsd", at=12, value=bytes(4)),
    table("stsd: a picture of 40,000 by 40,000", "stsd", at=40, value=struct.pack(">HH", 40_000,
          40_000), end=refused("picture_too_large")),
    table("stsd: a picture of 0 by 0", "stsd", at=40, value=bytes(4)),
    Case("stsd: another size than the pictures", lambda bases: field(
        bases.mp4, *STBL, "stsd", at=40, value=struct.pack(">HH", 640, 360)), DAMAGED),
    Case("no sample table", lambda bases: replaced(bases.mp4, *STBL, by=b""), DAMAGED),
    Case("no time-to-sample table", lambda bases: replaced(bases.mp4, *STBL, "stts", by=b""),
         DAMAGED),
    Case("no chunk offsets", lambda bases: replaced(bases.mp4, *STBL, "stco", by=b""), DAMAGED),
    Case("no decoder configuration", lambda bases: replaced(
        bases.mp4, *STBL, "stsd", "avc1", "avcC", by=b""), DAMAGED),
    Case("a decoder configuration of zeros", lambda bases: replaced(
        bases.mp4, *STBL, "stsd", "avc1", "avcC", by=lambda old: old[:8] + bytes(len(old) - 8)),
        DAMAGED),
    Case("64-bit chunk offsets", lambda bases: replaced(
        bases.mp4, *STBL, "stco", by=lambda old: full(
            "co64", old[12:16], u64(*struct.unpack(f">{(len(old) - 16) // 4}I", old[16:])))),
        FILM),
    Case("mkv: a segment of 2^56 bytes", lambda bases: atoms.poked(
        bases.mkv, bases.mkv.index(b"\x18\x53\x80\x67") + 4, b"\x01" + b"\xfe" * 7),
        refused("source_truncated", "source_unreadable")),
    Case("mkv: cues that point nowhere", lambda bases: atoms.substituted(
        bases.mkv, b"\x1c\x53\xbb\x6b", b"\xec\x53\xbb\x6b", count=1), FILM),
    Case("mkv: clusters whose name is wrong", lambda bases: atoms.substituted(
        bases.mkv, b"\x1f\x43\xb6\x75", b"\x1f\x43\xb6\x76"), DAMAGED),
    Case("mkv: elements 2,000 deep", ebml_deep, DAMAGED),
    Case("mkv: tracks of number 0", lambda bases: atoms.substituted(
        bases.mkv, b"\xd7\x81", b"\xd7\x80"), DAMAGED),
    Case("ts: a byte of each packet lost", lambda bases: dropped(bases.ts, every=188), DAMAGED),
    Case("ts: a byte of each tenth packet lost", lambda bases: dropped(bases.ts, every=1880),
         DAMAGED),
    Case("ts: starts in the middle of a packet", lambda bases: bases.ts[100:],
         Completed(frames=50, sounds=1, quiet=False)),
    Case("ts: 8,000 further streams", flood, either("too_many_streams", "source_unreadable")),
    Case("ts: every tenth packet destroyed", corrupt_ts, DAMAGED),
    Case("ts: no table of programs", lambda bases: b"".join(
        bases.ts[at : at + 188] for at in range(0, len(bases.ts), 188)
        if bases.ts[at + 1] & 0x1F or bases.ts[at + 2]), DAMAGED),
    Case("avi: an index of wrong places", lambda bases: avi_index(bases, "offsets"),
         DAMAGED),
    Case("avi: an index of wrong lengths", lambda bases: avi_index(bases, "lengths"), DAMAGED),
    Case("avi: an index without keyframes", lambda bases: avi_index(bases, "flags"), DAMAGED),
    Case("avi: no index", lambda bases: atoms.substituted(avi(bases), b"idx1", b"JUNK"),
         Completed(frames=50, sounds=1)),
    Case("avi: of 2^31 frames", lambda bases: atoms.poked(
        avi(bases), avi(bases).index(b"avih") + 8 + 16, struct.pack("<I", 2**31)),
        Completed(frames=50, sounds=1)),
    Case("avi: a rate of 0", lambda bases: atoms.poked(
        avi(bases), avi(bases).index(b"strh") + 8 + 20, bytes(8)), DAMAGED),
    Case("flv: times that go back", lambda bases: backwards(bases), DAMAGED),
    Case("fragments: a run of 4 billion samples", lambda bases: run_count(bases, 2**32 - 1),
         DAMAGED),
    Case("fragments: a run that points nowhere", lambda bases: fragment_field(
        bases, "trun", 8, u32(2**31 - 1)), DAMAGED),
    Case("fragments: of a track that is not there", lambda bases: fragment_field(
        bases, "tfhd", 4, u32(99)), DAMAGED),
    Case("fragments: decode time 2^63", lambda bases: fragment_field(
        bases, "tfdt", 4, u64(2**63)), DAMAGED),
)  # fmt: skip


def backwards(bases: Bases) -> bytes:
    """Flash: the times of every fifth tag are a second earlier."""
    data = bytearray(bases.film("film.flv", "-ar", "44100"))
    at, number = 13, 0
    while at + 11 < len(data):
        size = int.from_bytes(data[at + 1 : at + 4], "big")
        when = int.from_bytes(data[at + 4 : at + 7], "big")
        if data[at] == 9 and number % 5 == 4:
            data[at + 4 : at + 7] = max(0, when - 1000).to_bytes(3, "big")
        number += data[at] == 9
        at += 11 + size + 4
    return bytes(data)


def fragmented(bases: Bases) -> bytes:
    return bases.made(
        "film.mp4", *lavfi(PICTURE, SOUND), *H264_B, *AAC,
        "-movflags", "+frag_keyframe+empty_moov+default_base_moof",
    )  # fmt: skip


def run_count(bases: Bases, count: int) -> bytes:
    return fragment_field(bases, "trun", 4, u32(count))


def fragment_field(bases: Bases, name: str, at: int, value: bytes) -> bytes:
    """In the second fragment's first track."""
    return field(fragmented(bases), ("moof", 1), "traf", name, at=at, value=value)
