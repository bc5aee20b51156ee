"""What ffmpeg is told: the whole argv of every kind of task, as a function of the plan.

Files are named by fixed words within the folder that ffmpeg runs in; nothing of a source's name
or of its metadata gets into an argv.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from functions.media import aac, graph, nvenc
from functions.media.accelerator import GPU
from functions.media.guard import input_options
from functions.media.rendition import AudioRendition, VideoRendition
from functions.media.timeline import Timeline

SOURCE: Final = "source"
MAX_ERROR_RATE: Final = "0.5"
"""Share of packets that may fail to decode before ffmpeg itself gives up: damaged recordings are
taken, noise is not. Frames are counted in any case."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """The local copy of what is read."""

    format: str
    """Demuxer, from our own sniffing."""
    seek_us: int | None = None
    """Where reading starts: the first fetched sync sample. None: at the beginning."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tuning:
    """What a machine may choose without changing what comes out."""

    threads: int = 1
    """Of each video encoder. One is the least work; several renditions fill the cores anyway."""
    decoder_threads: int = 1


def video(
    ffmpeg: str,
    *,
    source: Source,
    track: int,
    timeline: Timeline,
    cut: graph.Cut,
    renditions: Sequence[VideoRendition],
    tuning: Tuning,
    assumed_color: str = "",
) -> tuple[str, ...]:
    """Encode a chunk: one decode, one fragmented mp4 a rendition, named by `output`.

    Each file's fragments are its segments; their `tfdt` count from the timeline's origin.
    """
    filters = graph.video(
        track,
        timeline,
        cut,
        renditions,
        assumed_color=assumed_color,
        unrated=any(rendition.accelerator == GPU for rendition in renditions),
    )
    return (
        *_start(ffmpeg),
        *_input(source, tuning.decoder_threads),
        *("-filter_complex_threads", "1"),
        *("-filter_complex", filters.text),
        *(
            word
            for number, (label, rendition) in enumerate(
                zip(filters.labels, renditions, strict=True)
            )
            for word in (
                *("-map", label),
                *_encoder(rendition, timeline, tuning),
                *_video_muxer(timeline, cut.start // timeline.segment_frames),
                f"file:{output(number)}",
            )
        ),
    )


def audio(
    ffmpeg: str, *, source: Source, rendition: AudioRendition, tuning: Tuning
) -> tuple[str, ...]:
    """Encode a whole audio track into one fragmented mp4, `output(0)`.

    The planned samples follow `aac.FRAME_SAMPLES` of priming, which the edit list skips; `tfdt`
    runs from 0.
    """
    filters = graph.audio(rendition)
    return (
        *_start(ffmpeg),
        *_input(source, tuning.decoder_threads),
        *("-filter_complex_threads", "1"),
        *("-filter_complex", filters.text),
        *("-map", filters.labels[0]),
        *("-c:a", "aac", "-b:a", str(rendition.bitrate_bps), "-flags:a", "+bitexact"),
        *_neutral_muxer(),
        # Half a frame short, so that rounding to microseconds cannot add one.
        *("-frag_duration", str(_us(aac.segment_frames(rendition) * 2 - 1, rendition))),
        *("-movflags", "+cmaf+delay_moov+skip_trailer"),
        *("-f", "mp4", f"file:{output(0)}"),
    )


def mezzanine(ffmpeg: str, *, source: Source, muxer: str, unpack: bool) -> tuple[str, ...]:
    """Copy pictures and sound into `output(0)`, a file of the kind `muxer`.

    `unpack` takes apart the packed B-frames that MPEG-4 in AVI has; ffmpeg refuses it for any
    other codec. Cover pictures, subtitles and data stay behind.
    """
    return (
        *_start(ffmpeg),
        *("-fflags", "+genpts"),
        *input_options(source.format),
        *("-i", f"file:{SOURCE}"),
        *("-map", "0:V?", "-map", "0:a?", "-c", "copy"),
        *(("-bsf:v", "mpeg4_unpack_bframes") if unpack else ()),
        *("-map_metadata", "-1", "-map_chapters", "-1", "-fflags", "+bitexact"),
        *("-max_muxing_queue_size", "9999"),
        *("-f", muxer, f"file:{output(0)}"),
    )


def output(number: int) -> str:
    """The file of the n-th rendition of a task."""
    return f"{number}.mp4"


def _us(half_frames: int, rendition: AudioRendition) -> int:
    return half_frames * aac.FRAME_SAMPLES * 1_000_000 // (2 * rendition.sample_rate)


def _start(ffmpeg: str) -> Iterator[str]:
    yield from (ffmpeg, "-nostdin", "-hide_banner", "-v", "error", "-y")
    yield from ("-nostats", "-progress", "pipe:1", "-stats_period", "0.5")
    yield from ("-max_error_rate", MAX_ERROR_RATE)


def _input(source: Source, threads: int) -> Iterator[str]:
    # Times as the container has them: the plan's cuts are in its ticks.
    yield "-copyts"
    if source.seek_us is not None:
        # Everything from there on is decoded; the graph alone cuts.
        yield from ("-seek_timestamp", "1", "-noaccurate_seek", "-ss", f"{source.seek_us}us")
    yield from input_options(source.format)
    if source.seek_us is not None:
        # The headers say enough, and the first packets need not be in the copy.
        yield from ("-probesize", "32", "-analyzeduration", "0")
    yield from ("-threads", str(threads), "-i", f"file:{SOURCE}")


def _encoder(rendition: VideoRendition, timeline: Timeline, tuning: Tuning) -> Iterator[str]:
    if rendition.accelerator == GPU:
        yield from nvenc.options(rendition, timeline)
    else:
        yield from _x264(rendition, timeline, tuning)
    yield from ("-fps_mode", "passthrough", "-enc_time_base", _colon(1 / timeline.rate))
    # Every picture lasts one frame, also the last one, whatever the source says.
    yield from ("-bsf:v", "setts=pts=PTS:dts=DTS:duration=1")


def _x264(rendition: VideoRendition, timeline: Timeline, tuning: Tuning) -> Iterator[str]:
    rate = timeline.rate
    yield from ("-c:v", "libx264", "-preset", rendition.preset, "-crf", f"{rendition.crf:g}")
    yield from ("-maxrate", str(rendition.maxrate_bps), "-bufsize", str(rendition.bufsize_bits))
    yield from ("-threads", str(tuning.threads))
    # Closed groups of one segment each, and no other key frame.
    group = str(timeline.segment_frames)
    yield from ("-g", group, "-keyint_min", group, "-sc_threshold", "0")
    yield from ("-flags:v", "+cgop+bitexact")
    # One parameter set whatever the rate control does; the rate is the plan's, because what
    # containers claim (1000 frames a second) would size the level and the buffer model.
    yield from ("-x264-params", f"stitchable=1:fps={rate.numerator}/{rate.denominator}")


def _video_muxer(timeline: Timeline, first_segment: int) -> Iterator[str]:
    """A fragment a segment, with absolute `tfdt` and composition offsets from 0.

    `delay_moov` and `frag_discont` write decode times as they are; negative composition offsets
    (of `cmaf`) without an edit list make the first picture start at its decode time.
    """
    yield from _neutral_muxer()
    yield from ("-video_track_timescale", str(timeline.timescale), "-use_editlist", "0")
    yield from ("-fragment_index", str(first_segment + 1))
    yield from ("-movflags", "+cmaf+frag_keyframe+delay_moov+frag_discont+skip_trailer")
    yield from ("-f", "mp4")


def _neutral_muxer() -> Iterator[str]:
    """Nothing in the file that differs from attempt to attempt or comes from the source."""
    yield from ("-map_metadata", "-1", "-map_chapters", "-1", "-fflags", "+bitexact")
    yield from ("-write_btrt", "0", "-avoid_negative_ts", "disabled")
    yield from ("-muxdelay", "0", "-muxpreload", "0")


def _colon(value: Fraction) -> str:
    return f"{value.numerator}:{value.denominator}"
