"""Filter graphs, written by ffmpeg-python: the only module that imports it.

The library's types say nothing to a type checker, so nothing of it leaves this file.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import ffmpeg

from functions.media.rendition import AudioRendition, VideoRendition
from functions.media.timeline import Timeline


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


@dataclass(frozen=True, slots=True)
class Graph:
    """An argument for `-filter_complex`, and the labels of its ends for `-map`."""

    text: str
    labels: tuple[str, ...]


def video(
    track: int,
    timeline: Timeline,
    cut: Cut,
    renditions: Sequence[VideoRendition],
    *,
    assumed_color: str = "",
    unrated: bool = False,
) -> Graph:
    """One decode of stream `track`, cut to the frame, feeding every rendition.

    `assumed_color` names the colours of pictures that name none themselves. `unrated`: the frame
    rate that the container claims is forgotten, so that an encoder that cannot be told another one
    goes by its timebase, which is the plan's.

    Output frame n of the whole job has PTS n in a timebase of one frame. ffmpeg rotates by the
    display matrix before the graph. Where the picture has the rendition's size and format
    already, `scale` passes it on.
    """
    stream = ffmpeg.input("source")[str(track)]
    if not timeline.constant:
        # The grid of `fps` is absolute: the same whatever frame it sees first.
        stream = stream.filter("setpts", expr=f"PTS-({timeline.origin})")
        # `pass`: the last frame comes out however short the container says that it lasts.
        stream = stream.filter("fps", fps=_ratio(timeline.rate), round="near", eof_action="pass")
        if cut.tail:
            stream = stream.filter("tpad", stop_mode="clone", stop=cut.tail)
    # Integers: times of frames and of cuts tie at midpoints and lose one.
    stream = stream.filter("trim", start_pts=cut.trim_start, end_pts=cut.trim_stop)
    stream = stream.filter("settb", expr=_ratio(1 / timeline.rate))
    stream = stream.filter("setpts", expr=f"N+{cut.start}", **({"strip_fps": 1} if unrated else {}))
    if assumed_color:
        stream = stream.filter(
            "setparams",
            color_primaries=assumed_color,
            color_trc=assumed_color,
            colorspace=assumed_color,
        )
    if len(renditions) > 1:
        parts = stream.filter_multi_output("split", len(renditions))
        streams = [parts[number] for number in range(len(renditions))]
    else:
        streams = [stream]
    return _graph([_scaled(part, each) for part, each in zip(streams, renditions, strict=True)])


def audio(rendition: AudioRendition) -> Graph:
    """One whole audio track from the timeline's origin on, exactly as long as planned.

    Gaps and overlaps of the source's timestamps are filled and cut, so that sound stays with the
    picture.
    """
    ticks_s = Fraction(rendition.timebase_num, rendition.timebase_den)
    origin_s = rendition.origin * ticks_s
    layout = {1: "mono", 2: "stereo"}[rendition.channels]
    # Time as samples of the decoder, whose timebase need not be the container's.
    stream = ffmpeg.input("source")[str(rendition.track)]
    stream = stream.filter(
        "asetpts", expr=f"PTS-round(({origin_s.numerator})/({origin_s.denominator}*TB))"
    )
    stream = stream.filter(
        "aresample",
        osr=rendition.sample_rate,
        ochl=layout,
        osf="fltp",
        **{"async": 1, "first_pts": 0},
    )
    stream = stream.filter("apad", whole_len=rendition.samples)
    stream = stream.filter("atrim", end_sample=rendition.samples)
    return _graph([stream])


def _scaled(stream: Any, rendition: VideoRendition) -> Any:
    stream = stream.filter(
        "scale",
        w=rendition.width,
        h=rendition.height,
        flags="bicubic",
        # Full range is legal in H.264 and ignored by enough decoders to wash pictures out.
        out_range="tv",
    )
    return stream.filter("setsar", sar=1).filter("format", pix_fmts="yuv420p")


def _ratio(value: Fraction) -> str:
    return f"{value.numerator}/{value.denominator}"


def _graph(streams: Sequence[Any]) -> Graph:
    outputs = [ffmpeg.output(each, str(number)) for number, each in enumerate(streams)]
    words: list[str] = ffmpeg.get_args(ffmpeg.merge_outputs(*outputs))
    text = words[words.index("-filter_complex") + 1]
    found = {words[at + 2]: words[at + 1] for at, word in enumerate(words) if word == "-map"}
    return Graph(text, tuple(found[str(number)] for number in range(len(streams))))
