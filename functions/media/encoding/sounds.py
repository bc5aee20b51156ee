"""A whole track of sound: what ffmpeg is told to decode, place in time and encode."""

from __future__ import annotations

from fractions import Fraction

from functions.media.encoding import aac, graph
from functions.media.encoding import argv as words
from functions.media.encoding.rendition import AudioRendition


def argv(
    ffmpeg: str, *, source: words.Source, rendition: AudioRendition, tuning: words.Tuning
) -> tuple[str, ...]:
    """Encode a whole audio track into one fragmented mp4, `output(0)`.

    The planned samples follow `aac.FRAME_SAMPLES` of priming, which the edit list skips; `tfdt`
    runs from 0.
    """
    drawn = filters(rendition)
    return (
        *words.start(ffmpeg),
        *words.read(source, tuning.decoder_threads),
        *("-filter_complex_threads", "1"),
        *("-filter_complex", drawn.text),
        *("-map", drawn.labels[0]),
        *("-c:a", "aac", "-b:a", str(rendition.bitrate_bps), "-flags:a", "+bitexact"),
        *words.neutral_muxer(),
        # Half a frame short, so that rounding to microseconds cannot add one.
        *("-frag_duration", str(_us(aac.segment_frames(rendition) * 2 - 1, rendition))),
        *("-movflags", "+cmaf+delay_moov+skip_trailer"),
        *("-f", "mp4", f"file:{words.output(0)}"),
    )


def filters(rendition: AudioRendition) -> graph.Graph:
    """One whole audio track from the timeline's origin on, exactly as long as planned.

    Gaps and overlaps of the source's timestamps are filled and cut, so that sound stays with the
    picture.
    """
    ticks_s = Fraction(rendition.timebase_num, rendition.timebase_den)
    origin_s = rendition.origin * ticks_s
    # Time as samples of the decoder, whose timebase need not be the container's.
    stream = graph.source(rendition.track)
    stream = stream.filter(
        "asetpts", expr=f"PTS-round(({origin_s.numerator})/({origin_s.denominator}*TB))"
    )
    stream = stream.filter(
        "aresample",
        osr=rendition.sample_rate,
        ochl=rendition.layout,
        osf="fltp",
        **{"async": 1, "first_pts": 0},
    )
    stream = stream.filter("apad", whole_len=rendition.samples)
    stream = stream.filter("atrim", end_sample=rendition.samples)
    return graph.closed([stream])


def _us(half_frames: int, rendition: AudioRendition) -> int:
    return half_frames * aac.FRAME_SAMPLES * 1_000_000 // (2 * rendition.sample_rate)
