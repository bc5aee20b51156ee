"""Times that are late, early, wrapped, missing, uneven or out of all proportion."""

from __future__ import annotations

import struct
from fractions import Fraction
from functools import partial
from typing import Any

from tests.corpus import atoms
from tests.corpus.atoms import Step, field, full, inserted, u32
from tests.corpus.bases import H264, H264_B, PICTURE, Bases, lavfi
from tests.corpus.case import Case, Completed, End, refused
from tests.corpus.makers.structures import DAMAGED

FILM = Completed(frames=50, sounds=1)
TRAK: tuple[Step, ...] = ("moov", "trak")
FINE = ("-fps_mode", "passthrough", "-enc_time_base", "1/90000", "-video_track_timescale", "90000")


def shifted(id: str, name: str, seconds: str, *words: str, end: End = FILM, **more: Any) -> Case:
    """Everything so much later."""
    return Case(
        id,
        lambda bases: bases.film(name, *words, "-output_ts_offset", seconds),
        end,
        **more,
    )


def paced(
    id: str, times: str, end: End, *, frames: int = 50, name: str = "film.mp4",
    codec: tuple[str, ...] = H264_B, words: tuple[str, ...] = (), **more: Any,
) -> Case:  # fmt: skip
    """Frame N at the time that `times` says, in 1/90000 s."""
    picture = f"testsrc2=s=64x36:r=25,trim=end_frame={frames}"
    shown = f"settb=1/90000,setpts='{times}'"
    return Case(
        id,
        lambda bases: bases.made(name, *lavfi(f"{picture},{shown}"), *codec, *FINE, *words),
        end,
        **more,
    )


def mdhd(scale: int, *, track: int = 0) -> Any:
    return lambda bases: field(
        bases.mp4, "moov", ("trak", track), "mdia", "mdhd", at=12, value=u32(scale)
    )


def edits(*entries: tuple[int, int, int]) -> Any:
    """The pictures alone, without B-frames, with this edit list: duration in the movie's ticks
    (1000 a second), media time in the track's (12800), rate."""

    def make(bases: Bases) -> bytes:
        rows = b"".join(struct.pack(">IiI", each[0] % 2**32, each[1], each[2]) for each in entries)
        data = bases.made("film.mp4", *lavfi(PICTURE), *H264, "-bf", "0", "-g", "25")
        if b"edts" in data:
            data = atoms.replaced(data, *TRAK, "edts", by=b"")
        return inserted(
            data, *TRAK, "mdia", box=b""
        ) if not entries else atoms.replaced(
            data, *TRAK, "mdia",
            by=lambda old: atoms.box("edts", full("elst", u32(len(entries)), rows)) + old,
        )  # fmt: skip

    return make


def cut(bases: Bases, *, film: str, frames: int, words: tuple[str, ...] = ()) -> bytes:
    """One of the bases without so many frames in front."""
    drop = f"noise=drop=lt(n\\,{frames})"
    return bases.of(
        "film.mp4", "-c", "copy", "-bsf:v", drop, *words, data=getattr(bases, film), suffix=".mp4"
    )


def at_rate(bases: Bases, *, rate: str) -> bytes:
    """Thirty frames."""
    return bases.made("film.mp4", *lavfi(f"testsrc2=s=64x36:r={rate},trim=end_frame=30"), *H264_B)


ONE = 1 << 16
ONE_SEGMENT = {"chunk_segments": 1}
FEW = Completed(frames=6, rate=Fraction(60), notes=("^10+ frames a second",))
HOUR = 3600 * 90_000

CASES = (
    shifted("ts from 10 s on", "film.ts", "10"),
    shifted("mkv from 10 s on", "film.mkv", "10"),
    shifted("mp4 from 10 s on", "film.mp4", "10"),
    shifted("mkv from a billion seconds on", "film.mkv", "1000000000"),
    shifted("flv from 10 s on", "film.flv", "10", "-ar", "44100"),
    # 2^33 / 90000 = 95443.717…: the clock of a transport stream starts anew after a second.
    shifted("ts whose clock wraps", "film.ts", "95442.7", "-muxdelay", "0", "-muxpreload", "0"),
    shifted("program stream whose clock wraps", "film.mpg", "95442.7", "-c:v", "mpeg2video", "-b:v",
            "400k", "-c:a", "mp2", "-f", "vob", end=Completed(frames=50, sounds=1, quiet=False)),
    shifted("ts from 26.5 h on", "film.ts", "95400"),
    Case("mp4 that begins before zero", lambda bases: bases.of(
        "film.mp4", "-c", "copy", "-ss", "0.5", data=bases.mp4, suffix=".mp4"), DAMAGED),
    paced("a hole of a second after each half", "(N+25*floor(N/12))*3600",
          Completed(frames=150, notes=("variable",))),
    paced("a hole of a second after each half, each frame at its time",
          "(N+25*floor(N/12))*3600", Completed(frames=54, rate=Fraction(0), notes=("variable",)),
          options={"frame_rate": "variable"}),
    paced("holes in mkv", "(N+25*floor(N/12))*3600",
          Completed(frames=150, notes=("variable",)), name="film.mkv"),
    paced("holes in ts", "(N+25*floor(N/15))*3600",
          Completed(frames=125, notes=("variable",)), name="film.ts"),
    paced("uneven frames as of a phone", "N*3000+700*random(1)",
          Completed(frames=50, rate=Fraction(30000, 1001))),
    paced("uneven frames as of a phone, each at its time", "N*3000+700*random(1)",
          Completed(frames=50, rate=Fraction(0), quiet=False),
          options={"frame_rate": "variable"}),
    paced("30 and 60 a second in turn", "if(lt(mod(N,20),10),N*3000,N*3000-1500*mod(N,10))",
          Completed(frames=50, rate=Fraction(30), quiet=False)),
    paced("a hole of two minutes, a picture a second", f"N*90000+if(gte(N,5),{HOUR // 30},0)",
          Completed(frames=650, rate=Fraction(5), notes=("variable",)), frames=10,
          options={"profile": "long"}, codec=(*H264, "-bf", "0")),
    paced("a hole of an hour", f"N*90000+if(gte(N,5),{HOUR},0)", refused("too_long"), frames=10,
          codec=(*H264, "-bf", "0")),
    paced("a hole of a minute, each frame at its time", f"N*90000+if(gte(N,5),{HOUR // 60},0)",
          Completed(frames=70, rate=Fraction(0), quiet=False), frames=10,
          codec=(*H264, "-bf", "0"), options={"frame_rate": "variable", "profile": "long"}),
    paced("a hole of a day", f"N*3600+if(gte(N,5),{24 * HOUR},0)", refused("too_long"), frames=10,
          codec=(*H264, "-bf", "0"), name="film.mkv"),
    paced("0.01 pictures a second", "N*9000000",
          Completed(frames=1000, rate=Fraction(5), notes=("variable",)), frames=2,
          options={"profile": "long"}),
    paced("1,000 pictures a second", "N*90", FEW, frames=100),
    paced("10,000 pictures a second", "N*9", FEW, frames=1000),
    paced("120 pictures a second", "N*750",
          Completed(frames=50, rate=Fraction(60), notes=("^120 frames a second",)), frames=100),
    paced("a tick between pictures", "N", DAMAGED, frames=20),
    paced("one picture", "0", Completed(frames=1), frames=1),
    paced("two pictures", "N*3600", Completed(frames=2), frames=2),
    *(Case(f"{rate} pictures a second", partial(at_rate, rate=rate),
           Completed(frames=30, rate=Fraction(rate)))
      for rate in ("24000/1001", "30000/1001", "60000/1001", "25/2", "48", "15")),
    Case("an odd rate", lambda bases: bases.made(
        "film.mp4", *lavfi("testsrc2=s=64x36:r=23040000/767849,trim=end_frame=30"), *H264_B,
        "-video_track_timescale", "23040000"), Completed(frames=30,
        rate=Fraction(23040000, 767849))),
    Case("timescale 0", mdhd(0), DAMAGED),
    Case("timescale 0 of the sound", mdhd(0, track=1), Completed(frames=50, sounds=1, quiet=False)),
    Case("timescale 1", mdhd(1), DAMAGED),
    Case("timescale 2^31", mdhd(2**31), DAMAGED),
    Case("timescale 2^32 - 1", mdhd(2**32 - 1), DAMAGED),
    Case("movie timescale 0", lambda bases: field(
        bases.mp4, "moov", "mvhd", at=12, value=u32(0)), DAMAGED),
    Case("says that it lasts 65 minutes", lambda bases: field(field(
        bases.mp4, "moov", "mvhd", at=16, value=u32(3_900_000)), *TRAK, "mdia", "mdhd", at=16,
        value=u32(3_900 * 12_800)), FILM),
    Case("says that it lasts no time", lambda bases: field(field(
        bases.mp4, "moov", "mvhd", at=16, value=u32(0)), *TRAK, "mdia", "mdhd", at=16,
        value=u32(0)), FILM),
    Case("mkv says that it lasts 65 minutes", lambda bases: atoms.poked(
        bases.mkv, bases.mkv.index(b"\x44\x89\x88") + 3, struct.pack(">d", 3_900_000.0)), FILM),
    Case("mkv says that it lasts no number", lambda bases: atoms.poked(
        bases.mkv, bases.mkv.index(b"\x44\x89\x88") + 3, struct.pack(">d", float("nan"))), FILM),
    Case("mkv ticks of 0 ns", lambda bases: atoms.substituted(
        bases.mkv, bytes.fromhex("2ad7b1830f4240"), bytes.fromhex("2ad7b183000000"), count=1),
        DAMAGED),
    Case("mkv ticks of 16 ms", lambda bases: atoms.substituted(
        bases.mkv, bytes.fromhex("2ad7b1830f4240"), bytes.fromhex("2ad7b183ffffff"), count=1),
        DAMAGED, options={"profile": "long"}),
    Case("edit list: none", edits(), Completed(frames=50)),
    Case("edit list: empty table", lambda bases: atoms.replaced(
        bases.mp4, *TRAK, "edts", by=atoms.box("edts", full("elst", u32(0)))), DAMAGED),
    Case("edit list: starts at frame 10", edits((1600, 10 * 512, ONE)),
         Completed(frames=40, notes=("10 of 50 frames are not shown",))),
    Case("edit list: a second late", edits((1000, -1, ONE), (2000, 0, ONE)),
         Completed(frames=50)),
    Case("edit list: the middle second", edits((1000, 12 * 512, ONE)),
         Completed(frames=25, notes=("25 of 50 frames are not shown",))),
    Case("edit list: two parts", edits((400, 0, ONE), (400, 25 * 512, ONE)), DAMAGED),
    Case("edit list: nothing of it", edits((0, 0, ONE)), DAMAGED),
    Case("edit list: 13 hours of it", edits((2**31, 0, ONE)), Completed(frames=50)),
    Case("edit list: from behind its end", edits((1000, 2**30, ONE)), DAMAGED),
    Case("edit list: a negative place", edits((1000, -5, ONE)), DAMAGED),
    Case("edit list: at double speed", edits((1000, 0, 2 * ONE)), DAMAGED),
    Case("edit list: a picture that stands", edits((1000, 0, 0)), DAMAGED),
    Case("edit list: 4 billion entries", lambda bases: field(
        edits((2000, 0, ONE))(bases), *TRAK, "edts", "elst", at=4, value=u32(2**32 - 1)), DAMAGED),
    *(Case(f"begins before its first keyframe{which}", partial(cut, film=film, frames=10),
           Completed(frames=25, sounds=sounds, notes=("15 of 40 frames come before the first",
                                                      "^starts at")), options=ONE_SEGMENT)
      for which, film, sounds in (("", "plain", 0), (", with B-frames", "mp4", 1))),
    *(Case(f"begins {where} the keyframe of an open group", partial(
        cut, film="open_hevc", frames=frames, words=("-use_editlist", "0")),
        Completed(frames=30, size=(64, 64), notes=("4 of .. frames are not shown", *notes)),
        options=ONE_SEGMENT)
      for where, frames, notes in (("with", 16, ()), ("before", 5, ("11 of 45 frames come",)))),
    Case("one keyframe", lambda bases: bases.made(
        "film.mp4", *lavfi(PICTURE), *H264, "-bf", "2", "-g", "9999"), Completed(frames=50),
        options={"chunk_segments": 1}),
    Case("nothing but keyframes", lambda bases: bases.made(
        "film.mp4", *lavfi(PICTURE), *H264, "-g", "1"), Completed(frames=50),
        options={"chunk_segments": 1}),
    Case("open groups of pictures", lambda bases: bases.made(
        "film.mp4", *lavfi(PICTURE), "-c:v", "libx264", "-preset", "veryfast", "-pix_fmt",
        "yuv420p", "-bf", "3", "-g", "15", "-x264-params", "open-gop=1:scenecut=0"),
        Completed(frames=50), options={"chunk_segments": 1}),
    Case("open groups of mpeg2", lambda bases: bases.made(
        "film.mov", *lavfi(PICTURE), "-c:v", "mpeg2video", "-b:v", "400k", "-bf", "2", "-g", "12"),
        Completed(frames=50), options={"chunk_segments": 1}),
    Case("intra refresh instead of keyframes", lambda bases: bases.made(
        "film.mp4", *lavfi(PICTURE), "-c:v", "libx264", "-preset", "veryfast", "-pix_fmt",
        "yuv420p", "-x264-params", "intra-refresh=1:keyint=20:bframes=0"), Completed(frames=50),
        options={"chunk_segments": 1}),
)  # fmt: skip
