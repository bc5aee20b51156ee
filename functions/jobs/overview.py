"""One job as people ask about it: its records, and what the state store adds of running tasks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final, Literal, get_args

from eventing.cloudevent import timestamp
from functions.jobs import layout, progress, tasks
from functions.jobs.trail import Trail

if TYPE_CHECKING:
    from functions.jobs.manifest import Manifest
    from functions.jobs.plan import Plan
    from functions.jobs.verdict import Verdict
    from functions.ports import ObjectStore, StateStore

State = Literal[
    "accepted",
    "preparing",
    "encoding",
    "assembling",
    "completed",
    "rejected",
    "failed",
    "cancelled",
]
STATES: Final[tuple[State, ...]] = get_args(State)
"""The first four are of a job without a verdict: accepted and not yet planned, its mezzanine being
made, encoders at work, and every segment there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    """A job at one moment."""

    job: str
    manifest: Manifest
    plan: Plan | None
    """The latest; also None in a summary of a job that has ended."""
    generation: int
    """Of the latest plan, 0 before the first."""
    planned_s: float | None = None
    """When that was written, by the store's clock: from here on speed counts."""
    done: frozenset[str]
    """Ids of the plan's tasks that have a receipt."""
    failed: Mapping[str, int] = field(default_factory=dict)
    """Attempts that failed, by task, where any did."""
    verdict: Verdict | None
    frames: Mapping[str, int]
    """Progress by task (sound: samples), of tasks that run; empty where nobody asked for it."""
    workers: Mapping[str, str] = field(default_factory=dict)
    """Who works on a task, of tasks that run; empty where nobody asked for it."""

    @property
    def state(self) -> State:
        if self.verdict is not None:
            return self.verdict.state
        if self.plan is None:
            return "accepted"
        if self.plan.kind == "prepare":
            return "preparing"
        from functions.jobs.plan import PROGRESSIVE_TASK

        left = len(self.plan.tasks) - len(self.done)
        if self.plan.makes_file and PROGRESSIVE_TASK not in self.done:
            left -= 1  # a file is put together of segments, like the playlists
        return "encoding" if left > 0 else "assembling"

    @property
    def ended(self) -> bool:
        return self.verdict is not None

    @property
    def elapsed_s(self) -> float | None:
        """From acceptance to the verdict, None without one."""
        if self.verdict is None:
            return None
        return max(0.0, self.verdict.decided_s - self.manifest.accepted_s)

    def encoding_s(self, now_s: float) -> float:
        """Since the plan was there, until the verdict where there is one."""
        until_s = now_s if self.verdict is None else self.verdict.decided_s
        return 0.0 if self.planned_s is None else max(0.0, until_s - self.planned_s)


def of(trail: Trail, *, brief: bool = False) -> Overview | None:
    """The job as its records say, None where there is no manifest yet.

    A `brief` one of a job that has ended does without its plan, unless that took over receipts.
    """
    manifest = trail.manifest()
    if manifest is None:
        return None
    verdict = trail.verdict()
    generation = trail.generation
    plan = None
    if not (brief and verdict) or trail.carries_over:
        plan = trail.plan(generation)
    return Overview(
        job=trail.job,
        manifest=manifest,
        plan=plan,
        generation=generation,
        planned_s=trail.planned_s.get(generation),
        done=frozenset(trail.done_of(plan) if plan else trail.done(generation)),
        failed=trail.attempts_of(plan) if plan else {},
        verdict=verdict,
        frames={},
    )


def read(store: ObjectStore, job: str) -> Overview | None:
    """The job as it stands, None where there is no manifest yet: a listing and up to three
    records."""
    trail = Trail(store, job)
    trail.follow()
    return of(trail)


def summary(store: ObjectStore, job: str) -> Overview | None:
    """The same for lists: a listing and up to two records."""
    trail = Trail(store, job)
    trail.follow()
    return of(trail, brief=True)


def live(seen: Overview, state: StateStore) -> Overview:
    """With what the state store knows of its running tasks, in three requests; one that has
    ended as it is. Raises Unavailable."""
    if seen.ended or seen.plan is None:
        return seen
    return with_progress(seen, state.progress(seen.job), tasks.workers(state, seen.plan))


def with_progress(
    seen: Overview, frames: Mapping[str, int], workers: Mapping[str, str] | None = None
) -> Overview:
    return replace(seen, frames=dict(frames), workers=dict(workers or {}))


def as_json(seen: Overview, *, now_s: float) -> dict[str, Any]:
    """What is told of a job everywhere: by the API, its streams and the command line.

    What is not known, or not yet, is null: so are the numbers that stand in the plan, in a summary
    of a job that has ended.
    """
    manifest, verdict = seen.manifest, seen.verdict
    return {
        "job": seen.job,
        "tenant": manifest.tenant,
        "state": seen.state,
        "code": verdict.code if verdict else None,
        "reason": (verdict.reason or None) if verdict else None,
        "source": manifest.source.address,
        "size_bytes": manifest.source.size_bytes,
        "profile": manifest.options.profile,
        "accepted": timestamp(manifest.accepted_s),
        "ended": timestamp(verdict.decided_s) if verdict else None,
        "elapsed_s": None if seen.elapsed_s is None else round(seen.elapsed_s, 3),
        "generation": seen.generation or None,
        "progress": _progress_as_json(seen, now_s=now_s),
    }


def _progress_as_json(seen: Overview, *, now_s: float) -> dict[str, Any]:
    at = progress.of_plan(seen.plan, seen.done, seen.frames)
    elapsed_s = seen.encoding_s(now_s)
    speed = at.speed(elapsed_s)
    left_s = at.remaining_s(elapsed_s) if seen.state == "encoding" else None
    unread = seen.plan is None and seen.generation > 0
    share = None if unread else round(float(at.share), 4)
    return {
        "share": 1.0 if seen.state == "completed" else share,
        "frames_done": None if unread else at.frames,
        "frames_total": at.frames_total if seen.plan and seen.plan.kind == "encode" else None,
        "tasks_done": len(seen.done),
        "tasks_total": _tasks_total(seen),
        "speed": None if speed is None else round(speed, 2),
        "eta_s": None if left_s is None else round(left_s, 1),
    }


def _tasks_total(seen: Overview) -> int | None:
    if seen.plan is not None:
        return len(seen.plan.tasks)
    # A job is completed once every task is.
    return len(seen.done) if seen.state == "completed" else None


def detail_as_json(seen: Overview, *, now_s: float) -> dict[str, Any]:
    """The same with the plan's renditions and tasks, and where the result lies."""
    plan = seen.plan
    job = seen.job
    value = as_json(seen, now_s=now_s)
    value["outputs"] = (
        {
            "master": layout.media(job, layout.MASTER),
            "manifest": layout.media(job, layout.MANIFEST),
            "report": layout.media(job, layout.REPORT),
            "progressive": (seen.verdict.progressive if seen.verdict else "") or None,
        }
        if seen.state == "completed"
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
            "tasks": [tasks.as_json(task) for task in tasks.of(seen)],
            "notes": list(plan.notes),
        }
    return value
