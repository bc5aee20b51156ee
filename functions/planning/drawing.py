"""From a survey to a plan: renditions, timeline, chunks, tasks. Decides; touches nothing."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Final

import msgspec

from functions.jobs import fallback
from functions.jobs.manifest import Manifest
from functions.jobs.plan import MEZZANINE_TASK, Fingerprint, MezzanineTask, Plan, Task, VideoTask
from functions.jobs.profile import Profile
from functions.jobs.refusal import refuse
from functions.media.cutting import effort, framerate, presentation, timeline
from functions.media.cutting.cost import Basis, Model
from functions.media.cutting.effort import Effort
from functions.media.cutting.rates import Rates
from functions.media.cutting.windows import Windows
from functions.media.encoding.accelerator import CPU, GPU, Accelerator
from functions.media.source import guard
from functions.media.source.stream import VideoStream
from functions.planning import oddities, pictures, sounds, tasks
from functions.planning.choice import Choice, choose
from functions.planning.survey import Survey

LONG_TASK_S: Final = 300.0
"""Half of what a request may take: estimates are for a quick machine."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """What a plan depends on besides the source and the job."""

    encoder: Fingerprint
    workers: int
    """Encoders that work at the same time."""
    gpu_workers: int = 0
    """Those of them that have a GPU of their own."""
    bounds: guard.Bounds
    rates: Rates = field(default_factory=Rates)
    """What work costs, as far as it was learned."""
    long_task_s: float = LONG_TASK_S
    """Above this estimate a task is a long one. An encoder has one core, so that CPU time is time
    on the wall."""


def draw(manifest: Manifest, generation: int, survey: Survey, setting: Setting) -> Plan:
    """The plan of this generation. Raises Rejected, ValueError for a job without a profile."""
    model = Model(setting.rates)
    plan = _draw(manifest, generation, survey, setting, model)
    tasks = (_measured(task, setting.long_task_s * 1000) for task in plan.tasks)
    basis = replace(plan.basis, rates=dict(sorted(model.used.items())))
    return replace(plan, tasks=tuple(tasks), basis=basis)


def _measured(task: Task, long_ms: float) -> Task:
    """A long one is long wherever it may end up: on the CPU a GPU's takes more."""
    most_ms = max(task.cost_ms, task.fallback_ms if isinstance(task, VideoTask) else 0)
    return msgspec.structs.replace(task, length="long") if most_ms > long_ms else task


def _draw(
    manifest: Manifest, generation: int, survey: Survey, setting: Setting, model: Model
) -> Plan:
    if manifest.profile is None:
        raise ValueError("the job has no profile")
    choice = sounds.wanted(
        choose(survey.media, survey.tables if survey.prepared else None, setting.bounds),
        manifest.options.audio_languages,
    )
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
        notes=(*survey.notes, *choice.notes),
    )
    if not survey.prepared:
        return _prepare(empty, model)
    if choice.video is None:
        return _sound_only(empty, manifest.profile, survey, choice, setting, model)
    return _film(empty, manifest, manifest.profile, survey, choice, choice.video, setting, model)


def _prepare(empty: Plan, model: Model) -> Plan:
    cost_ms = round(model.remux_ms(empty.source.size_bytes))
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
    model: Model,
) -> Plan:
    table = survey.tables[video.index]
    if not table.complete:
        raise refuse("source_unreadable", problem="pictures without a time")
    presented = presentation.of(table.packets).ticks
    line = timeline.plan(
        presented,
        video.timebase,
        segment_s=profile.segment_s,
        nominal_rate=video.nominal_rate,
        variable=manifest.options.frame_rate == "variable",
        counted=survey.counted,
    )
    most = setting.bounds.frames
    if not line.constant:
        most = min(most, timeline.most_frames(presented))
    if line.frames > most:
        raise refuse("too_long", frames=line.frames, limit=most)
    accelerator, without = _accelerator(manifest, setting)
    renditions = pictures.rungs(profile, video, accelerator)
    seen = survey.seen.get(video.index)
    treatment = pictures.treatment(video, renditions, seen)
    audio = sounds.renditions(
        profile, choice, survey.tables, line.origin * line.timebase, line.duration_s
    )
    source_share = Fraction(len(presented), line.frames)
    return replace(
        empty,
        timeline=line,
        picture=treatment,
        video=renditions,
        audio=audio,
        tasks=tasks.of_film(
            line,
            Windows(table.packets, line, beside=treatment.beside),
            renditions,
            sounds.tasks(audio, survey, model),
            video,
            source_share=source_share,
            effort=Effort(line, effort.weights(table.packets, line)),
            by_ranges=bool(survey.index),
            profile=profile,
            chunk_segments=manifest.options.chunk_segments,
            workers=setting.workers if accelerator == CPU else setting.gpu_workers,
            model=model,
            treatments=treatment.costs,
        ),
        basis=Basis(
            codec=video.codec,
            pixels=video.width * video.height,
            source_share=float(source_share),
            treatments=treatment.costs,
        ),
        notes=(
            *empty.notes,
            *oddities.of_end(survey.torn, line.duration_s),
            *oddities.of_times(
                line,
                table.packets,
                claimed_rate=video.nominal_rate,
                asked_variable=manifest.options.frame_rate == "variable",
            ),
            *pictures.notes(treatment, seen),
            *sounds.notes(choice, survey.tables, line.origin * line.timebase, line.duration_s),
            *without,
        ),
    )


def _accelerator(manifest: Manifest, setting: Setting) -> tuple[Accelerator, list[str]]:
    """What encodes the pictures, and why it is not what was asked for, where it is not."""
    if manifest.accelerator == GPU and not setting.gpu_workers:
        return CPU, [fallback.note(fallback.NONE_THERE)]
    return manifest.accelerator, []


def _sound_only(
    empty: Plan,
    profile: Profile,
    survey: Survey,
    choice: Choice,
    setting: Setting,
    model: Model,
) -> Plan:
    spans = [sounds.span(stream, survey.tables) for stream in choice.audio]
    origin_s = min(start for start, _ in spans)
    duration_s = max(stop for _, stop in spans) - origin_s
    if duration_s <= 0:
        raise refuse("no_streams")
    # As long as a film of so many frames may be at the highest rate.
    frames = int(duration_s * framerate.MAX_RATE)
    if frames > setting.bounds.frames:
        raise refuse("too_long", frames=frames, limit=setting.bounds.frames)
    audio = sounds.renditions(profile, choice, survey.tables, origin_s, duration_s)
    notes = (*empty.notes, *oddities.of_end(survey.torn, duration_s))
    return replace(empty, audio=audio, tasks=sounds.tasks(audio, survey, model), notes=notes)
