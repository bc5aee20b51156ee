"""A chunk of pictures: what ffmpeg is told to decode once, cut to the frame and encode."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

from functions.media.cutting.timeline import Timeline
from functions.media.encoding import argv as words
from functions.media.encoding import graph, nvenc, x264
from functions.media.encoding.accelerator import GPU
from functions.media.encoding.rendition import VideoRendition


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """Which part of the source a video graph shows, in the terms of `plan.VideoTask`."""

    start: int
    """First output frame."""
    trim_start: int
    trim_stop: int
    tail: int = 0
    """Resampled: how often the source's last frame may be shown once more than `fps` shows it.
    The planner lets it last the median delta; `fps` ends where the container says it ends."""


def argv(
    ffmpeg: str,
    *,
    source: words.Source,
    track: int,
    timeline: Timeline,
    cut: Cut,
    renditions: Sequence[VideoRendition],
    tuning: words.Tuning,
    assumed_color: str = "",
) -> tuple[str, ...]:
    """Encode a chunk: one decode, one fragmented mp4 a rendition, named by `output`.

    Each file's fragments are its segments; their `tfdt` count from the timeline's origin.
    """
    drawn = filters(
        track,
        timeline,
        cut,
        renditions,
        assumed_color=assumed_color,
        unrated=any(rendition.accelerator == GPU for rendition in renditions),
    )
    return (
        *words.start(ffmpeg),
        *words.read(source, tuning.decoder_threads),
        *("-filter_complex_threads", "1"),
        *("-filter_complex", drawn.text),
        *(
            word
            for number, (label, rendition) in enumerate(zip(drawn.labels, renditions, strict=True))
            for word in (
                *("-map", label),
                *_encoder(rendition, timeline, tuning),
                *_muxer(timeline, timeline.segment_of(cut.start)),
                f"file:{words.output(number)}",
            )
        ),
    )


def filters(
    track: int,
    timeline: Timeline,
    cut: Cut,
    renditions: Sequence[VideoRendition],
    *,
    assumed_color: str = "",
    unrated: bool = False,
) -> graph.Graph:
    """One decode of stream `track`, cut to the frame, feeding every rendition.

    `assumed_color` names the colours of pictures that name none themselves. `unrated`: the frame
    rate that the container claims is forgotten, so that an encoder that cannot be told another one
    goes by its timebase, which is the plan's.

    Output frame n of the whole job has PTS n in a timebase of one frame. ffmpeg rotates by the
    display matrix before the graph. Where the picture has the rendition's size and format
    already, `scale` passes it on.
    """
    stream = graph.source(track)
    if not timeline.constant:
        # The grid of `fps` is absolute: the same whatever frame it sees first.
        stream = stream.filter("setpts", expr=f"PTS-({timeline.origin})")
        # `pass`: the last frame comes out however short the container says that it lasts.
        stream = stream.filter(
            "fps", fps=graph.ratio(timeline.rate), round="near", eof_action="pass"
        )
        if cut.tail:
            stream = stream.filter("tpad", stop_mode="clone", stop=cut.tail)
    # Integers: times of frames and of cuts tie at midpoints and lose one.
    stream = stream.filter("trim", start_pts=cut.trim_start, end_pts=cut.trim_stop)
    stream = stream.filter("settb", expr=graph.ratio(1 / timeline.rate))
    stream = stream.filter("setpts", expr=f"N+{cut.start}", **({"strip_fps": 1} if unrated else {}))
    if assumed_color:
        stream = stream.filter(
            "setparams",
            color_primaries=assumed_color,
            color_trc=assumed_color,
            colorspace=assumed_color,
        )
    streams = graph.split(stream, len(renditions))
    return graph.closed(
        [_scaled(part, each) for part, each in zip(streams, renditions, strict=True)]
    )


def _scaled(stream: graph.Stream, rendition: VideoRendition) -> graph.Stream:
    stream = stream.filter(
        "scale",
        w=rendition.width,
        h=rendition.height,
        flags="bicubic",
        # Full range is legal in H.264 and ignored by enough decoders to wash pictures out.
        out_range="tv",
    )
    return stream.filter("setsar", sar=1).filter("format", pix_fmts="yuv420p")


def _encoder(rendition: VideoRendition, timeline: Timeline, tuning: words.Tuning) -> Iterator[str]:
    if rendition.accelerator == GPU:
        yield from nvenc.options(rendition, timeline)
    else:
        yield from x264.options(rendition, timeline, threads=tuning.threads)
    yield from ("-fps_mode", "passthrough", "-enc_time_base", _colon(1 / timeline.rate))
    # Every picture lasts one frame, also the last one, whatever the source says.
    yield from ("-bsf:v", "setts=pts=PTS:dts=DTS:duration=1")


def _muxer(timeline: Timeline, first_segment: int) -> Iterator[str]:
    """A fragment a segment, with absolute `tfdt` and composition offsets from 0.

    `delay_moov` and `frag_discont` write decode times as they are; negative composition offsets
    (of `cmaf`) without an edit list make the first picture start at its decode time.
    """
    yield from words.neutral_muxer()
    yield from ("-video_track_timescale", str(timeline.timescale), "-use_editlist", "0")
    yield from ("-fragment_index", str(first_segment + 1))
    yield from ("-movflags", "+cmaf+frag_keyframe+delay_moov+frag_discont+skip_trailer")
    yield from ("-f", "mp4")


def _colon(value: Fraction) -> str:
    return f"{value.numerator}:{value.denominator}"
