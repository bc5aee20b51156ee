"""Which of a source's streams are encoded, and which sources are refused for what is in them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from functions.jobs.refusal import refuse
from functions.media.source import guard
from functions.media.source.probe import Table
from functions.media.source.stream import AudioStream, Media, VideoStream


@dataclass(frozen=True, slots=True)
class Choice:
    """At least one stream."""

    video: VideoStream | None
    audio: tuple[AudioStream, ...]
    notes: tuple[str, ...]
    """What was left out and why, for the report."""


def choose(media: Media, tables: Mapping[int, Table] | None, bounds: guard.Bounds) -> Choice:
    """The first film and every sound track that can be decoded.

    `tables` is None where the packets are not known yet; else streams without a presented frame
    count as absent. Raises Rejected.
    """
    if media.streams > bounds.streams:
        raise refuse("too_many_streams", count=media.streams, limit=bounds.streams)
    notes: list[str] = []
    video = _video(media, tables, notes)
    if video is not None and (
        video.width * video.height > bounds.pixels
        or max(video.width, video.height) > guard.MAX_SIDE
    ):
        raise refuse(
            "picture_too_large", width=video.width, height=video.height, limit=bounds.pixels
        )
    audio = _audio(media, tables, notes)
    if video is None:
        _refuse_unsupported(media)
        if not audio:
            raise refuse("no_streams")
    return Choice(video, tuple(audio), tuple(notes))


def _video(
    media: Media, tables: Mapping[int, Table] | None, notes: list[str]
) -> VideoStream | None:
    chosen: VideoStream | None = None
    for stream in media.video:
        if stream.codec not in guard.VIDEO_DECODERS:
            notes.append(f"video stream {stream.index} left out: codec {_name(stream.codec)}")
        elif not _has_frames(stream.index, tables):
            notes.append(f"video stream {stream.index} left out: it has no frames")
        elif not stream.width or not stream.height:
            notes.append(f"video stream {stream.index} left out: its size is unknown")
        elif chosen is not None:
            notes.append(f"video stream {stream.index} left out: stream {chosen.index} is first")
        else:
            chosen = stream
    return chosen


def _audio(media: Media, tables: Mapping[int, Table] | None, notes: list[str]) -> list[AudioStream]:
    chosen = []
    for stream in media.audio:
        if stream.codec not in guard.AUDIO_DECODERS:
            notes.append(f"audio stream {stream.index} left out: codec {_name(stream.codec)}")
        elif not _has_frames(stream.index, tables):
            notes.append(f"audio stream {stream.index} left out: it has no frames")
        elif not stream.channels or not stream.sample_rate:
            notes.append(f"audio stream {stream.index} left out: its format is unknown")
        else:
            chosen.append(stream)
    return chosen


def _refuse_unsupported(media: Media) -> None:
    """Pictures, or nothing but sound, in codecs that are not decoded here."""
    for kind, streams, supported in (
        ("video", media.video, guard.VIDEO_DECODERS),
        ("audio", () if media.video else media.audio, guard.AUDIO_DECODERS),
    ):
        if streams and not any(stream.codec in supported for stream in streams):
            codec = _name(streams[0].codec)
            raise refuse(
                "codec_unsupported", kind=kind, codec=codec, supported=", ".join(supported)
            )


def _has_frames(stream: int, tables: Mapping[int, Table] | None) -> bool:
    if tables is None:
        return True
    table = tables.get(stream)
    return table is not None and any(packet.shown for packet in table.packets)


def _name(codec: str) -> str:
    return codec or "unknown"
