"""Streams of other kinds, none, or far too many; and files that are encrypted."""

from __future__ import annotations

import struct
from fractions import Fraction

from tests.corpus import atoms
from tests.corpus.atoms import Step, box, full, inserted, replaced
from tests.corpus.bases import AAC, H264_B, PICTURE, SOUND, Bases, lavfi
from tests.corpus.case import Case, Completed, refused
from tests.corpus.makers.containers import own_mkv
from tests.corpus.makers.structures import STBL

FILM = Completed(frames=50, sounds=1)
CHAPTERS = b";FFMETADATA1\n[CHAPTER]\nTIMEBASE=1/1000\nSTART=0\nEND=1000\ntitle=\xe2\x80\xae<i>\n"
SUBTITLES = b"1\n00:00:00,000 --> 00:00:01,500\nHallo <b>there</b>\n\n"
NONE = refused("no_streams", "source_unreadable")
KEY = ("-encryption_key", "00112233445566778899aabbccddeeff", "-encryption_kid",
       "00112233445566778899aabbccddeeff")  # fmt: skip
SOUND_STBL: tuple[Step, ...] = ("moov", ("trak", 1), "mdia", "minf", "stbl")


def subtitled(bases: Bases, name: str, codec: str, *, film: bool) -> bytes:
    path = bases.put(SUBTITLES, ".srt")
    if not film:
        return bases.made(name, "-i", f"file:{path}", "-c:s", codec)
    return bases.made(
        name, *lavfi(PICTURE, SOUND), "-i", f"file:{path}", *H264_B, *AAC, "-c:s", codec,
        "-map", "0:v", "-map", "1:a", "-map", "2:s",
    )  # fmt: skip


def cover(bases: Bases, *, sound: bool) -> bytes:
    """A picture of a record, with its sound or without."""
    picture = bases.put(
        bases.made("cover.png", *lavfi("testsrc2=s=64x64:d=0.04"), "-frames:v", "1", "-f", "image2",
                   "-c:v", "png"), ".png")  # fmt: skip
    words = ["-i", f"file:{picture}", *(lavfi(SOUND) if sound else ())]
    maps = ["-map", "0:v", *(("-map", "1:a", *AAC) if sound else ())]
    name = "film.m4a" if sound else "film.mp4"
    return bases.made(
        name, *words, *maps, "-c:v", "copy", "-disposition:v:0", "attached_pic", "-f", "mp4"
    )


def timecode(bases: Bases) -> bytes:
    return bases.made("film.mov", *lavfi(PICTURE, SOUND), *H264_B, *AAC, "-timecode", "10:00:00:00")


def data_alone(bases: Bases) -> bytes:
    """A movie whose only track is a timecode."""
    movie = timecode(bases)
    for _ in range(2):
        movie = replaced(movie, "moov", "trak", by=b"")
    return movie


def many(bases: Bases, count: int) -> bytes:
    """The track of the pictures so many times."""
    data = bases.mp4
    track = atoms.path(data, "moov", "trak")[-1]
    return replaced(data, "moov", "trak", by=data[track.start : track.stop] * count)


def many_mkv(bases: Bases, count: int) -> bytes:
    words = [word for _ in range(count) for word in ("-map", "0:a")]
    return bases.of("film.mkv", *words, "-c", "copy", data=bases.heard, suffix=".m4a")


def pictures(count: int) -> tuple[str, ...]:
    return tuple(word for _ in range(count) for word in ("-map", "0:v"))


def protected(bases: Bases, scheme: str, *, step: str = "avc1", name: str = "encv") -> bytes:
    """The sample entry renamed, with what protects it (ISO/IEC 14496-12, 8.12)."""
    where = STBL if step == "avc1" else SOUND_STBL
    sinf = box(
        "sinf", box("frma", step.encode()), full("schm", scheme.encode(), b"\0\1\0\0"),
        box("schi", full("tenc", b"\0\0\1\x08", bytes(range(16)))),
    )  # fmt: skip

    def change(old: bytes) -> bytes:
        return struct.pack(">I", len(old) + len(sinf)) + name.encode() + old[8:] + sinf

    return replaced(bases.mp4, *where, "stsd", step, by=change)


def scrambled(bases: Bases) -> bytes:
    """A transport stream whose pictures say that they are scrambled, and are noise."""
    packets = []
    for at in range(0, len(bases.ts), 188):
        packet = bytearray(bases.ts[at : at + 188])
        if (packet[1] & 0x1F) << 8 | packet[2] == 0x100 and packet[3] & 0x10:
            start = 4 + (1 + packet[4] if packet[3] & 0x20 else 0)
            packet[3] |= 0x80
            packet[start:] = bytes((byte * 167 + 29) % 256 for byte in packet[start:])
        packets.append(bytes(packet))
    return b"".join(packets)


CASES = (
    Case("pictures alone", lambda bases: bases.silent, Completed(frames=50)),
    Case("two pictures and two sounds", lambda bases: bases.made(
        "film.mp4", *lavfi(PICTURE, SOUND), "-map", "0:v", "-map", "0:v", "-map", "1:a", "-map",
        "1:a", *H264_B, *AAC), Completed(frames=50, sounds=2, notes=("video stream 1 left out",))),
    Case("subtitles in mp4", lambda bases: subtitled(bases, "film.mp4", "mov_text", film=True),
         FILM),
    Case("subtitles in mkv", lambda bases: subtitled(bases, "film.mkv", "ass", film=True), FILM),
    Case("subtitles alone in mp4", lambda bases: subtitled(
        bases, "film.mp4", "mov_text", film=False), NONE),
    Case("subtitles alone in mkv", lambda bases: subtitled(bases, "film.mkv", "srt", film=False),
         NONE),
    Case("a timecode", timecode, FILM),
    Case("a timecode alone", data_alone, NONE),
    Case("a cover and sound", lambda bases: cover(bases, sound=True),
         Completed(sounds=1, sound_s=Fraction(2))),
    Case("a cover alone", lambda bases: cover(bases, sound=False), NONE),
    Case("no stream", lambda bases: replaced(replaced(
        bases.mp4, "moov", "trak", by=b""), "moov", "trak", by=b""), NONE),
    Case("no stream in mkv", lambda bases: atoms.poked(
        bases.mkv, bases.mkv.rindex(b"\x16\x54\xae\x6b"), b"\x16\x54\xae\x6c"), NONE),
    Case("32 streams", lambda bases: bases.of(
        "film.mkv", *("-map", "0:v") * 24, *("-map", "0:a") * 8, "-c", "copy", data=bases.mp4,
        suffix=".mp4"), Completed(frames=50, sounds=8, quiet=False)),
    Case("33 streams", lambda bases: many_mkv(bases, 33), refused("too_many_streams")),
    Case("600 streams in mp4", lambda bases: many(bases, 600), refused("too_many_streams")),
    Case("600 streams in mkv", lambda bases: many_mkv(bases, 600), refused("too_many_streams")),
    Case("chapters", lambda bases: bases.of(
        "film.mp4", "-i", f"file:{bases.put(CHAPTERS, '.txt')}", "-map", "0", "-map_chapters", "1",
        "-c", "copy", data=bases.mp4, suffix=".mp4"), FILM),
    Case("encrypted (cenc)", lambda bases: bases.film(
        "film.mp4", "-encryption_scheme", "cenc-aes-ctr", *KEY), refused("source_encrypted")),
    Case("encrypted (cbcs)", lambda bases: protected(bases, "cbcs"), refused("source_encrypted")),
    Case("encrypted sound", lambda bases: protected(bases, "cenc", step="mp4a", name="enca"),
         refused("source_encrypted")),
    Case("encrypted (FairPlay)", lambda bases: protected(bases, "itun", name="drmi"),
         refused("source_encrypted")),
    Case("a licence for it", lambda bases: inserted(
        bases.mp4, "moov", box=full("pssh", bytes(16), b"\0\0\0\4key!")),
        refused("source_encrypted")),
    Case("encrypted in fragments", lambda bases: bases.film(
        "film.mp4", "-movflags", "+frag_keyframe+empty_moov", "-encryption_scheme", "cenc-aes-ctr",
        *KEY), refused("source_encrypted")),
    Case("encrypted mkv", lambda bases: mkv_encrypted(bases), refused("source_encrypted")),
    Case("a scrambled transport stream", scrambled, refused(
        "source_encrypted", "decode_failed", "frames_missing", "no_streams", "source_unreadable")),
)  # fmt: skip


def mkv_encrypted(_: Bases) -> bytes:
    """ContentEncodings of encryption (RFC 9559, 5.1.4.1.31) in a track of sound."""
    encoding = atoms.element(
        0x6D80,
        atoms.element(
            0x6240, atoms.element(0x5033, b"\x01"),
            atoms.element(0x5035, atoms.element(0x47E1, b"\x05"), atoms.element(0x47E2, bytes(16))),
        ),
    )  # fmt: skip
    return own_mkv(lacing=0, more=encoding)
