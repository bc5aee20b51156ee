"""`report.json`: what a completed job was, made of and cost. Pure: records in, one record out.

Readers may rely on every field here; fields are added, never renamed or given another meaning
without a new `schema`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction

from functions.assembler.whole import Whole
from functions.jobs import layout
from functions.jobs.manifest import Manifest, SourceObject
from functions.jobs.plan import (
    PROGRESSIVE_TASK,
    AudioTask,
    Fingerprint,
    MezzanineTask,
    Plan,
    ProgressiveTask,
    Task,
    VideoTask,
)
from functions.jobs.profile import Options, Profile
from functions.jobs.receipt import Receipt
from functions.media.cutting.cost import Basis
from functions.media.cutting.timeline import Timeline
from functions.media.encoding.rendition import Rendition, VideoRendition
from functions.media.streams import bitrate, hls
from functions.media.streams.segment import Track

SCHEMA = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class RenditionReport:
    """One rung or one audio track."""

    name: str
    kind: str
    """`video` or `audio`."""
    codecs: str
    """RFC 6381."""
    width: int
    """0 for sound, as are `height` below and, for pictures, `channels` and `sample_rate`."""
    height: int
    language: str
    """"" for pictures."""
    channels: int
    layout: str
    """`mono`, `stereo` or `5.1`; "" for pictures."""
    sample_rate: int
    frames: int
    """Pictures, or audio frames."""
    duration_s: Fraction
    """Of what lies in the segments; for sound with the encoder's priming."""
    segments: int
    size_bytes: int
    """Init segment and media segments."""
    average_bps: int
    peak_bps: int
    init: str
    """Key of the init segment."""
    playlist: str
    """Key of the media playlist."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskReport:
    """One task: what was planned and what it took."""

    id: str
    generation: int
    """Of the plan that asked for it first: a mezzanine belongs to an earlier one, and so does what
    a GPU did of a rendition that the CPU had to do after all."""
    kind: str
    """`video`, `audio`, `mezzanine` or `progressive`."""
    accelerator: str
    """`cpu` or `gpu`."""
    renditions: tuple[str, ...]
    start: int
    stop: int
    """Output frames [start, stop); 0 and 0 for a whole track."""
    worker: str
    started_s: float
    finished_s: float
    """POSIX times by the worker's clock."""
    cpu_ms: int
    planned_cpu_ms: int
    source_bytes_read: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FileReport:
    """One MP4 that was asked for besides the streams, and plays while it loads."""

    key: str
    video: str
    """The rendition whose pictures it has; "" without any."""
    audio: str
    """The one whose sound it has; "" without any."""
    size_bytes: int
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    tasks: int
    cpu_ms: int
    source_bytes_read: int
    size_bytes: int
    """Of all init and media segments; files are not counted."""
    encoding_ms: int
    """From the start of the first task to the end of the last."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    schema: int
    job: str
    tenant: str
    generation: int
    source: SourceObject
    """What was dropped."""
    read_from: SourceObject
    """What the tasks read: the source, or its mezzanine."""
    format: str
    """ffmpeg's name of the demuxer."""
    encoder: Fingerprint
    options: Options
    profile: Profile | None
    timeline: Timeline | None
    """None without pictures."""
    renditions: tuple[RenditionReport, ...]
    tasks: tuple[TaskReport, ...]
    totals: Totals
    notes: tuple[str, ...]
    """What was odd in the source and what was done about it; and why the CPU encoded what a GPU
    was asked for."""
    accepted_s: float
    finished_s: float
    """The end of the last task."""
    files: tuple[FileReport, ...] = ()
    """Empty where none was asked for."""
    basis: Basis = field(default_factory=Basis)
    """What `planned_cpu_ms` went by: each rate that was used, and of how many jobs it was learned
    (0: built in)."""


def write(
    manifest: Manifest,
    plan: Plan,
    receipts: Mapping[str, Receipt],
    whole: Whole,
    *,
    earlier: Sequence[tuple[Task, Receipt]] = (),
) -> Report:
    """The report of a job whose tasks are all in `receipts`: the same one, whoever writes it.

    `earlier` are the tasks of the plans before this one.
    """
    renditions = tuple(_rendition(plan, rendition, track) for rendition, track in whole.tracks)
    done = (*earlier, *((task, receipts[task.id]) for task in plan.tasks))
    tasks = tuple(_task(task, receipt) for task, receipt in done)
    started_s = min(task.started_s for task in tasks)
    finished_s = max(task.finished_s for task in tasks)
    return Report(
        schema=SCHEMA,
        job=manifest.job,
        tenant=manifest.tenant,
        generation=plan.generation,
        source=manifest.source,
        read_from=plan.source,
        format=plan.format,
        encoder=plan.encoder,
        options=manifest.options,
        profile=manifest.profile,
        timeline=plan.timeline,
        renditions=renditions,
        tasks=tasks,
        totals=Totals(
            tasks=len(tasks),
            cpu_ms=sum(task.cpu_ms for task in tasks),
            source_bytes_read=sum(task.source_bytes_read for task in tasks),
            size_bytes=sum(rendition.size_bytes for rendition in renditions),
            encoding_ms=max(0, round((finished_s - started_s) * 1000)),
        ),
        notes=(*plan.notes, *_losses(plan, receipts)),
        accepted_s=manifest.accepted_s,
        finished_s=finished_s,
        files=tuple(_files(plan, receipts)),
        basis=plan.basis,
    )


def _losses(plan: Plan, receipts: Mapping[str, Receipt]) -> Iterator[str]:
    """Renditions may be made by different tasks; each has lost what the source lacks."""
    lost = Counter[str]()
    for task in plan.tasks:
        if isinstance(task, VideoTask):
            lost.update(dict.fromkeys(task.renditions, receipts[task.id].lost))
    match max(lost.values(), default=0):
        case 0:
            return
        case 1:
            yield "1 picture could not be decoded: the one before it stands still"
        case most:
            yield f"{most} pictures could not be decoded: the ones before them stand still"


def _files(plan: Plan, receipts: Mapping[str, Receipt]) -> Iterator[FileReport]:
    if not plan.makes_file:
        return
    task = plan.task(PROGRESSIVE_TASK)
    file = receipts[task.id].file
    if file is None or not isinstance(task, ProgressiveTask):
        raise ValueError(f"{task.id} left no file")
    yield FileReport(
        key=file.key,
        video=task.video,
        audio=task.audio,
        size_bytes=file.size_bytes,
        sha256=file.sha256,
    )


def _rendition(plan: Plan, rendition: Rendition, track: Track) -> RenditionReport:
    seconds = [duration_s for _, duration_s in hls.segments_of(track)]
    picture = rendition if isinstance(rendition, VideoRendition) else None
    sound = rendition if not isinstance(rendition, VideoRendition) else None
    return RenditionReport(
        name=rendition.name,
        kind="video" if picture else "audio",
        codecs=track.codecs,
        width=picture.width if picture else 0,
        height=picture.height if picture else 0,
        language=sound.language if sound else "",
        channels=sound.channels if sound else 0,
        layout=sound.layout if sound else "",
        sample_rate=sound.sample_rate if sound else 0,
        frames=track.frames,
        duration_s=sum(seconds, Fraction(0)),
        segments=len(track.segments),
        size_bytes=track.init.size_bytes
        + sum(segment.stored.size_bytes for segment in track.segments),
        average_bps=bitrate.average_bps(track),
        peak_bps=bitrate.peak_bps(track, target_duration_s=hls.target_duration_s(seconds)),
        init=track.init.key,
        playlist=layout.media_playlist(plan.job, rendition.name),
    )


def _task(task: Task, receipt: Receipt) -> TaskReport:
    match task:
        case VideoTask():
            kind, renditions, frames = "video", task.renditions, (task.start, task.stop)
        case AudioTask():
            kind, renditions, frames = "audio", task.renditions, (0, 0)
        case MezzanineTask():
            kind, renditions, frames = "mezzanine", (), (0, 0)
        case ProgressiveTask():
            names = (task.video, task.audio)
            kind, renditions, frames = "progressive", tuple(filter(None, names)), (0, 0)
    return TaskReport(
        id=task.id,
        generation=receipt.generation,
        kind=kind,
        accelerator=task.accelerator,
        renditions=renditions,
        start=frames[0],
        stop=frames[1],
        worker=receipt.worker,
        started_s=receipt.started_s,
        finished_s=receipt.finished_s,
        cpu_ms=receipt.cpu_ms,
        planned_cpu_ms=task.cost_ms,
        source_bytes_read=receipt.source_bytes_read,
    )
