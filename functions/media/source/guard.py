"""What of ffmpeg may be used on a stranger's file, and how much of everything.

Every argv that opens a source starts with `input_options`. ffmpeg's lists name what it may use;
whatever is not on them cannot be reached, however the file is made up.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from functions import environment

DEMUXERS: Final[dict[str, str]] = {
    # Each a container that cameras, phones, editors or recorders write. Never one that opens
    # other files or addresses: hls, dash, concat, image2, sdp, imf, mpegts over anything.
    "mov": "mp4, m4v, mov, 3gp: phones, cameras, editors",
    "matroska": "mkv and webm: recorders, browsers",
    "avi": "older cameras",
    "mpegts": "broadcast, AVCHD",
    "mpeg": "program streams of DVDs and capture cards",
    "flv": "stream recorders",
    "ogg": "Theora and Opus",
    "mxf": "broadcast cameras",
    "h264": "elementary streams of surveillance cameras",
    "hevc": "elementary streams of surveillance cameras",
    "mpegvideo": "elementary streams of DVD authoring",
}

VIDEO_DECODERS: Final[dict[str, str]] = {
    # By the codec's name as ffprobe says it; the value is the decoders that may open it.
    "h264": "h264",
    "hevc": "hevc",
    "av1": "av1,libdav1d",
    "vp8": "vp8,libvpx",
    "vp9": "vp9,libvpx-vp9",
    "mpeg4": "mpeg4",
    "mpeg2video": "mpeg2video",
    "mpeg1video": "mpeg1video",
    "h263": "h263",
    "flv1": "flv",
    "prores": "prores",  # editors
    "dnxhd": "dnxhd",  # editors
    "dvvideo": "dvvideo",  # tape, archives
    "mjpeg": "mjpeg",  # still and older cameras
    "theora": "theora",
    "vc1": "vc1",  # Blu-ray
    "wmv3": "wmv3",
}

AUDIO_DECODERS: Final[dict[str, str]] = {
    "aac": "aac",
    "aac_latm": "aac_latm",  # broadcast
    "ac3": "ac3",
    "eac3": "eac3",
    "mp2": "mp2,mp2float",
    "mp3": "mp3,mp3float",
    "opus": "opus,libopus",
    "vorbis": "vorbis,libvorbis",
    "flac": "flac",
    "alac": "alac",  # phones, editors
    "dts": "dca",  # Blu-ray
    "amr_nb": "amrnb",  # 3gp of phones
    "amr_wb": "amrwb",
    "pcm_s16le": "pcm_s16le",
    "pcm_s16be": "pcm_s16be",
    "pcm_s24le": "pcm_s24le",
    "pcm_s24be": "pcm_s24be",
    "pcm_s32le": "pcm_s32le",
    "pcm_s32be": "pcm_s32be",
    "pcm_f32le": "pcm_f32le",
    "pcm_f32be": "pcm_f32be",
    "pcm_u8": "pcm_u8",
    "pcm_s8": "pcm_s8",
    "pcm_alaw": "pcm_alaw",
    "pcm_mulaw": "pcm_mulaw",
    "adpcm_ms": "adpcm_ms",
    "adpcm_ima_wav": "adpcm_ima_wav",
    "adpcm_ima_qt": "adpcm_ima_qt",
}

SUBTITLE_DECODERS: Final = (
    # Only ffprobe gets these: it opens a decoder for every stream that it lists.
    *("mov_text", "subrip", "srt", "ass", "ssa", "webvtt", "text"),
    *("dvdsub", "dvbsub", "pgssub", "cc_dec"),
)

MAX_PIXELS: Final = 8192 * 4320
"""8K as cameras make it. 12 KB of VP9 can declare 12336x12336."""
MAX_SIDE: Final = 16384
MAX_STREAMS: Final = 32
"""A film with every language has fewer; a 600-stream file only makes work."""
MAX_FRAMES: Final = 24 * 3600 * 60
"""A day at 60 frames a second. 1 MB of AV1 can hold minutes of 4K60."""
MAX_PACKETS: Final = 3 * MAX_FRAMES
"""Over all tracks; what the table of the packets may hold."""
MAX_WHOLE_BYTES: Final = 3 * 2**30
"""Of a source without an index, which whoever plans has to fetch whole: a pod has 4 GiB of disk."""
PROBE_BYTES: Final = 10_000_000
ANALYZE_US: Final = 10_000_000
MAX_ALLOC_BYTES: Final = 512 * 2**20
"""The largest single allocation; an 8K picture of ten bits needs a quarter."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """Limits that an installation may move."""

    pixels: int = MAX_PIXELS
    """KINORA_MAX_PIXELS: how many a source's picture may have; larger ones are rejected. Default:
    8192 x 4320."""
    frames: int = MAX_FRAMES
    """KINORA_MAX_FRAMES: how many an output may have; longer sources are rejected. Default: a day
    at 60 a second."""
    streams: int = MAX_STREAMS
    whole_bytes: int = MAX_WHOLE_BYTES
    """KINORA_MAX_WHOLE_BYTES: how large a source without an index may be that has to be fetched
    whole to be planned, such as raw pictures; less than the disk for `scratch`. Default: 3 GiB.
    The gateway, which only shows plans, takes up to 768 MiB."""

    @classmethod
    def read(cls, env: Mapping[str, str]) -> Bounds:
        """Raises ValueError for what is wrong."""
        return cls(
            pixels=environment.count(env, "KINORA_MAX_PIXELS", MAX_PIXELS),
            frames=environment.count(env, "KINORA_MAX_FRAMES", MAX_FRAMES),
            whole_bytes=environment.count(env, "KINORA_MAX_WHOLE_BYTES", MAX_WHOLE_BYTES),
        )


def _decoders() -> str:
    names = ",".join((*VIDEO_DECODERS.values(), *AUDIO_DECODERS.values()))
    return ",".join(dict.fromkeys(names.split(",")))


DECODERS: Final = _decoders()
"""For -codec_whitelist."""


def input_options(
    format: str, *, pixels: int = MAX_PIXELS, also: tuple[str, ...] = ()
) -> tuple[str, ...]:
    """What stands before every `-i` (ffmpeg and ffprobe) of a source with this demuxer.

    `also` are further decoders that may be opened. Raises ValueError for a demuxer that is not
    on the list.
    """
    if format not in DEMUXERS:
        raise ValueError(f"demuxer {format!r} is not on the list")
    return (
        *("-protocol_whitelist", "file"),
        # Only the sniffed one: a demuxer cannot open a second one inside the file either.
        *("-format_whitelist", format),
        *("-codec_whitelist", ",".join((DECODERS, *also))),
        *("-max_streams", str(MAX_STREAMS)),
        *("-max_pixels", str(pixels)),
        *("-max_alloc", str(MAX_ALLOC_BYTES)),
        *("-probesize", str(PROBE_BYTES)),
        *("-analyzeduration", str(ANALYZE_US)),
        *("-f", format),
    )
