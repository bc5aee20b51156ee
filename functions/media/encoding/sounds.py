"""Whole tracks of sound: what ffmpeg is told to decode, mix, place in time and encode.

Every rendition goes through two graphs. The first mixes what the decoder gives into the
rendition's layout; ffmpeg draws it anew whenever a source changes its layout or rate in
mid-stream, as broadcasts do. The second keeps the time, which must not start again then: it hears
the first one's samples through a decoder of its own (`-dec`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import Final

from functions.media.encoding import aac, graph
from functions.media.encoding import argv as words
from functions.media.encoding.rendition import AudioRendition

IGNORED_S: Final = "0.002"
"""What a timestamp may be off before anything is done: containers round to milliseconds."""
JUMP_S: Final = "0.015"
"""From here on samples are left out or silence is put in; below, sound is stretched instead."""
STRETCH: Final = 0.02
"""At most so much, which changes the pitch by less than half a semitone."""
LIMIT: Final = "0.95"
"""Peak of what was mixed; its sum can be more than twice as loud as the loudest channel."""
FULL: Final = "1"
"""Peak of what is mixed only later: louder, it is cut off anyway where it is played."""


def argv(
    ffmpeg: str,
    *,
    source: words.Source,
    renditions: Sequence[AudioRendition],
    tuning: words.Tuning,
) -> tuple[str, ...]:
    """Encode whole audio tracks, each into one fragmented mp4: `output(0)` and so on.

    The planned samples follow `aac.FRAME_SAMPLES` of priming, which the edit list skips; `tfdt`
    runs from 0. Of a track with several renditions the packets are decoded once.
    """
    drawn = graph.closed([_placed(number, each) for number, each in enumerate(renditions)])
    return (
        *words.start(ffmpeg, error_rate=words.SOUND_ERROR_RATE),
        *words.read(source, tuning.decoder_threads),
        *("-filter_threads", "1", "-filter_complex_threads", "1"),
        *(word for each in renditions for word in _mixed(each)),
        *(word for number in range(len(renditions)) for word in ("-dec", f"{number}:0")),
        *("-filter_complex", drawn.text),
        *(
            word
            for number, (each, label) in enumerate(zip(renditions, drawn.labels, strict=True))
            for word in _encoded(each, label, words.output(number))
        ),
    )


def _mixed(rendition: AudioRendition) -> Iterator[str]:
    """The track in the rendition's layout, as samples for the second graph."""
    # One channel is the mean of two.
    mean = ":rematrix_volume=0.70710678" if rendition.mixed and rendition.layout == "mono" else ""
    track, rate = str(rendition.track), rendition.sample_rate
    yield from mixed(track, rate=rate, layout=rendition.layout, options=mean)


def mixed(track: str, *, rate: int, layout: str, options: str = "") -> Iterator[str]:
    """The first graph: a stream of the input in one rate and layout, whatever becomes of it."""
    yield from ("-map", f"0:{track}")
    # As players mix (ITU-R BS.775): centre and surrounds 3 dB down, low effects left out, the whole
    # not made quieter.
    yield from ("-filter:a", f"aresample=osr={rate}:ochl={layout}:osf=flt{options}")
    yield from ("-c:a", "pcm_f32le", "-enc_time_base", f"1/{rate}")
    yield from ("-f", "null", "-")


def timed(
    stream: graph.Stream, *, rate: int, layout: str, format: str, **first: int
) -> graph.Stream:
    """The second graph's part: samples of this `format`, each at the time that it is said to have.

    Gaps and overlaps of the timestamps are filled and cut, and a clock that runs apart is followed.
    """
    return stream.filter(
        "aresample",
        osr=rate,
        ochl=layout,
        osf=format,
        **{
            "async": round(STRETCH * rate),
            "min_comp": IGNORED_S,
            "min_hard_comp": JUMP_S,
            **first,
        },
    )


def _placed(number: int, rendition: AudioRendition) -> graph.Stream:
    """The mixed sound from the timeline's origin on, exactly as long as planned, so that it stays
    with the picture."""
    rate = rendition.sample_rate
    ticks_s = Fraction(rendition.timebase_num, rendition.timebase_den)
    begin = round(rendition.origin * ticks_s * rate) + rendition.late
    stream = graph.decoded(number)
    stream = stream.filter("asetpts", expr=f"PTS-({begin})")
    stream = timed(stream, rate=rate, layout=rendition.layout, format="fltp", first_pts=0)
    if rendition.mixed or rendition.changing:
        limit = LIMIT if rendition.mixed else FULL
        stream = stream.filter("alimiter", limit=limit, level=0, latency=1)
    if rendition.late:
        # aresample would hold all of the silence in memory at once.
        silence = graph.silence(rendition.late, rate, rendition.layout)
        stream = graph.joined_sound(silence, stream)
    stream = stream.filter("apad", whole_len=rendition.samples)
    return stream.filter("atrim", end_sample=rendition.samples)


def _encoded(rendition: AudioRendition, label: str, file: str) -> Iterator[str]:
    yield from ("-map", label)
    yield from ("-c:a", "aac", "-b:a", str(rendition.bitrate_bps), "-flags:a", "+bitexact")
    yield from words.neutral_muxer()
    # Half a frame short, so that rounding to microseconds cannot add one.
    half_frames = aac.segment_frames(rendition) * 2 - 1
    yield from ("-frag_duration", str(_us(half_frames, rendition)))
    yield from ("-movflags", "+cmaf+delay_moov+skip_trailer")
    yield from ("-f", "mp4", f"file:{file}")


def _us(half_frames: int, rendition: AudioRendition) -> int:
    return half_frames * aac.FRAME_SAMPLES * 1_000_000 // (2 * rendition.sample_rate)
