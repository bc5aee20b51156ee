"""A job as the API tells of it: what is told of it everywhere, with links."""

from __future__ import annotations

import logging
from typing import Annotated

from fastapi import Path
from pydantic import BaseModel, Field

from eventing.errors import Unavailable
from functions.gateway import address
from functions.gateway.access.caller import Caller
from functions.gateway.edge.problem import Problem
from functions.gateway.moment import Timestamp
from functions.gateway.world import World
from functions.jobs import overview
from functions.jobs.overview import Overview, State

_log = logging.getLogger(__name__)

JobId = Annotated[str, Path(pattern="^[0-9a-f]{32}$", description="A job's id.")]


class Progress(BaseModel):
    """What is not known is null: before there is a plan, and in lists, where plans of jobs that
    have ended are not read."""

    share: Annotated[float | None, Field(ge=0, le=1, description="Of the work, 0 to 1.")]
    frames_done: Annotated[
        int | None, Field(description="Output frames, averaged over the renditions.")
    ]
    frames_total: Annotated[int | None, Field(description="0 without pictures.")]
    tasks_done: int
    tasks_total: int | None
    speed: Annotated[
        float | None, Field(description="Seconds of picture per second; null while not known.")
    ]
    eta_s: Annotated[float | None, Field(description="Seconds left; null while not known.")]


class JobLinks(BaseModel):
    self: str
    page: Annotated[str, Field(description="For people.")]
    tasks: str
    events: str
    progress: Annotated[str, Field(description="Server-sent events.")]
    outputs: str


class Job(BaseModel):
    job: Annotated[str, Field(description="Its id.")]
    tenant: str
    state: State
    code: Annotated[
        str | None, Field(description="Of the verdict, see docs/refusals.md; null before it.")
    ]
    reason: Annotated[
        str | None,
        Field(
            description="What happened, why, and what to do, for people; null unless it ended "
            "without streams."
        ),
    ]
    source: Annotated[str, Field(description="Address of the object that it is made of.")]
    size_bytes: Annotated[int, Field(description="Of the source.")]
    profile: str
    accepted: Timestamp
    ended: Annotated[Timestamp | None, Field(description="Null before the verdict.")]
    elapsed_s: Annotated[float | None, Field(description="From `accepted` to `ended`.")]
    generation: Annotated[int | None, Field(description="Of the plan; null before there is one.")]
    progress: Progress
    links: JobLinks


def links(job: str, base: str) -> JobLinks:
    api = base + address.job(job)
    return JobLinks(
        self=api,
        page=f"{base}/jobs/{job}",
        tasks=f"{api}/tasks",
        events=f"{api}/events",
        progress=f"{api}/progress",
        outputs=f"{api}/outputs",
    )


def view(seen: Overview, *, now_s: float, base: str) -> Job:
    facts = overview.as_json(seen, now_s=now_s)
    return Job.model_validate({**facts, "links": links(seen.job, base)})


def find(world: World, caller: Caller, job: str) -> Overview:
    """A job of the caller's tenant, from its records. Raises Problem: not-found for any other."""
    seen = overview.read(world.store, job)
    if seen is None or seen.manifest.tenant != caller.tenant:
        raise Problem("not-found", f"There is no job {job}. GET /api/v1/jobs lists the jobs.")
    return seen


def live(world: World, seen: Overview) -> Overview:
    """With how far its running tasks are, where the state store can be asked."""
    try:
        return overview.live(seen, world.state)
    except Unavailable as error:
        # It is an index: what the records tell stands without it.
        _log.warning("no live progress", extra={"facts": {"reason": error.reason}})
        return seen
