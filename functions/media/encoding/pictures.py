"""A chunk of pictures: what ffmpeg is told to decode once, cut to the frame and encode."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from functions.media.cutting.timeline import HOLD_S, Timeline
from functions.media.encoding import appearance, graph, nvenc, x264
from functions.media.encoding import argv as words
from functions.media.encoding.accelerator import GPU
from functions.media.encoding.rendition import VideoRendition
from functions.media.encoding.treatment import AS_THEY_ARE, Treatment

AS_STORED: Final = (
    # Fields have to be told apart before a picture is cropped or turned: both are ours to do.
    *("-noautorotate", "-apply_cropping", "codec"),
    # One graph, whatever changes in mid-stream.
    *("-reinit_filter", "0"),
)

_AGAIN: Final = 100
"""How often, a frame of the container's own rate apart: that may be so many times the output's."""


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
    repeats: tuple[tuple[int, int], ...] = ()
    """Variable: runs of whole seconds of the output, first and last, at which the picture that is
    seen then is shown again."""


def argv(
    ffmpeg: str,
    *,
    source: words.Source,
    track: int,
    timeline: Timeline,
    cut: Cut,
    renditions: Sequence[VideoRendition],
    tuning: words.Tuning,
    treatment: Treatment = AS_THEY_ARE,
) -> tuple[str, ...]:
    """Encode a chunk: one decode, one fragmented mp4 a rendition, named by `output`.

    Each file's fragments are its segments; their `tfdt` count from the timeline's origin.
    """
    drawn = filters(
        track,
        timeline,
        cut,
        renditions,
        treatment,
        unrated=any(rendition.accelerator == GPU for rendition in renditions),
    )
    return (
        *words.start(ffmpeg),
        *words.read(source, tuning.decoder_threads, *AS_STORED),
        *("-filter_complex_threads", "1"),
        *("-filter_complex", drawn.text),
        *(
            word
            for number, (label, rendition) in enumerate(zip(drawn.labels, renditions, strict=True))
            for word in (
                *("-map", label),
                *_encoder(rendition, timeline, cut, tuning),
                *(words.shown() if timeline.resampled and not number else ()),
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
    treatment: Treatment = AS_THEY_ARE,
    *,
    unrated: bool = False,
) -> graph.Graph:
    """One decode of stream `track`, cut to the frame, feeding every rendition.

    `unrated`: the frame rate that the container claims is forgotten, so that an encoder that
    cannot be told another one goes by its timebase, which is the plan's.

    Output frame n of the whole job has PTS n in a timebase of one frame; variable, its output
    ticks. Where the picture has the rendition's size, format and colours already, `scale` passes
    it on.
    """
    stream = _whole_frames(graph.source(track), timeline, treatment)
    if timeline.variable:
        stream = _timed(stream, timeline, cut)
    elif not timeline.constant:
        # The grid of `fps` is absolute: the same whatever frame it sees first.
        stream = stream.filter("setpts", expr=f"PTS-({timeline.origin})")
        # `fps` loses a last frame that ends before its slot begins: so it is there again behind it.
        stream = stream.filter("tpad", stop_mode="clone", stop=_AGAIN)
        stream = stream.filter(
            "fps", fps=graph.ratio(timeline.rate), round="near", eof_action="pass"
        )
        if cut.tail:
            stream = stream.filter("tpad", stop_mode="clone", stop=cut.tail)
    # Integers: times of frames and of cuts tie at midpoints and lose one.
    stream = stream.filter("trim", start_pts=cut.trim_start, end_pts=cut.trim_stop)
    expr = "PTS"
    if not timeline.variable:
        stream = stream.filter("settb", expr=graph.ratio(1 / timeline.rate))
        expr = f"N+{cut.start}"
    stream = stream.filter("setpts", expr=expr, **({"strip_fps": 1} if unrated else {}))
    stream = appearance.treated(stream, treatment)
    streams = graph.split(stream, len(renditions))
    return graph.closed(
        [
            appearance.scaled(part, each, treatment)
            for part, each in zip(streams, renditions, strict=True)
        ]
    )


def _timed(stream: graph.Stream, timeline: Timeline, cut: Cut) -> graph.Stream:
    """Pictures at their own times in output ticks, and those that stand still once more at each
    second that the plan names."""
    clock = graph.ratio(Fraction(1, timeline.timescale))
    origin = int(timeline.origin * timeline.timebase * timeline.timescale)
    stream = stream.filter("settb", expr=clock).filter("setpts", expr=f"PTS-({origin})")
    if not cut.repeats:
        return stream
    own, held = graph.split(stream, 2)
    # Each second shows the last picture presented by then. Not by rounding up: where the stream
    # ends is rounded up as well, and a last picture that ends before the second would be lost.
    held = held.filter("setpts", expr=f"PTS+{HOLD_S * timeline.timescale - 1}")
    held = held.filter("fps", fps=graph.ratio(Fraction(1, HOLD_S)), round="down", eof_action="pass")
    # The last one for ever, until no more are wanted: without an end the others would wait for it.
    held = held.filter("tpad", stop_mode="clone", stop=-1)
    held = held.filter("trim", end_pts=cut.repeats[-1][1] + 1)
    named = "+".join(f"between(pts,{first},{last})" for first, last in cut.repeats)
    held = held.filter("select", expr=named).filter("settb", expr=clock)
    # Merged by a clock of microseconds; a tick is longer than one.
    return graph.interleaved(own, held).filter("settb", expr=clock)


def _whole_frames(stream: graph.Stream, timeline: Timeline, treatment: Treatment) -> graph.Stream:
    """Before anything is cut: each at its time, of one size, and both fields in one."""
    if timeline.counted:
        stream = stream.filter("settb", expr=graph.ratio(timeline.timebase))
        stream = stream.filter("setpts", expr="N")
    if treatment.width and treatment.height:
        # The graph stays when the picture changes in mid-stream: a new one would count anew. It
        # would otherwise give out the colours of whatever picture a chunk begins to decode with.
        source = treatment.source
        kept = {"out_color_matrix": source.matrix, "out_range": source.range}
        stream = stream.filter(
            "scale",
            w=treatment.width,
            h=treatment.height,
            flags="bicubic",
            **(kept if treatment.named else {}),
        )
    if treatment.deinterlace:
        stream = stream.filter(
            "bwdif", mode="send_frame", parity=treatment.deinterlace, deint="all"
        )
        # It halves the ticks, so that a field could have a time of its own.
        stream = stream.filter("settb", expr=graph.ratio(timeline.timebase))
    return stream


def _encoder(
    rendition: VideoRendition, timeline: Timeline, cut: Cut, tuning: words.Tuning
) -> Iterator[str]:
    if rendition.accelerator == GPU:
        yield from nvenc.options(rendition, timeline)
    else:
        yield from x264.options(rendition, timeline, threads=tuning.threads)
    yield from ("-fps_mode", "passthrough")
    if timeline.variable:
        yield from _at_their_times(timeline, cut)
        return
    yield from ("-enc_time_base", _colon(1 / timeline.rate))
    # Every picture lasts one frame, also the last one, whatever the source says.
    yield from ("-bsf:v", "setts=pts=PTS:dts=DTS:duration=1")


def _at_their_times(timeline: Timeline, cut: Cut) -> Iterator[str]:
    """Key frames where segments start and nowhere else; each picture lasts until the next one,
    the last one until the chunk ends."""
    yield from ("-enc_time_base", _colon(Fraction(1, timeline.timescale)))
    marks = timeline.marks[timeline.segment_of(cut.start) :]
    starts = [frame - cut.start for frame, ticks in marks if ticks < cut.trim_stop]
    named = "+".join(f"eq(n,{frame})" for frame in starts)
    yield from ("-force_key_frames", f"expr:{named}")
    last = next(frame for frame, ticks in marks if ticks == cut.trim_stop) - cut.start - 1
    ends = f"if(eq(N,{last}),{cut.trim_stop},NEXT_PTS)"
    yield from ("-bsf:v", f"setts=pts=PTS:dts=PTS:duration='{ends}-PTS'")


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
