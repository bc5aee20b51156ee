"""Every container and codec that is taken, as its usual muxer writes it."""

from __future__ import annotations

from fractions import Fraction

from tests.corpus.atoms import element, number
from tests.corpus.bases import AAC, H264, H264_B, PICTURE, SOUND, Bases, lavfi
from tests.corpus.case import Case, Completed, End, refused

FILM = Completed(frames=50, sounds=1)
BOTH = (PICTURE, SOUND)
RAW = ("no container: pictures have no times",)
MPEG2 = ("-c:v", "mpeg2video", "-b:v", "400k", "-g", "12", "-bf", "2")


def coded(id: str, name: str, *words: str, end: End = FILM, picture: str = PICTURE) -> Case:
    """Picture and sound by these encoders and this muxer."""
    return Case(id, lambda bases: bases.made(name, *lavfi(picture, SOUND), *words), end)


def own_mkv(*, lacing: int, more: bytes = b"") -> bytes:
    """A second of PCM in Matroska whose blocks hold several frames each (RFC 9559, 10.3); `more`
    is in the track."""
    frame = b"".join(((i * 997) % 20_000 - 10_000).to_bytes(2, "little", signed=True)
                     for i in range(80))  # fmt: skip
    track = element(
        0xAE, element(0xD7, b"\x01"), element(0x73C5, b"\x01"), element(0x83, b"\x02"),
        element(0x86, b"A_PCM/INT/LIT"),
        element(0xE1, element(0xB5, bytes.fromhex("45fa0000")), element(0x9F, b"\x01"),
                element(0x6264, b"\x10")),
        more,
    )  # fmt: skip
    blocks = []
    for at in range(0, 1000, 40):
        head = b"\x81" + at.to_bytes(2, "big") + bytes([0x80 | lacing << 1])
        sizes = {0: b"", 1: b"\x03" + bytes([160]) * 3, 2: b"\x03",
                 3: b"\x03" + b"\x40\xa0" + b"\xbf\xbf"}[lacing]  # fmt: skip
        frames = frame * (1 if lacing == 0 else 4)
        blocks.append(element(0xA3, head + sizes + frames))
    return b"".join((
        element(0x1A45DFA3, element(0x4282, b"matroska"), element(0x4287, b"\x04"),
                element(0x4285, b"\x02")),
        element(0x18538067,
                element(0x1549A966, element(0x2AD7B1, number(1_000_000))),
                element(0x1654AE6B, track),
                element(0x1F43B675, element(0xE7, b"\x00"), *blocks)),
    ))  # fmt: skip


def attached(bases: Bases) -> bytes:
    """Matroska with a font and a program as attachments."""
    words: list[str] = []
    for number_, (kind, data) in enumerate(
        (("application/x-truetype-font", b"\0\1\0\0" * 99), ("application/x-dosexec", b"MZ" * 99))
    ):
        words += ["-attach", str(bases.put(data, f".{number_}"))]
        words += [f"-metadata:s:t:{number_}", f"mimetype={kind}"]
    return bases.made("film.mkv", *lavfi(*BOTH), *H264_B, *AAC, *words)


CASES = (
    Case("mp4, movie box last", lambda bases: bases.mp4, FILM),
    Case("mp4, movie box first", lambda bases: bases.faststart, FILM),
    coded("mov", "film.mov", *H264_B, "-c:a", "pcm_s16le"),
    coded("3gp", "film.3gp", *H264, *AAC),
    coded("3gp with h263", "film.3gp", "-c:v", "h263", "-b:v", "200k", *AAC,
          picture="testsrc2=s=128x96:r=25:d=2", end=Completed(frames=50, size=(128, 96), sounds=1)),
    coded("mkv", "film.mkv", *H264_B, *AAC),
    coded("mkv of packets in clusters of unknown size", "film.mkv", *H264_B, *AAC,
          "-live", "1", "-cluster_time_limit", "300"),
    coded("mkv without cues", "film.mkv", *H264_B, *AAC, "-write_crc32", "0", "-live", "1"),
    Case("mkv with attachments", attached, FILM),
    Case("mkv with Xiph lacing", lambda _: own_mkv(lacing=1),
         Completed(sounds=1, sound_s=Fraction(1))),
    Case("mkv with EBML lacing", lambda _: own_mkv(lacing=3),
         Completed(sounds=1, sound_s=Fraction(1))),
    Case("mkv with fixed lacing", lambda _: own_mkv(lacing=2),
         Completed(sounds=1, sound_s=Fraction(1))),
    coded("webm vp8", "film.webm", "-c:v", "libvpx", "-cpu-used", "8", "-deadline", "realtime",
          "-c:a", "libopus"),
    coded("webm vp9", "film.webm", "-c:v", "libvpx-vp9", "-cpu-used", "8", "-deadline",
          "realtime", "-c:a", "libvorbis", "-ac", "2"),
    # What encodes it leaves the second place empty: the first picture is shown twice as long.
    coded("avi", "film.avi", "-c:v", "mpeg4", "-b:v", "400k", "-c:a", "libmp3lame",
          end=Completed(frames=51, sounds=1, notes=("variable",))),
    coded("avi with packed B-frames", "film.avi", "-c:v", "mpeg4", "-bf", "2", "-g", "12",
          "-c:a", "libmp3lame"),
    coded("avi with an index of indexes", "film.avi", "-c:v", "mjpeg", "-c:a", "pcm_s16le",
          "-reserve_index_space", "4096"),
    coded("avi with h264", "film.avi", *H264, "-bf", "0", "-c:a", "ac3"),
    coded("ts", "film.ts", *H264_B, *AAC),
    coded("ts with mpeg2", "film.ts", *MPEG2, "-c:a", "mp2"),
    coded("ts with hevc", "film.ts", "-c:v", "libx265", "-preset", "ultrafast", "-pix_fmt",
          "yuv420p", "-x265-params", "log-level=none:bframes=2", "-c:a", "ac3",
          picture="testsrc2=s=64x64:r=25:d=2", end=Completed(frames=50, size=(64, 64), sounds=1)),
    coded("m2ts", "film.m2ts", *H264_B, "-c:a", "ac3", "-mpegts_m2ts_mode", "1"),
    coded("program stream", "film.mpg", *MPEG2, "-c:a", "mp2", "-f", "vob"),
    coded("program stream of mpeg1", "film.mpg", "-c:v", "mpeg1video", "-b:v", "400k", "-c:a",
          "mp2", "-f", "mpeg"),
    coded("flv", "film.flv", "-c:v", "flv1", "-b:v", "400k", "-c:a", "libmp3lame", "-ar", "44100"),
    coded("flv with h264", "film.flv", *H264_B, *AAC),
    coded("mxf", "film.mxf", *MPEG2, "-c:a", "pcm_s16le", "-ac", "1"),
    coded("mxf with h264", "film.mxf", *H264_B, "-pix_fmt", "yuv422p10le", "-c:a", "pcm_s16le",
          "-ac", "1", end=Completed(frames=50, sounds=1, notes=("h264 in MXF: pictures have no",))),
    coded("ogg with vp8", "film.ogv", "-c:v", "libvpx", "-cpu-used", "8", "-deadline", "realtime",
          "-c:a", "libopus"),
    coded("raw h264", "film.264", *H264_B, "-map", "0:v",
          end=Completed(frames=50, notes=RAW)),
    coded("raw hevc", "film.265", "-c:v", "libx265", "-preset", "ultrafast", "-pix_fmt",
          "yuv420p", "-x265-params", "log-level=none:bframes=2", "-map", "0:v",
          picture="testsrc2=s=64x64:r=25:d=2", end=Completed(frames=50, size=(64, 64), notes=RAW)),
    coded("raw mpeg2", "film.m2v", *MPEG2, "-map", "0:v",
          end=Completed(frames=50, notes=RAW)),
    coded("hevc in mp4", "film.mp4", "-c:v", "libx265", "-preset", "ultrafast", "-pix_fmt",
          "yuv420p", "-tag:v", "hvc1", "-x265-params", "log-level=none:bframes=2", *AAC,
          picture="testsrc2=s=64x64:r=25:d=2", end=Completed(frames=50, size=(64, 64), sounds=1)),
    coded("av1 in mp4", "film.mp4", "-c:v", "libsvtav1", "-preset", "12", "-pix_fmt", "yuv420p",
          *AAC, picture="testsrc2=s=64x64:r=25:d=1",
          end=Completed(frames=25, size=(64, 64), sounds=1, sound_s=Fraction(1))),
    coded("prores", "film.mov", "-c:v", "prores_ks", "-profile:v", "0", "-c:a", "pcm_s24le"),
    coded("dnxhr", "film.mov", "-c:v", "dnxhd", "-profile:v", "dnxhr_lb", "-pix_fmt", "yuv422p",
          "-c:a", "pcm_s16le", picture="testsrc2=s=256x120:r=25:d=0.4",
          end=Completed(frames=10, size=(170, 80), sounds=1, notes=("1.6 s after the last",))),
    coded("dv", "film.mov", "-c:v", "dvvideo", "-pix_fmt", "yuv420p", "-c:a", "pcm_s16le",
          picture="testsrc2=s=720x576:r=25:d=0.4",
          end=Completed(frames=10, size=(120, 96), sounds=1, quiet=False)),
    coded("mjpeg in mov", "film.mov", "-c:v", "mjpeg", "-c:a", "alac"),
    coded("mp3 in mp4", "film.mp4", *H264_B, "-c:a", "libmp3lame"),
    coded("ac3 in mp4", "film.mp4", *H264_B, "-c:a", "ac3"),
    coded("flac in mp4", "film.mp4", *H264_B, "-c:a", "flac"),
    coded("opus in mp4", "film.mp4", *H264_B, "-c:a", "libopus"),
    coded("fragmented", "film.mp4", *H264_B, *AAC, "-movflags", "+frag_keyframe+empty_moov"),
    coded("fragmented by a segmenter", "film.mp4", *H264_B, *AAC,
          "-movflags", "+dash+global_sidx", "-frag_duration", "500000"),
    coded("fragmented, sound and pictures apart", "film.mp4", *H264_B, *AAC,
          "-movflags", "+frag_keyframe+separate_moof+empty_moov+default_base_moof"),
    coded("fragmented after a whole movie", "film.mp4", *H264_B, *AAC,
          "-movflags", "+frag_keyframe"),
    coded("init segment alone", "init.mp4", *H264_B, *AAC, "-t", "0",
          "-movflags", "+empty_moov+frag_keyframe", end=refused("no_streams")),
    coded("codec that is not taken", "film.mkv", "-c:v", "ffv1", "-map", "0:v",
          end=refused("codec_unsupported")),
)  # fmt: skip
