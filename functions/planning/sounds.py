"""The renditions of sound: which tracks there are, and where each lies on the timeline."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

from functions.jobs.profile import Profile
from functions.media.cutting import framerate
from functions.media.encoding.rendition import AudioRendition
from functions.media.source.probe import AudioStream, Table
from functions.planning.choice import Choice


def renditions(
    profile: Profile, choice: Choice, origin_s: Fraction, duration_s: Fraction
) -> tuple[AudioRendition, ...]:
    return tuple(
        _audio_rendition(profile, stream, number, origin_s, duration_s)
        for number, stream in enumerate(choice.audio, start=1)
    )


def _audio_rendition(
    profile: Profile,
    stream: AudioStream,
    number: int,
    origin_s: Fraction,
    duration_s: Fraction,
) -> AudioRendition:
    asked = profile.audio
    channels = min(asked.channels, stream.channels)
    return AudioRendition(
        name=f"audio-{number}",
        track=stream.index,
        language=stream.language,
        layout="mono" if channels == 1 else "stereo",
        group="stereo",
        sample_rate=asked.sample_rate,
        bitrate_bps=asked.bitrate_kbps * 1000 * channels // asked.channels,
        samples=max(1, round(duration_s * asked.sample_rate)),
        origin=round(origin_s / stream.timebase),
        timebase_num=stream.timebase.numerator,
        timebase_den=stream.timebase.denominator,
        segment_s=profile.segment_s,
    )


def span(stream: AudioStream, tables: Mapping[int, Table]) -> tuple[Fraction, Fraction]:
    """When the first sample is presented and the last one ends, in seconds."""
    ticks = [packet.pts for packet in tables[stream.index].packets if packet.shown]
    start = min(ticks) if stream.start is None else max(min(ticks), stream.start)
    stop = max(ticks) + framerate.median_delta(ticks)
    if stream.duration and start < start + stream.duration < stop:
        stop = start + stream.duration  # an edit list cuts the last packet's end
    return start * stream.timebase, stop * stream.timebase
