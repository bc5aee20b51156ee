"""Files that end too early, or that have nothing but a beginning or an end."""

from __future__ import annotations

from collections.abc import Callable

from tests.corpus import atoms
from tests.corpus.bases import AAC, H264_B, PICTURE, SOUND, Bases, lavfi
from tests.corpus.case import Case, Completed, End, refused
from tests.corpus.makers.containers import MPEG2, RAW

TOO_SHORT = refused("source_not_media", "source_truncated", "source_unreadable", "no_streams")
TORN = ("the file ends within a packet",)
CUT_OFF = refused("source_truncated", "source_unreadable")


def first(size: int) -> Callable[[bytes], bytes]:
    return lambda data: data[:size]


def cut(share: float) -> Callable[[bytes], bytes]:
    return lambda data: data[: int(len(data) * share)]


def of(base: str, words: str, change: Callable[[bytes], bytes], end: End) -> Case:
    """`base`: a property of Bases."""
    return Case(f"{base}: {words}", lambda bases: change(getattr(bases, base)), end)


def made(id: str, name: str, *words: str, share: float, end: End) -> Case:
    return Case(id, lambda bases: cut(share)(bases.made(name, *lavfi(PICTURE, SOUND), *words)), end)


def without_header(data: bytes) -> bytes:
    """From the first byte of media on."""
    return data[atoms.path(data, "mdat")[-1].body :]


def unfinished(data: bytes) -> bytes:
    """An AVI file as a recorder leaves it before it fills in how long it became."""
    at = data.index(b"movi") - 4
    return data[:at] + bytes(4) + data[at + 4 :]


def zeroed(*steps: atoms.Step) -> Callable[[bytes], bytes]:
    def change(data: bytes) -> bytes:
        box = atoms.path(data, *steps)[-1]
        return data[: box.body] + bytes(box.stop - box.body) + data[box.stop :]

    return change


def tail_lost(bases: Bases) -> bytes:
    """A transfer that left nothing but zeros from the middle on."""
    data = bases.faststart
    return data[: len(data) // 2] + bytes(len(data) - len(data) // 2)


CASES = (
    Case("no byte", lambda _: b"", refused("source_empty")),
    *(of("faststart", f"first {size} bytes", first(size), TOO_SHORT)
      for size in (1, 7, 8, 24, 32, 100)),
    *(of("faststart", f"first {share:.0%}", cut(share), CUT_OFF)
      for share in (0.01, 0.1, 0.5, 0.9, 0.99)),
    *(of("mp4", f"first {share:.0%}", cut(share), CUT_OFF)
      for share in (0.01, 0.1, 0.5, 0.9, 0.99)),
    of("faststart", "without its last byte", lambda data: data[:-1], CUT_OFF),
    of("mp4", "media without header", without_header, TOO_SHORT),
    of("mp4", "media zeroed", zeroed("mdat"), refused("decode_failed", "frames_missing")),
    of("mp4", "movie box zeroed", zeroed("moov"), refused("source_unreadable", "no_streams")),
    of("mp4", "sample table zeroed", zeroed("moov", "trak", "mdia", "minf", "stbl"),
       refused("codec_unsupported")),
    Case("the second half is zeros", tail_lost, refused("decode_failed", "frames_missing")),
    of("mkv", "first 100 bytes", lambda data: data[:100], TOO_SHORT),
    of("mkv", "first 50%", cut(0.5), CUT_OFF),
    of("mkv", "first 99%", cut(0.99), CUT_OFF),
    of("ts", "first 188 bytes", lambda data: data[:188], TOO_SHORT),
    of("ts", "first 50%", cut(0.5), Completed(frames=26, sounds=1, quiet=False)),
    of("ts", "without its last 50 bytes", lambda data: data[:-50],
       Completed(frames=50, sounds=1, notes=TORN)),
    made("avi: first 50%", "film.avi", "-c:v", "mpeg4", "-b:v", "400k", "-c:a", "libmp3lame",
         share=0.5, end=CUT_OFF),
    made("flv: first 50%", "film.flv", *H264_B, *AAC, share=0.5,
         end=Completed(frames=25, sounds=1, quiet=False)),
    made("ogg: first 50%", "film.ogv", "-c:v", "libvpx", "-cpu-used", "8", "-deadline", "realtime",
         "-c:a", "libopus", share=0.5, end=Completed(frames=1, sounds=1, quiet=False)),
    made("program stream: first 50%", "film.mpg", *MPEG2, "-c:a", "mp2", "-f", "vob", share=0.5,
         end=Completed(frames=47, sounds=1, notes=TORN)),
    made("mxf: first 50%", "film.mxf", *MPEG2, "-c:a", "pcm_s16le", share=0.5, end=CUT_OFF),
    # Without sound: where that lies among the pictures depends on which thread was first.
    made("fragmented: first 60%", "film.mp4", *H264_B, "-map", "0:v",
         "-movflags", "+frag_keyframe+empty_moov", share=0.6,
         end=Completed(frames=25, notes=TORN)),
    made("live mkv: first 60%", "film.mkv", *H264_B, *AAC, "-live", "1", share=0.6,
         end=Completed(frames=29, sounds=1, notes=(*TORN, "variable frame rate: 27"))),
    Case("avi never finished: first 60%",
         lambda bases: cut(0.6)(unfinished(bases.made(
             "film.avi", *lavfi(PICTURE, SOUND), "-c:v", "mpeg4", "-c:a", "libmp3lame"))),
         Completed(frames=26, sounds=1, notes=(*TORN, "variable frame rate: 25"))),
    made("raw h264: first 50%", "film.264", *H264_B, "-map", "0:v", share=0.5,
         end=Completed(frames=20, notes=RAW)),
)  # fmt: skip
