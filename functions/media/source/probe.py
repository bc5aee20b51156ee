"""What ffprobe says of a source, as values: its streams, and the table of its packets.

The argv are made here and run elsewhere. Nothing that a file says of itself is believed further
than its type: numbers are parsed as integers, words are matched against what can be.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

import msgspec

from eventing.typed import ready
from functions.media.source import guard, index, sidedata
from functions.media.source.index import Packet, Packets
from functions.media.source.stream import AudioStream, Media, VideoStream

_STREAM_FIELDS: Final = (
    "index,id,codec_type,codec_name,profile,width,height,sample_aspect_ratio,pix_fmt,field_order,"
    "color_range,color_space,color_transfer,color_primaries,chroma_location,r_frame_rate,"
    "avg_frame_rate,"
    "time_base,start_pts,duration_ts,has_b_frames,channels,sample_rate"
)
_LANGUAGE: Final = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*")
_NUMBER: Final = re.compile(r"0x[0-9a-f]{1,8}")
_WORD: Final = re.compile(r"[a-z0-9_][a-z0-9_-]{0,31}")
_REFUSED: Final = re.compile(r"Codec \(([a-z0-9_]{1,32})\) not on whitelist")
_TOO_LARGE: Final = re.compile(r"Picture size (\d{1,9})x(\d{1,9}) (?:exceeds|is invalid)")


class Unreadable(ValueError):
    """ffprobe said nothing that makes sense; the message is half a sentence for people."""


class _Tags(msgspec.Struct):
    language: str = ""
    enc_key_id: str = ""


class _Disposition(msgspec.Struct):
    attached_pic: int = 0
    still_image: int = 0
    timed_thumbnails: int = 0


class _Stream(msgspec.Struct):
    index: int
    id: str = ""
    codec_type: str = ""
    codec_name: str = ""
    width: int = 0
    height: int = 0
    sample_aspect_ratio: str = ""
    pix_fmt: str = ""
    field_order: str = ""
    color_range: str = ""
    color_space: str = ""
    color_transfer: str = ""
    color_primaries: str = ""
    chroma_location: str = ""
    r_frame_rate: str = ""
    avg_frame_rate: str = ""
    time_base: str = ""
    start_pts: int | None = None
    duration_ts: int | None = None
    has_b_frames: int = 0
    channels: int = 0
    sample_rate: str = ""
    disposition: _Disposition = msgspec.field(default_factory=_Disposition)
    tags: _Tags = msgspec.field(default_factory=_Tags)
    side_data_list: list[dict[str, Any]] = msgspec.field(default_factory=list)


class _Answer(msgspec.Struct):
    streams: list[_Stream] = msgspec.field(default_factory=list)


def streams_argv(
    ffprobe: Path, format: str, source: Path, *, pixels: int, refused: tuple[str, ...] = ()
) -> list[str]:
    """What asks for the streams of the local file `source`.

    ffprobe gives up when a stream's decoder is not on the list. `refused`, from what it said
    then, lets it name such streams: their decoders are opened, but get nothing to decode.
    """
    return [
        str(ffprobe),
        *("-v", "error", "-hide_banner"),
        *_input(format, pixels, refused),
        "-show_entries",
        f"stream={_STREAM_FIELDS}:stream_disposition=attached_pic,still_image,timed_thumbnails"
        f":stream_tags=language,enc_key_id:stream_side_data={sidedata.FIELDS}",
        *("-of", "json"),
        *("-i", f"file:{source}"),
    ]


def packets_argv(
    ffprobe: Path,
    format: str,
    source: Path,
    *,
    pixels: int,
    refused: tuple[str, ...] = (),
    filled: bool = False,
    most: int = 0,
    answer: str = "pipe:1",
) -> list[str]:
    """What asks for every packet of the local file `source`, which may be a sparse copy.

    `answer` is the file that the answer goes to: of a film of hours it is tens of megabytes.
    `nofillin` and `noparse`: what the container says, without a look into the packets; else
    `filled`, where it says too little. `most`: only so many of the first film.
    """
    return [
        str(ffprobe),
        *("-v", "quiet", "-hide_banner"),
        *_input(format, pixels, refused),
        *(() if filled else ("-fflags", "+nofillin+noparse")),
        *(("-select_streams", "v:0", "-read_intervals", f"%+#{most}") if most else ()),
        *("-show_entries", "packet=stream_index,pts,dts,size,pos,flags"),
        *("-of", "csv=p=0"),
        *("-o", answer),
        *("-i", f"file:{source}"),
    ]


def _input(format: str, pixels: int, refused: tuple[str, ...]) -> tuple[str, ...]:
    also = (*guard.SUBTITLE_DECODERS, *refused)
    unread = ("-nofind_stream_info",) if refused else ()
    return (*unread, *guard.input_options(format, pixels=pixels, also=also))


def refused_codecs(messages: str) -> tuple[str, ...]:
    """The decoders that ffprobe refused to open, from what it said."""
    return tuple(dict.fromkeys(_REFUSED.findall(messages)))


def read_streams(answer: bytes) -> Media:
    """The answer to `streams_argv`. Raises Unreadable."""
    try:
        streams = msgspec.json.decode(answer or b"{}", type=ready(_Answer)).streams
    except ValueError as error:
        raise Unreadable("its streams make no sense") from error
    video, audio = [], []
    for stream in streams:
        timebase = sidedata.ratio(stream.time_base)
        if timebase is None or timebase <= 0:
            continue
        picture = stream.disposition
        if stream.codec_type == "audio":
            audio.append(_audio(stream, timebase))
        elif stream.codec_type == "video" and not (
            picture.attached_pic or picture.still_image or picture.timed_thumbnails
        ):
            video.append(_video(stream, timebase))
    encrypted = any(stream.tags.enc_key_id for stream in streams)
    return Media(tuple(video), tuple(audio), len(streams), encrypted)


def _video(stream: _Stream, timebase: Fraction) -> VideoStream:
    width, height = max(0, stream.width), max(0, stream.height)
    rotation, mirror = sidedata.orientation(stream.side_data_list)
    return VideoStream(
        index=stream.index,
        track=int(stream.id, 16) if _NUMBER.fullmatch(stream.id) else 0,
        codec=_word(stream.codec_name),
        width=width,
        height=height,
        sample_aspect=_sample_aspect(stream.sample_aspect_ratio),
        rotation=rotation,
        pixel_format=_word(stream.pix_fmt),
        field_order="" if stream.field_order == "unknown" else _word(stream.field_order),
        color_range=_word(stream.color_range),
        color_space=_word(stream.color_space),
        color_transfer=_word(stream.color_transfer),
        color_primaries=_word(stream.color_primaries),
        timebase=timebase,
        nominal_rate=_rate(stream.r_frame_rate) or _rate(stream.avg_frame_rate),
        mirror=mirror,
        crop=sidedata.crop(stream.side_data_list, width, height),
        chroma_location=_word(stream.chroma_location),
        dolby_vision=sidedata.dolby_vision(stream.side_data_list),
        peak_nits=sidedata.peak_nits(stream.side_data_list),
        reordered=stream.has_b_frames > 0,
    )


def _audio(stream: _Stream, timebase: Fraction) -> AudioStream:
    language = stream.tags.language
    return AudioStream(
        index=stream.index,
        codec=_word(stream.codec_name),
        channels=max(0, stream.channels),
        sample_rate=int(stream.sample_rate) if stream.sample_rate.isdecimal() else 0,
        language=language if _LANGUAGE.fullmatch(language) else "und",
        timebase=timebase,
        start=stream.start_pts,
        duration=stream.duration_ts,
    )


def _word(value: str) -> str:
    """The value if it looks like one of ffmpeg's names, else ""."""
    return value if _WORD.fullmatch(value) and value != "unknown" else ""


def _rate(value: str) -> Fraction | None:
    ratio = sidedata.ratio(value)
    return ratio if ratio else None


def _sample_aspect(value: str) -> Fraction:
    """1 where it says nothing, or nothing that a camera could mean."""
    ratio = sidedata.ratio(value)
    return ratio if ratio and Fraction(1, 8) <= ratio <= 8 else Fraction(1)


def too_large(messages: str) -> tuple[int, int] | None:
    """Width and height of the picture that ffprobe refused for its size, if it did."""
    found = _TOO_LARGE.search(messages)
    return (int(found[1]), int(found[2])) if found else None


@dataclass(frozen=True, slots=True)
class Table:
    """The packets of one stream as ffprobe listed them."""

    packets: Packets
    complete: bool
    """True where every packet has a presentation time."""
    located: bool
    """True where every packet has a position, so that it can be fetched by itself."""


def read_packets(lines: Iterable[bytes]) -> Mapping[int, Table]:
    """The answer to `packets_argv`, by stream. Raises Unreadable for more than may be."""
    rows: dict[int, bytearray] = {}
    untimed: set[int] = set()
    lost: set[int] = set()
    for count, (stream, row, timed, located) in enumerate(_rows(lines)):
        if count >= guard.MAX_PACKETS:
            raise Unreadable(f"it has more than {guard.MAX_PACKETS} packets")
        rows.setdefault(stream, bytearray()).extend(row)
        if not timed:
            untimed.add(stream)
        if not located:
            lost.add(stream)
    return {
        stream: Table(Packets(bytes(packed)), stream not in untimed, stream not in lost)
        for stream, packed in rows.items()
    }


def _rows(lines: Iterable[bytes]) -> Iterator[tuple[int, bytes, bool, bool]]:
    """Stream, the packet as a row of its table, and whether it has a time and a position."""
    for line in lines:
        # ffprobe writes its own order of fields, and after them commas for side data.
        fields = line.rstrip().split(b",")
        if len(fields) < 6 or not fields[0].isdigit():
            continue
        stream, pts, dts, size, position, flags = fields[:6]
        timed = pts != b"N/A"
        located = position != b"N/A"
        try:
            shown_at = int(pts) if timed else 0
            yield (
                int(stream),
                index.packed(
                    Packet(
                        shown_at,
                        shown_at if dts == b"N/A" else int(dts),
                        int(position) if located else -1,
                        int(size),
                        b"K" in flags,
                        b"D" not in flags,
                    )
                ),
                timed,
                located,
            )
        except ValueError as error:
            raise Unreadable("its packets make no sense") from error
