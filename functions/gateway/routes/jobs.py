"""Jobs: create, list, show, cancel, retry, outputs."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, Field

from functions.gateway import address
from functions.gateway.access.caller import JobReader, JobWriter
from functions.gateway.address import base_url
from functions.gateway.edge.idempotency import PROBLEMS as ONCE
from functions.gateway.edge.idempotency import Made, TheKey
from functions.gateway.edge.problem import Problem, responses
from functions.gateway.jobs import listing, submit
from functions.gateway.jobs import view as jobview
from functions.gateway.jobs.listing import Filter
from functions.gateway.jobs.options import JobOptions
from functions.gateway.jobs.outputs import Outputs, links_of
from functions.gateway.jobs.source import NamedSource, source_of
from functions.gateway.jobs.view import Job, JobId
from functions.gateway.moment import Moment
from functions.gateway.payload import Payload
from functions.gateway.world import TheWorld
from functions.jobs import ending, overview
from functions.jobs.overview import State
from functions.jobs.refusal import refuse

router = APIRouter(tags=["jobs"])


class NewJob(NamedSource):
    """What is uploaded becomes a job by itself; this makes another one of it."""

    options: JobOptions = JobOptions()


class Reason(Payload):
    reason: Annotated[str, Field(max_length=500, description="Why, for whoever looks.")] = ""


class Jobs(BaseModel):
    jobs: list[Job]
    next: Annotated[
        str | None,
        Field(description="The `cursor` of what follows; null at the end. A page may be short."),
    ]


@router.post(
    "/jobs",
    summary="Create a job",
    status_code=201,
    response_model=Job,
    responses=responses("not-found", "refused", *ONCE),
)
def create_job(
    asked: NewJob, request: Request, world: TheWorld, caller: JobWriter, key: TheKey
) -> Any:
    """Make a job of an object that is there, or of a file that was uploaded."""

    def make(name: str) -> Made:
        source = source_of(world, caller.tenant, asked)
        options = asked.options.model_dump(exclude_unset=True)
        return _made(
            request, world, submit.submit(world, caller.tenant, source, asked=options, name=name)
        )

    return key.answer(caller, asked, make)


@router.get("/jobs", summary="List jobs")
def list_jobs(
    request: Request,
    world: TheWorld,
    caller: JobReader,
    state: Annotated[State | None, Query(description="Only jobs in this state.")] = None,
    profile: Annotated[str, Query(max_length=63, description="Only jobs of this profile.")] = "",
    source: Annotated[
        str, Query(max_length=1024, description="What the source's address begins with.")
    ] = "",
    since: Annotated[Moment | None, Query(description="Accepted then or later.")] = None,
    until: Annotated[Moment | None, Query(description="Accepted before.")] = None,
    limit: Annotated[int, Query(ge=1, le=100, description="At most so many.")] = 50,
    cursor: Annotated[
        str, Query(max_length=100, description="`next` of the page before; none for the first.")
    ] = "",
) -> Jobs:
    """The tenant's jobs, the newest first."""
    wanted = Filter(
        state=state or "",
        profile=profile,
        source=source,
        since_s=since.timestamp() if since else None,
        until_s=until.timestamp() if until else None,
    )
    found, following = listing.page(world.store, caller.tenant, wanted, limit=limit, cursor=cursor)
    now_s, base = world.clock(), base_url(request, world)
    return Jobs(
        jobs=[jobview.view(jobview.live(world, seen), now_s=now_s, base=base) for seen in found],
        next=following or None,
    )


@router.get("/jobs/{job}", summary="Get a job", responses=responses("not-found"))
def get_job(job: JobId, request: Request, world: TheWorld, caller: JobReader) -> Job:
    """One job, as it is now."""
    seen = jobview.live(world, jobview.find(world, caller, job))
    return jobview.view(seen, now_s=world.clock(), base=base_url(request, world))


@router.post(
    "/jobs/{job}/cancel", summary="Cancel a job", responses=responses("not-found", "conflict")
)
def cancel_job(
    job: JobId,
    request: Request,
    world: TheWorld,
    caller: JobWriter,
    asked: Reason | None = None,
) -> Job:
    """Call a job off. What encodes for it stops within seconds, and its outputs are removed.

    Again is harmless; a job that ended otherwise stays as it ended.
    """
    seen = jobview.find(world, caller, job)
    verdict = ending.decide(
        world.store,
        job=job,
        tenant=seen.manifest.tenant,
        state="cancelled",
        code="cancelled",
        reason=(asked.reason if asked else "") or refuse("cancelled").reason,
        now_s=world.clock(),
    )
    if verdict.state != "cancelled":
        raise Problem("conflict", f"The job has ended: it is {verdict.state}.", state=verdict.state)
    submit.tell(world, ending.conclude(world.store, world.state, verdict))
    return jobview.view(
        jobview.find(world, caller, job),
        now_s=world.clock(),
        base=base_url(request, world),
    )


@router.post(
    "/jobs/{job}/retry",
    summary="Retry a job",
    status_code=201,
    response_model=Job,
    responses=responses("not-found", "refused", *ONCE),
)
def retry_job(job: JobId, request: Request, world: TheWorld, caller: JobWriter, key: TheKey) -> Any:
    """Make a new job of the source of one that has ended, with the same options."""

    def make(name: str) -> Made:
        seen = jobview.find(world, caller, job)
        if not seen.ended:
            raise Problem("conflict", "The job has not ended. Cancel it first.", state=seen.state)
        again = submit.submit(
            world,
            caller.tenant,
            seen.manifest.source,
            asked=msgspec.to_builtins(seen.manifest.options),
            name=name,
        )
        return _made(request, world, again)

    return key.answer(caller, None, make)


@router.get("/jobs/{job}/outputs", summary="Get a job's outputs", responses=responses("not-found"))
def get_outputs(job: JobId, request: Request, world: TheWorld, caller: JobReader) -> Outputs:
    """Links to what the job made, or has made so far: whoever has one may play it."""
    seen = jobview.find(world, caller, job)
    return links_of(world, seen, base=base_url(request, world))


def _made(request: Request, world: TheWorld, job: str) -> Made:
    seen = overview.read(world.store, job)
    assert seen is not None
    body = jobview.view(seen, now_s=world.clock(), base=base_url(request, world))
    return Made(body, headers={"location": address.job(job)})
