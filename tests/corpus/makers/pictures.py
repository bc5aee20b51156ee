"""Pictures that are turned, stretched, tiny, wide, deep in colour, interlaced or change midway."""

from __future__ import annotations

from typing import Any

from tests.corpus import atoms
from tests.corpus.atoms import field, replaced, u32
from tests.corpus.bases import H264, H264_B, PICTURE, Bases, lavfi
from tests.corpus.case import Case, Completed, End, refused
from tests.corpus.makers.structures import DAMAGED, STBL

FILM = Completed(frames=50)
CORNERED = (
    "color=gray:s=64x36:r=25:d=1,drawbox=x=0:y=0:w=32:h=18:color=white:t=fill,"
    "drawbox=x=32:y=18:w=32:h=18:color=black:t=fill"
)
"""White is top left, black bottom right."""
DISPLAY = {
    # A picture is turned clockwise by this many degrees, after it was mirrored left to right.
    (0, False): (1, 0, 0, 1), (90, False): (0, 1, -1, 0), (180, False): (-1, 0, 0, -1),
    (270, False): (0, -1, 1, 0), (0, True): (-1, 0, 0, 1), (90, True): (0, -1, -1, 0),
    (180, True): (1, 0, 0, -1), (270, True): (0, 1, 1, 0),
}  # fmt: skip
SEEN = {
    (0, False): "top left", (90, False): "top right", (180, False): "bottom right",
    (270, False): "bottom left", (0, True): "top right", (90, True): "bottom right",
    (180, True): "bottom left", (270, True): "top left",
}  # fmt: skip


def matrix(a: int, b: int, c: int, d: int) -> bytes:
    """The transformation of `tkhd` (ISO/IEC 14496-12, 8.3.2)."""
    one = 1 << 16
    return u32(a * one, b * one, 0, c * one, d * one, 0, 0, 0, 1 << 30)


def cornered(bases: Bases) -> bytes:
    return bases.made("film.mp4", *lavfi(CORNERED), *H264, "-bf", "0")


def turned(degrees: int, mirrored: bool) -> Case:
    way = DISPLAY[degrees, mirrored]
    lies = degrees in (90, 270)
    return Case(
        f"turned by {degrees} degrees" + (", mirrored" if mirrored else ""),
        lambda bases: field(cornered(bases), "moov", "trak", "tkhd", at=40, value=matrix(*way)),
        Completed(frames=25, size=(36, 64) if lies else (64, 36), corner=SEEN[degrees, mirrored]),
    )


def of(
    id: str, picture: str, *words: str, name: str = "film.mp4", end: End = FILM, **more: Any
) -> Case:
    return Case(id, lambda bases: bases.made(name, *lavfi(picture), *words), end, **more)


def aspect(id: str, ratio: tuple[int, int], end: End) -> Case:
    """The pixel's shape as the container says."""
    return Case(
        id,
        lambda bases: replaced(
            bases.made("film.mp4", *lavfi("testsrc2=s=64x36:r=25:d=1,setsar=4/3"), *H264, "-bf",
                       "0", "-bsf:v", "h264_metadata=sample_aspect_ratio=1/1"),
            *STBL, "stsd", "avc1", "pasp", by=atoms.box("pasp", u32(*ratio))),
        end,
    )  # fmt: skip


def joined(bases: Bases, *parts: bytes) -> bytes:
    """Raw H.264 of several makes, one after the other, as a transport stream would carry it."""
    return bases.of("film.ts", "-c", "copy", "-f", "mpegts", data=b"".join(parts), suffix=".264")


def raw(bases: Bases, picture: str, *words: str) -> bytes:
    return bases.made(
        "film.264", *lavfi(picture), "-c:v", "libx264", "-preset", "ultrafast", "-threads", "1",
        *words, "-bf", "0", "-g", "25",
    )  # fmt: skip


def changing(id: str, *parts: tuple[str, ...], end: End, **more: Any) -> Case:
    return Case(
        id, lambda bases: joined(bases, *(raw(bases, *part) for part in parts)), end, **more
    )


X265 = ("-c:v", "libx265", "-preset", "ultrafast", "-tag:v", "hvc1")
HDR = ("-color_primaries", "bt2020", "-colorspace", "bt2020nc", "-color_range", "tv")
SMALL = "testsrc2=s=64x64:r=25:d=1"
Y420 = ("-pix_fmt", "yuv420p")

CASES = (
    *(turned(degrees, mirrored) for mirrored in (False, True) for degrees in (0, 90, 180, 270)),
    Case("turned by 45 degrees", lambda bases: field(
        cornered(bases), "moov", "trak", "tkhd", at=40,
        value=u32(46341, 46341, 0, -46341, 46341, 0, 0, 0, 1 << 30)),
        Completed(frames=25, quiet=False)),
    Case("a display matrix of zeros", lambda bases: field(
        cornered(bases), "moov", "trak", "tkhd", at=40, value=bytes(36)), Completed(frames=25)),
    Case("a display matrix of noise", lambda bases: field(
        cornered(bases), "moov", "trak", "tkhd", at=40, value=bytes(range(200, 236))), DAMAGED),
    of("pixels 4:3", "testsrc2=s=48x36:r=25:d=2,setsar=4/3", *H264_B),
    of("pixels 1:2", "testsrc2=s=128x36:r=25:d=2,setsar=1/2", *H264_B),
    aspect("pixels 0:0", (0, 0), Completed(frames=25, size=(82, 34))),
    aspect("pixels 1000:1", (1000, 1), Completed(frames=25, quiet=False)),
    aspect("pixels 2^32 - 1 : 1", (2**32 - 1, 1), Completed(frames=25, quiet=False)),
    of("1x1", "color=s=2x2:r=25:d=1,format=yuv444p,crop=1:1", "-c:v", "mjpeg",
       "-pix_fmt", "yuvj444p", name="film.mov",
       end=Completed(frames=25, size=(2, 2))),
    of("2x2", "testsrc2=s=2x2:r=25:d=1", *H264, end=Completed(frames=25, size=(2, 2))),
    of("3x5", "testsrc2=s=3x5:r=25:d=1", "-c:v", "mpeg4", end=Completed(frames=25, size=(2, 4))),
    of("63x35", "testsrc2=s=63x35:r=25:d=1", "-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt",
       "yuv444p", end=Completed(frames=25, size=(60, 34))),
    of("36x64", "testsrc2=s=36x64:r=25:d=1", *H264, end=Completed(frames=25, size=(36, 64))),
    of("160x90", "testsrc2=s=160x90:r=25:d=1", *H264, end=Completed(frames=25, size=(160, 90))),
    of("90x160", "testsrc2=s=90x160:r=25:d=1", *H264, end=Completed(frames=25, size=(90, 160))),
    of("16384x16", "color=s=16384x16:r=25:d=0.2", *H264, "-x264-params", "level=6.2",
       end=Completed(frames=5, size=(170, 2))),
    of("16x8192", "color=s=16x8192:r=25:d=0.2", *H264, end=Completed(frames=5, size=(2, 170))),
    of("32768x2", "color=s=32768x2:r=25:d=0.1", "-c:v", "mjpeg", "-pix_fmt", "yuvj420p",
       name="film.mov", end=refused("picture_too_large")),
    of("full range", PICTURE, "-c:v", "mjpeg", "-pix_fmt", "yuvj420p", name="film.mov"),
    of("10 bits", PICTURE, "-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p10le"),
    of("10 bits, 4:4:4", PICTURE, "-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt",
       "yuv444p10le"),
    of("4:2:2", PICTURE, "-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv422p"),
    of("4:1:1", PICTURE, "-c:v", "mjpeg", "-pix_fmt", "yuvj444p", name="film.mov"),
    of("grey", PICTURE, "-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "gray"),
    of("red, green and blue", PICTURE, "-c:v", "libx264rgb", "-preset", "ultrafast", "-pix_fmt",
       "rgb24"),
    of("12 bits", SMALL, *X265, "-pix_fmt", "yuv420p12le", "-x265-params", "log-level=none",
       end=Completed(frames=25, size=(64, 64))),
    of("transparent prores", f"{PICTURE},format=yuva444p10le", "-c:v", "prores_ks", "-profile:v",
       "4444", "-pix_fmt", "yuva444p10le", name="film.mov"),
    of("transparent vp8", f"{PICTURE},format=yuva420p", "-c:v", "libvpx", "-auto-alt-ref", "0",
       "-pix_fmt", "yuva420p", "-deadline", "realtime", "-cpu-used", "8", name="film.webm"),
    of("HDR10", SMALL, *X265, "-pix_fmt", "yuv420p10le", *HDR, "-color_trc", "smpte2084",
       "-x265-params", "log-level=none:hdr10=1:max-cll=1000,400:master-display="
       "G(13250,34500)B(7500,3000)R(34000,16000)WP(15635,16450)L(10000000,1)",
       end=Completed(frames=25, size=(64, 64), quiet=False)),
    of("HDR10 with a peak of nothing", SMALL, *X265, "-pix_fmt", "yuv420p10le", *HDR, "-color_trc",
       "smpte2084", "-x265-params", "log-level=none:hdr10=1:max-cll=0,0",
       end=Completed(frames=25, size=(64, 64), quiet=False)),
    of("HLG", SMALL, *X265, "-pix_fmt", "yuv420p10le", *HDR, "-color_trc", "arib-std-b67",
       "-x265-params", "log-level=none", end=Completed(frames=25, size=(64, 64), quiet=False)),
    of("HDR10 in eight bits", PICTURE, *H264, *HDR, "-color_trc", "smpte2084",
       end=Completed(frames=50, quiet=False)),
    of("colours of 1953", PICTURE, *H264, "-color_primaries", "bt470m", "-color_trc", "gamma22",
       "-colorspace", "fcc"),
    of("a matrix that nobody knows", PICTURE, *H264, "-bsf:v",
       "h264_metadata=colour_primaries=99:transfer_characteristics=99:matrix_coefficients=99",
       end=DAMAGED),
    of("interlaced, top field first", "testsrc2=s=64x64:r=50:d=1,interlace=scan=tff", "-c:v",
       "libx264", "-preset", "veryfast", *Y420, "-flags", "+ilme+ildct", "-x264-params", "tff=1",
       end=Completed(frames=25, size=(64, 64), quiet=False)),
    of("interlaced, bottom field first", "testsrc2=s=64x64:r=50:d=1,interlace=scan=bff", "-c:v",
       "libx264", "-preset", "veryfast", *Y420, "-flags", "+ilme+ildct", "-x264-params", "bff=1",
       end=Completed(frames=25, size=(64, 64), quiet=False)),
    of("interlaced without a word of it", "testsrc2=s=64x64:r=50:d=1,interlace=scan=tff,"
       "setfield=prog", *H264, end=Completed(frames=25, size=(64, 64), quiet=False)),
    of("progressive that says it is interlaced", "testsrc2=s=64x64:r=25:d=1,setfield=tff", "-c:v",
       "libx264", "-preset", "veryfast", *Y420, "-flags", "+ilme+ildct", "-x264-params", "tff=1",
       end=Completed(frames=25, size=(64, 64), quiet=False)),
    of("interlaced mpeg2 in ts", "testsrc2=s=64x64:r=50:d=1,interlace=scan=bff", "-c:v",
       "mpeg2video", "-b:v", "1M", "-flags", "+ilme+ildct", name="film.ts",
       end=Completed(frames=25, size=(64, 64), quiet=False)),
    changing("another size midway", ("testsrc2=s=64x36:r=25:d=1", *Y420),
             ("testsrc2=s=96x54:r=25:d=1", *Y420), end=Completed(frames=50, quiet=False)),
    changing("another size midway, in parts", ("testsrc2=s=64x36:r=25:d=1", *Y420),
             ("testsrc2=s=96x54:r=25:d=1", *Y420), end=Completed(frames=50, quiet=False),
             options={"chunk_segments": 1}),
    changing("another shape midway", ("testsrc2=s=64x36:r=25:d=1", *Y420),
             ("testsrc2=s=36x64:r=25:d=1", *Y420), end=Completed(frames=50, quiet=False)),
    changing("other parameters midway", ("testsrc2=s=64x36:r=25:d=1", *Y420, "-refs", "1"),
             ("testsrc2=s=64x36:r=25:d=1", *Y420, "-refs", "4", "-profile:v", "baseline"),
             end=Completed(frames=50)),
    changing("another kind of picture midway", ("testsrc2=s=64x36:r=25:d=1", *Y420),
             ("testsrc2=s=64x36:r=25:d=1", "-pix_fmt", "yuv422p10le"),
             end=Completed(frames=50, quiet=False)),
    of("black", "color=black:s=64x36:r=25:d=2", *H264_B),
    of("noise", "nullsrc=s=64x36:r=25:d=1,geq=random(1)*255:128:128", *H264, "-qp", "1",
       end=Completed(frames=25)),
    of("lossless", PICTURE, "-c:v", "libx264", "-preset", "ultrafast", "-qp", "0", *Y420),
    of("a codec of pictures alone", PICTURE, "-c:v", "png", name="film.mov",
       end=refused("codec_unsupported")),
    of("an animation codec", PICTURE, "-c:v", "qtrle", name="film.mov",
       end=refused("codec_unsupported")),
    of("a codec whose decoder had a hole", PICTURE, "-c:v", "magicyuv", name="film.mkv",
       end=refused("codec_unsupported")),
    of("raw pictures", PICTURE, "-c:v", "rawvideo", "-pix_fmt", "yuv420p", name="film.mkv",
       end=refused("codec_unsupported")),
    of("wmv2 in avi", PICTURE, "-c:v", "wmv2", "-b:v", "300k", name="film.avi",
       end=refused("codec_unsupported")),
)  # fmt: skip
