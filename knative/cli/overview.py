"""One job as people ask about it, read from the object store's records alone."""

from __future__ import annotations

from collections.abc import Mapping, Set
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Final

from eventing.cloudevent import timestamp
from functions.jobs import layout

if TYPE_CHECKING:
    from functions.jobs.manifest import Manifest
    from functions.jobs.plan import Plan
    from functions.jobs.verdict import Verdict
    from functions.ports import ObjectStore

STATES: Final = (
    "accepted",
    "preparing",
    "encoding",
    "assembling",
    "completed",
    "rejected",
    "failed",
    "cancelled",
)
"""The first four are of a job without a verdict: accepted and not yet planned, its mezzanine being
made, encoders at work, and every task done."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    """A job at one moment."""

    job: str
    manifest: Manifest
    plan: Plan | None
    done: frozenset[str]
    """Ids of the plan's tasks that have a receipt."""
    verdict: Verdict | None
    frames: Mapping[str, int]
    """Progress by task (sound: samples), of tasks that run; empty where nobody asked for it."""

    @property
    def state(self) -> str:
        if self.verdict is not None:
            return self.verdict.state
        if self.plan is None:
            return "accepted"
        if len(self.done) >= len(self.plan.tasks):
            return "assembling"
        return "preparing" if self.plan.kind == "prepare" else "encoding"

    @property
    def ended(self) -> bool:
        return self.verdict is not None

    @property
    def elapsed_s(self) -> float | None:
        """From acceptance to the verdict, None without one."""
        if self.verdict is None:
            return None
        return max(0.0, self.verdict.decided_s - self.manifest.accepted_s)


def read(store: ObjectStore, job: str) -> Overview | None:
    """The job as it stands now, None where there is no manifest yet."""
    from functions.jobs import ending, record
    from functions.jobs.manifest import Manifest
    from functions.ports import Absent

    try:
        manifest = record.load(store.get(layout.manifest(job)), Manifest)
    except Absent:
        return None
    plan = _latest_plan(store, job)
    done: frozenset[str] = frozenset()
    if plan is not None:
        prefix = layout.receipts_prefix(job, plan.generation)
        done = frozenset(found.key[len(prefix) :] for found in store.list(prefix))
    return Overview(
        job=job,
        manifest=manifest,
        plan=plan,
        done=done,
        verdict=ending.read(store, job),
        frames={},
    )


def with_progress(overview: Overview, frames: Mapping[str, int]) -> Overview:
    return replace(overview, frames=dict(frames))


def _latest_plan(store: ObjectStore, job: str) -> Plan | None:
    from functions.jobs import record
    from functions.jobs.plan import Plan

    prefix = layout.plan(job, 0).removesuffix("0.json")
    generations = [
        int(number)
        for found in store.list(prefix)
        if (number := found.key[len(prefix) :].removesuffix(".json")).isdigit()
    ]
    if not generations:
        return None
    return record.load(store.get(layout.plan(job, max(generations))), Plan)


ENOUGH: Final = Fraction(1, 20)
"""Of the work: from here on what remains is guessed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a job is. `frames` are output frames, averaged over the renditions."""

    frames: int
    frames_total: int
    """0 without pictures or before the plan."""
    tasks: int
    tasks_total: int
    share: Fraction
    """0 to 1 of the work, by the plan's own estimate of each task's cost."""
    rate: Fraction
    """Output frames per second of the picture, 0 without one."""

    def speed(self, elapsed_s: float) -> float | None:
        """Seconds of picture per second of time, None where nothing can be said."""
        if not self.rate or elapsed_s <= 0 or not self.frames:
            return None
        return float(self.frames / self.rate) / elapsed_s

    def remaining_s(self, elapsed_s: float) -> float | None:
        """If it goes on as it went. None before enough is done to say so."""
        if self.share < ENOUGH:
            return None
        return elapsed_s * float((1 - self.share) / self.share)


NOTHING: Final = Progress(
    frames=0, frames_total=0, tasks=0, tasks_total=0, share=Fraction(0), rate=Fraction(0)
)


def progress(plan: Plan | None, done: Set[str], frames: Mapping[str, int]) -> Progress:
    """How far the plan is, from its receipts and what running tasks reported."""
    from functions.jobs.plan import AudioTask, VideoTask

    if plan is None or plan.kind != "encode":
        return NOTHING
    total_ms = sum(max(1, task.cost_ms) for task in plan.tasks)
    samples = {track.name: track.samples for track in plan.audio}
    done_ms = Fraction(0)
    shown = Fraction(0)
    for task in plan.tasks:
        part = Fraction(task.id in done)
        if isinstance(task, VideoTask):
            length = task.stop - task.start
            if task.id not in done:
                part = Fraction(min(max(frames.get(task.id, 0), 0), length), length)
            shown += part * length * Fraction(len(task.renditions), max(1, len(plan.video)))
        elif isinstance(task, AudioTask) and task.id not in done:
            length = max(1, samples.get(task.rendition, 0))
            part = Fraction(min(max(frames.get(task.id, 0), 0), length), length)
        done_ms += part * max(1, task.cost_ms)
    timeline = plan.timeline
    return Progress(
        frames=int(shown),
        frames_total=timeline.frames if timeline and plan.video else 0,
        tasks=sum(task.id in done for task in plan.tasks),
        tasks_total=len(plan.tasks),
        share=done_ms / total_ms if total_ms else Fraction(0),
        rate=timeline.rate if timeline and plan.video else Fraction(0),
    )


def as_json(overview: Overview) -> dict[str, Any]:
    """What `--json` prints of a job."""
    manifest, plan, verdict = overview.manifest, overview.plan, overview.verdict
    at = progress(plan, overview.done, overview.frames)
    value: dict[str, Any] = {
        "job": overview.job,
        "tenant": manifest.tenant,
        "state": overview.state,
        "code": verdict.code if verdict else "",
        "reason": verdict.reason if verdict else "",
        "source": manifest.source.address,
        "size_bytes": manifest.source.size_bytes,
        "profile": manifest.options.profile,
        "accepted": timestamp(manifest.accepted_s),
        "ended": timestamp(verdict.decided_s) if verdict else None,
        "elapsed_s": None if overview.elapsed_s is None else round(overview.elapsed_s, 3),
        "generation": plan.generation if plan else 0,
        "tasks": {"done": len(overview.done), "total": len(plan.tasks) if plan else 0},
        "frames": {"done": at.frames, "total": at.frames_total},
    }
    return value


def detail_as_json(overview: Overview) -> dict[str, Any]:
    """The same with the plan's renditions and tasks, and where the result lies."""
    plan = overview.plan
    job = overview.job
    value = as_json(overview)
    value["outputs"] = (
        {
            "master": layout.media(job, layout.MASTER),
            "manifest": layout.media(job, layout.MANIFEST),
            "report": layout.media(job, layout.REPORT),
        }
        if overview.state == "completed"
        else None
    )
    value["plan"] = None
    if plan is not None:
        timeline = plan.timeline
        value["plan"] = {
            "kind": plan.kind,
            "encoder": plan.encoder.version,
            "rate": str(timeline.rate) if timeline else None,
            "frames": timeline.frames if timeline else None,
            "segment_frames": timeline.segment_frames if timeline else None,
            "video": [
                {"name": rung.name, "width": rung.width, "height": rung.height}
                for rung in plan.video
            ],
            "audio": [
                {"name": track.name, "language": track.language, "channels": track.channels}
                for track in plan.audio
            ],
            "tasks": [_task_as_json(overview, task) for task in plan.tasks],
            "notes": list(plan.notes),
        }
    return value


def _task_as_json(overview: Overview, task: Any) -> dict[str, Any]:
    from functions.jobs.plan import AudioTask, VideoTask

    value: dict[str, Any] = {"id": task.id, "done": task.id in overview.done}
    if isinstance(task, VideoTask):
        value |= {
            "kind": "video",
            "renditions": list(task.renditions),
            "start": task.start,
            "stop": task.stop,
            "frames_done": task.stop - task.start
            if task.id in overview.done
            else overview.frames.get(task.id, 0),
        }
    elif isinstance(task, AudioTask):
        value |= {"kind": "audio", "renditions": [task.rendition]}
    else:
        value |= {"kind": "mezzanine"}
    return value
