"""The twenty real files. Counts and times are ffprobe's (5.1, frames decoded), boxes were read by
hand, and orientation, scan and colour were looked at in stills."""

from __future__ import annotations

from fractions import Fraction

from tests.reference.truth import BT601, BT709, HLG, Colour, Picture, Sound, Truth

HD = Colour(matrix="bt709", transfer="bt709", primaries="bt709")
NTSC = Fraction(30000, 1001)
FILM = Fraction(24000, 1001)

_STILL = frozenset({"lost", "doubled", "late", "combed"})
"""What only pictures that move show: there, frames are only counted."""
_SLOW = frozenset({"lost", "doubled", "combed"})
"""What a small movement shows only when it is everywhere."""

REAL = (
    Truth(
        name="bbb_2500ms.ts",
        seen="MPEG-2 in TS from 1.525 s on. The second picture is presented three frames after the "
        "first (PES headers), so 58 pictures fill 60 frames. Sound starts 11 ms earlier.",
        picture=Picture(
            frames=60,
            rate=Fraction(24),
            width=1920,
            height=1080,
            colour=BT709,
            held=2,
        ),
        sounds=(Sound(channels=2, start_ms=-11, end_ms=2502),),
    ),
    Truth(
        name="bigbuckbunny-720p25.mp4",
        seen="Plain H.264; names no colours. AAC in 5.1, of which the LFE is silent.",
        picture=Picture(frames=132, rate=Fraction(25), width=1280, height=720, colour=BT709),
        sounds=(Sound(channels=6, start_ms=0, end_ms=5312),),
    ),
    Truth(
        name="bikes-640x272.mp4",
        seen="An odd shape, many cuts, no sound; names no colours.",
        picture=Picture(frames=250, rate=Fraction(25), width=640, height=272, colour=BT601),
    ),
    Truth(
        name="dv-pal-interlaced.mov",
        seen="A moving test card. Flagged as bottom field first, but both fields show one moment "
        "(idet: 23 of 25 progressive, none interlaced; no comb at any edge). Pixels are 59:54, "
        "`clap` leaves 703 of 720 columns: 768x576 as `clef` says. `colr` is 5, 1, 6.",
        picture=Picture(
            frames=25,
            rate=Fraction(25),
            width=768,
            height=576,
            crop="702:576:8:0",
            colour=Colour(matrix="smpte170m", transfer="bt709", primaries="bt470bg"),
            silent=_SLOW,
        ),
    ),
    Truth(
        name="hlg10-color-test.mp4",
        seen="A colour chart filmed in HLG, ten bits; 3001 ticks of 90 kHz a frame.",
        picture=Picture(
            frames=9,
            rate=Fraction(90000, 3001),
            width=1920,
            height=1080,
            colour=HLG,
            silent=_STILL,
        ),
        sounds=(Sound(channels=2, start_ms=0, end_ms=289, language="eng"),),
    ),
    Truth(
        name="long_1080p_lowbitrate.mp4",
        seen="Six minutes of black, sound that ends 2.8 s before; names no colours.",
        picture=Picture(
            frames=10_883,
            rate=Fraction(30),
            width=1920,
            height=1080,
            colour=BT709,
            flat=True,
        ),
        sounds=(Sound(channels=2, start_ms=0, end_ms=360_000),),
        profile="tiny",
        chunk_segments=8,
    ),
    Truth(
        name="multiple_audio.mp4",
        seen="Two sounds without a picture: AAC in stereo, AC-3 in 5.1.",
        sounds=(
            Sound(channels=2, start_ms=0, end_ms=10_005),
            Sound(channels=6, start_ms=0, end_ms=10_011),
        ),
    ),
    Truth(
        name="nasa-2video-2audio-1subtitle.mp4",
        seen="Two pictures and two sounds: the first picture is the one that players show.",
        picture=Picture(
            frames=325,
            rate=Fraction(25),
            width=320,
            height=180,
            colour=HD,
        ),
        sounds=(
            Sound(channels=2, start_ms=0, end_ms=13_056, language="eng"),
            Sound(channels=2, start_ms=0, end_ms=13_056, language="eng"),
        ),
    ),
    Truth(
        name="portrait_4k60.mp4",
        seen="A telephone held upright: stored lying, matrix 0 1 -1 0, a quarter clockwise. Steps "
        "of 1445 to 1552 ticks of 90 kHz, each within a millisecond of 60 a second. Full range.",
        picture=Picture(
            frames=18,
            rate=Fraction(60),
            width=2160,
            height=3840,
            turn="transpose=clock",
            colour=Colour(matrix="bt470bg", transfer="smpte170m", primaries="bt470bg", full=True),
            silent=_STILL,
        ),
        sounds=(Sound(channels=2, start_ms=0, end_ms=313, language="eng"),),
    ),
    Truth(
        name="prores-422-proxy.mov",
        seen="The test card in 4:2:2 and ten bits; only the matrix is named, in the frames.",
        picture=Picture(
            frames=25, rate=Fraction(25), width=320, height=240, colour=BT601, silent=_SLOW
        ),
    ),
    Truth(
        name="sample.avi",
        seen="98 slots at 23.976, of which the second and third are empty: the first frame stands "
        "for three. Names no colours.",
        picture=Picture(
            frames=98,
            rate=FILM,
            width=960,
            height=400,
            colour=BT601,
            held=2,
        ),
        sounds=(Sound(channels=2, start_ms=0, end_ms=4080),),
    ),
    Truth(
        name="sample_audio_only.mp4",
        seen="One sound, nothing else: 43 ms of empty edit, 23 ms that nobody hears.",
        sounds=(Sound(channels=1, start_ms=0, end_ms=1022),),
    ),
    Truth(
        name="sample_edit_list.mp4",
        seen="HEVC of Dolby Vision profile 8.4, which is HLG. The edit shows 77 of 86 frames, "
        "the last for 8 of its 20 ticks. A quarter clockwise.",
        picture=Picture(
            frames=77,
            rate=NTSC,
            width=1080,
            height=1920,
            turn="transpose=clock",
            colour=HLG,
        ),
        sounds=(Sound(channels=2, start_ms=0, end_ms=2548),),
    ),
    Truth(
        name="sample_no_bframes.mp4",
        seen="Sound is the first track and starts 67 ms behind the picture.",
        picture=Picture(
            frames=30,
            rate=NTSC,
            width=1080,
            height=720,
            colour=HD,
            silent=_STILL,
        ),
        sounds=(Sound(channels=1, start_ms=67, end_ms=1089),),
    ),
    Truth(
        name="sample_rotate_and_reflect.mp4",
        seen="Matrix 0 1 1 0: rows become columns, which is a turn and a mirror.",
        picture=Picture(
            frames=30,
            rate=NTSC,
            width=720,
            height=1080,
            turn="transpose=cclock_flip",
            colour=BT709,
            silent=_STILL,
        ),
        sounds=(Sound(channels=1, start_ms=67, end_ms=1089),),
    ),
    Truth(
        name="sample_shorter_audio.mp4",
        seen="Sound ends at 0.77 s, pictures at 1.2 s. Full range; colours of PAL.",
        picture=Picture(
            frames=72,
            rate=Fraction(60),
            width=320,
            height=240,
            colour=Colour(matrix="smpte170m", transfer="smpte170m", primaries="bt470bg", full=True),
        ),
        sounds=(Sound(channels=1, start_ms=23, end_ms=766),),
    ),
    Truth(
        name="sample_video_only.mp4",
        seen="No sound; names no colours.",
        picture=Picture(frames=30, rate=NTSC, width=1080, height=720, colour=BT709, silent=_STILL),
    ),
    Truth(
        name="sample_with_increasing_timestamps_360p.mp4",
        seen="767849 ticks of 23.04 MHz a frame, a rate of its own: 30.0059.",
        picture=Picture(
            frames=512,
            rate=Fraction(23_040_000, 767_849),
            width=640,
            height=360,
            colour=HD,
        ),
        sounds=(Sound(channels=2, start_ms=3, end_ms=17_024, language="eng"),),
    ),
    Truth(
        name="sample_with_srt.mkv",
        seen="Milliseconds that are those of 30 a second, rounded; claims 1000 a second on "
        "average. AC-3 from 62 ms on. Names no colours.",
        picture=Picture(
            frames=30, rate=Fraction(30), width=1080, height=720, colour=BT709, silent=_STILL
        ),
        sounds=(Sound(channels=1, start_ms=62, end_ms=1072),),
    ),
    Truth(
        name="xdcam-ex-1080i60.mov",
        seen="The test card in MPEG-2. Flagged as top field first, but both fields show one moment "
        "(idet: 23 of 25 progressive). `clap` leaves 1888x1062, as `clef` says.",
        picture=Picture(
            frames=25,
            rate=Fraction(25),
            width=1888,
            height=1062,
            crop="1888:1062:16:9",
            colour=HD,
            silent=_SLOW,
        ),
    ),
)
