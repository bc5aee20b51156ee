"""The renditions of sound: which tracks there are, where each lies on the timeline, and which are
made together."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from itertools import groupby
from typing import Final

from functions.jobs.plan import AudioTask
from functions.jobs.profile import Profile
from functions.media.cutting import framerate
from functions.media.cutting.cost import Model
from functions.media.encoding.rendition import CHANNELS, AudioRendition, Group, Layout
from functions.media.source.probe import Table
from functions.media.source.stream import AudioStream
from functions.media.streams import language
from functions.planning.choice import Choice
from functions.planning.survey import Survey

SURROUND: Final = CHANNELS["5.1"]
"""Channels of a source from which on it has a rendition in 5.1."""
WHOLE_BYTES: Final = 64 << 20
"""Sound lies scattered over the file: a source up to this size is read in one go, for all of its
tracks."""
LATE_S: Final = 1
"""Sound that starts later than that is led by silence made for it."""

CHANGING: Final = ("ac3", "eac3", "dts", "truehd", "mlp", "mp1", "mp2", "mp3")
"""Codecs of which every frame says its layout, also in containers with an index."""
TOLD_S: Final = 1
"""Sound without a picture that is longer than that is told of; most files have a little of it."""


def wanted(choice: Choice, asked: Sequence[str]) -> Choice:
    """With the tracks in the languages that were asked for; with all where there is none."""
    fitting = language.fitting([stream.language for stream in choice.audio], asked)
    kept = [stream for at, stream in enumerate(choice.audio) if at in fitting]
    if not asked or not choice.audio:
        return choice
    if not kept:
        note = f"no sound track in {', '.join(asked)}: every one is there"
        return replace(choice, notes=(*choice.notes, note))
    left_out = [
        f"audio stream {stream.index} left out: its language is {stream.language}"
        for stream in choice.audio
        if stream not in kept
    ]
    return replace(choice, audio=tuple(kept), notes=(*choice.notes, *left_out))


def renditions(
    profile: Profile,
    choice: Choice,
    tables: Mapping[int, Table],
    origin_s: Fraction,
    duration_s: Fraction,
) -> tuple[AudioRendition, ...]:
    """Of every track one that everybody can play, and where it has the channels one in 5.1."""
    return tuple(
        AudioRendition(
            name=f"audio-{number}" + ("-surround" if group == "surround" else ""),
            track=stream.index,
            language=stream.language,
            layout=layout,
            group=group,
            sample_rate=profile.audio.sample_rate,
            bitrate_bps=bitrate_bps,
            samples=max(1, round(duration_s * profile.audio.sample_rate)),
            mixed=CHANNELS[layout] < stream.channels,
            changing=stream.codec in CHANGING,
            late=_late(profile, stream, tables, origin_s, duration_s),
            origin=round(origin_s / stream.timebase),
            timebase_num=stream.timebase.numerator,
            timebase_den=stream.timebase.denominator,
            segment_s=profile.segment_s,
        )
        for number, stream in enumerate(choice.audio, start=1)
        for layout, group, bitrate_bps in _layouts(profile, stream)
    )


def notes(
    choice: Choice, tables: Mapping[int, Table], origin_s: Fraction, duration_s: Fraction
) -> Iterator[str]:
    """What is not heard because there is no picture to it."""
    for stream in choice.audio:
        start_s, stop_s = span(stream, tables)
        before_s = min(stop_s, origin_s) - start_s
        after_s = stop_s - max(start_s, origin_s + duration_s)
        if before_s > TOLD_S:
            yield _left_out(stream, before_s, "before the first picture")
        if after_s > TOLD_S:
            yield _left_out(stream, after_s, "after the last picture")


def _left_out(stream: AudioStream, length_s: Fraction, where: str) -> str:
    return f"audio stream {stream.index}: {float(length_s):.1f} s {where} are left out"


def _layouts(profile: Profile, stream: AudioStream) -> Iterator[tuple[Layout, Group, int]]:
    asked = profile.audio
    channels = min(asked.channels, stream.channels)
    share_bps = asked.bitrate_kbps * 1000 * channels // asked.channels
    yield "mono" if channels == 1 else "stereo", "stereo", share_bps
    if asked.surround_kbps and stream.channels >= SURROUND:
        yield "5.1", "surround", asked.surround_kbps * 1000


def _late(
    profile: Profile,
    stream: AudioStream,
    tables: Mapping[int, Table],
    origin_s: Fraction,
    duration_s: Fraction,
) -> int:
    first = min(packet.pts for packet in tables[stream.index].packets if packet.shown)
    late_s = min(first * stream.timebase - origin_s, duration_s)
    return int(late_s * profile.audio.sample_rate) if late_s > LATE_S else 0


def tasks(audio: Sequence[AudioRendition], survey: Survey, model: Model) -> tuple[AudioTask, ...]:
    """One for all tracks of a source that is read whole, so that it is read once; else one for
    each track, in all of its layouts."""
    if not audio:
        return ()
    if not survey.index or survey.source.size_bytes <= WHOLE_BYTES:
        return (_task(audio, model, spare_bytes=None),)
    tracks = [list(group) for _, group in groupby(audio, key=lambda each: each.track)]
    sizes = {
        stream: sum(packet.size for packet in table.packets)
        for stream, table in survey.tables.items()
    }
    sound_bytes = sum(sizes[group[0].track] for group in tracks)
    # Every task reads the headers too; all together read no more than there is.
    headers_bytes = survey.source.size_bytes - sum(sizes.values())
    spare_bytes = survey.source.size_bytes - sound_bytes - len(tracks) * headers_bytes
    share = min(Fraction(1), max(Fraction(0), Fraction(spare_bytes, max(1, sound_bytes))))
    return tuple(
        _task(group, model, spare_bytes=int(share * sizes[group[0].track])) for group in tracks
    )


def _task(
    renditions: Sequence[AudioRendition], model: Model, *, spare_bytes: int | None
) -> AudioTask:
    number = renditions[0].name.removeprefix("audio-")
    return AudioTask(
        id=f"a{number}",
        renditions=tuple(each.name for each in renditions),
        spare_bytes=spare_bytes,
        cost_ms=round(sum(model.audio_ms(each) for each in renditions)),
    )


def span(stream: AudioStream, tables: Mapping[int, Table]) -> tuple[Fraction, Fraction]:
    """When the first sample is presented and the last one ends, in seconds."""
    ticks = [packet.pts for packet in tables[stream.index].packets if packet.shown]
    start = min(ticks) if stream.start is None else max(min(ticks), stream.start)
    stop = max(ticks) + framerate.median_delta(ticks)
    if stream.duration and start < start + stream.duration < stop:
        stop = start + stream.duration  # an edit list cuts the last packet's end
    return start * stream.timebase, stop * stream.timebase
