"""From a survey to a plan: renditions, timeline, chunks, tasks. Decides; touches nothing."""

from __future__ import annotations

import string
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Final, Literal

import msgspec

from functions.jobs.manifest import Manifest
from functions.jobs.plan import AudioTask, Fingerprint, MezzanineTask, Plan, Task, VideoTask
from functions.jobs.profile import Profile
from functions.jobs.refusal import refuse
from functions.media import chunks, cost, guard, ladder, timeline
from functions.media.chunks import Costs
from functions.media.probe import AudioStream, Table, VideoStream
from functions.media.rendition import AudioRendition, VideoRendition
from functions.media.timeline import Timeline
from functions.media.windows import Chunk, Windows
from functions.planning.choice import Choice, choose
from functions.planning.survey import Survey

MEZZANINE_TASK: Final = "m1"
LONG_TASK_S: Final = 300.0
"""Half of what a request may take: estimates are for a quick machine."""
HD_LINES: Final = 720
"""From here on pictures that name no colours are taken for those of HD television (BT.709)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """What a plan depends on besides the source and the job."""

    encoder: Fingerprint
    workers: int
    """Encoders that work at the same time."""
    bounds: guard.Bounds
    long_task_s: float = LONG_TASK_S
    """Above this estimate a task is a long one. An encoder has one core, so that CPU time is time
    on the wall."""


def draw(manifest: Manifest, generation: int, survey: Survey, setting: Setting) -> Plan:
    """The plan of this generation. Raises Rejected, ValueError for a job without a profile."""
    plan = _draw(manifest, generation, survey, setting)
    tasks = (_measured(task, setting.long_task_s * 1000) for task in plan.tasks)
    return replace(plan, tasks=tuple(tasks))


def _measured(task: Task, long_ms: float) -> Task:
    return msgspec.structs.replace(task, length="long") if task.cost_ms > long_ms else task


def _draw(manifest: Manifest, generation: int, survey: Survey, setting: Setting) -> Plan:
    if manifest.profile is None:
        raise ValueError("the job has no profile")
    choice = choose(survey.media, survey.tables if survey.prepared else None, setting.bounds)
    empty = Plan(
        job=manifest.job,
        generation=generation,
        kind="encode",
        encoder=setting.encoder,
        source=survey.source,
        format=survey.format,
        index=survey.index,
        video_track=choice.video.index if choice.video else -1,
        timeline=None,
        video=(),
        audio=(),
        tasks=(),
        notes=choice.notes,
    )
    if not survey.prepared:
        return _prepare(empty)
    if choice.video is None:
        return _sound_only(empty, manifest.profile, survey, choice, setting)
    return _film(empty, manifest, manifest.profile, survey, choice, choice.video, setting)


def _prepare(empty: Plan) -> Plan:
    cost_ms = round(cost.remux_ms(empty.source.size_bytes))
    return replace(
        empty, kind="prepare", tasks=(MezzanineTask(id=MEZZANINE_TASK, cost_ms=cost_ms),)
    )


def _film(
    empty: Plan,
    manifest: Manifest,
    profile: Profile,
    survey: Survey,
    choice: Choice,
    video: VideoStream,
    setting: Setting,
) -> Plan:
    table = survey.tables[video.index]
    if not table.complete:
        raise refuse("source_unreadable", problem="pictures without a time")
    presented = sorted(packet.pts for packet in table.packets if packet.shown)
    line = timeline.plan(
        presented, video.timebase, segment_s=profile.segment_s, nominal_rate=video.nominal_rate
    )
    if line.frames > setting.bounds.frames:
        raise refuse("too_long", frames=line.frames, limit=setting.bounds.frames)
    renditions = _rungs(profile, video)
    audio = _sounds(profile, choice, line.origin * line.timebase, line.duration_s)
    return replace(
        empty,
        timeline=line,
        assumed_color=_assumed_color(video),
        video=renditions,
        audio=audio,
        tasks=_tasks(
            line,
            Windows(table.packets, line),
            renditions,
            audio,
            video,
            source_share=Fraction(len(presented), line.frames),
            by_ranges=bool(survey.index),
            profile=profile,
            chunk_segments=manifest.options.chunk_segments,
            workers=setting.workers,
        ),
        notes=(*empty.notes, *_timeline_notes(line, presented)),
    )


def _timeline_notes(line: Timeline, presented: Sequence[int]) -> list[str]:
    if line.constant:
        return []
    return [
        f"variable frame rate: {len(presented)} source frames resampled to {line.frames} "
        f"at {line.rate} a second"
    ]


def _sound_only(
    empty: Plan, profile: Profile, survey: Survey, choice: Choice, setting: Setting
) -> Plan:
    spans = [_sound_span(stream, survey.tables) for stream in choice.audio]
    origin_s = min(start for start, _ in spans)
    duration_s = max(stop for _, stop in spans) - origin_s
    if duration_s <= 0:
        raise refuse("no_streams")
    # As long as a film of so many frames may be at the highest rate.
    frames = int(duration_s * timeline.MAX_RATE)
    if frames > setting.bounds.frames:
        raise refuse("too_long", frames=frames, limit=setting.bounds.frames)
    audio = _sounds(profile, choice, origin_s, duration_s)
    return replace(empty, audio=audio, tasks=tuple(_audio_task(each) for each in audio))


def _sound_span(stream: AudioStream, tables: Mapping[int, Table]) -> tuple[Fraction, Fraction]:
    """When the first sample is presented and the last one ends, in seconds."""
    ticks = [packet.pts for packet in tables[stream.index].packets if packet.shown]
    start = min(ticks) if stream.start is None else max(min(ticks), stream.start)
    stop = max(ticks) + timeline.median_delta(ticks)
    if stream.duration and start < start + stream.duration < stop:
        stop = start + stream.duration  # an edit list cuts the last packet's end
    return start * stream.timebase, stop * stream.timebase


def _rungs(profile: Profile, video: VideoStream) -> tuple[VideoRendition, ...]:
    steps = [
        ladder.Step(
            short_side=rung.height // 2 * 2,
            maxrate_bps=rung.maxrate_kbps * 1000,
            bufsize_bits=rung.bufsize_kbps * 1000,
        )
        for rung in profile.video.ladder
    ]
    return ladder.rungs(
        steps,
        display_width=video.display_width,
        display_height=video.display_height,
        preset=profile.video.preset,
        crf=profile.video.crf,
    )


def _sounds(
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
        channels=channels,
        sample_rate=asked.sample_rate,
        bitrate_bps=asked.bitrate_kbps * 1000 * channels // asked.channels,
        samples=max(1, round(duration_s * asked.sample_rate)),
        origin=round(origin_s / stream.timebase),
        timebase_num=stream.timebase.numerator,
        timebase_den=stream.timebase.denominator,
        segment_s=profile.segment_s,
    )


def _audio_task(rendition: AudioRendition) -> AudioTask:
    number = rendition.name.removeprefix("audio-")
    duration_s = Fraction(rendition.samples, rendition.sample_rate)
    return AudioTask(
        id=f"a{number}", rendition=rendition.name, cost_ms=round(cost.audio_ms(duration_s))
    )


def _tasks(
    line: Timeline,
    windows: Windows,
    renditions: Sequence[VideoRendition],
    audio: Sequence[AudioRendition],
    video: VideoStream,
    *,
    source_share: Fraction,
    by_ranges: bool,
    profile: Profile,
    chunk_segments: int | None,
    workers: int,
) -> tuple[Task, ...]:
    pixels = video.width * video.height
    decode_ms = cost.decode_ms(video.codec, video.width, video.height)
    encode_ms = cost.encode_all_ms(renditions, pixels)
    sound = [_audio_task(rendition) for rendition in audio]
    costs = Costs(
        frame_ms=decode_ms * float(source_share) + encode_ms,
        pre_roll_ms=decode_ms,
        start_ms=cost.START_MS,
        others_ms=tuple(float(task.cost_ms) for task in sound),
    )
    cut = chunks.cut(
        line,
        costs,
        workers=workers,
        chunk_s=profile.chunk_s,
        windows=windows if by_ranges else None,
        chunk_segments=chunk_segments,
    )
    groups = _groups(renditions, pixels, line.segment_frames)
    tasks: list[Task] = []
    for number in cut.order:
        if number < 0:
            tasks.append(sound[-1 - number])
            continue
        chunk = cut.chunks[number]
        for letter, group in zip(string.ascii_lowercase, groups, strict=False):
            suffix = f"-{letter}" if len(groups) > 1 else ""
            frame_ms = decode_ms * float(source_share) + cost.encode_all_ms(group, pixels)
            task = _video_task(
                f"v{number:04d}{suffix}", group, chunk, windows, by_ranges, frame_ms, decode_ms
            )
            tasks.append(task)
    return tuple(tasks)


def _groups(
    renditions: Sequence[VideoRendition], pixels: int, segment_frames: int
) -> list[list[VideoRendition]]:
    """All renditions together, or apart where even one segment of all is too much for a task."""
    groups: list[list[VideoRendition]] = [[]]
    for rendition in renditions:
        together_ms = cost.encode_all_ms([*groups[-1], rendition], pixels) * segment_frames
        if groups[-1] and together_ms > chunks.MAX_TASK_MS:
            groups.append([])
        groups[-1].append(rendition)
    return groups


def _video_task(
    task: str,
    renditions: Sequence[VideoRendition],
    chunk: Chunk,
    windows: Windows,
    by_ranges: bool,
    frame_ms: float,
    pre_roll_ms: float,
) -> VideoTask:
    window = windows.of(chunk)
    cost_ms = cost.START_MS + chunk.frames * frame_ms + window.pre_roll * pre_roll_ms
    return VideoTask(
        id=task,
        renditions=tuple(rendition.name for rendition in renditions),
        start=chunk.start,
        stop=chunk.stop,
        first_packet=window.first_packet if by_ranges else 0,
        stop_packet=window.stop_packet if by_ranges else 0,
        trim_start=window.trim_start,
        trim_stop=window.trim_stop,
        cost_ms=round(cost_ms),
    )


def _assumed_color(video: VideoStream) -> Literal["", "bt709", "smpte170m"]:
    """What everybody takes pictures of that size for that say nothing."""
    if video.color_space or video.color_transfer or video.color_primaries:
        return ""
    return "bt709" if min(video.width, video.height) >= HD_LINES else "smpte170m"
