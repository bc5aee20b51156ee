"""What happens to a job, live and after: its tasks, its events and its progress."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Header, Query, Request, Response
from pydantic import BaseModel, Field

from eventing.contract import identity
from functions.gateway.access.caller import Caller, JobReader
from functions.gateway.access.limits import too_many
from functions.gateway.address import base_url
from functions.gateway.edge.problem import responses
from functions.gateway.jobs import view as jobview
from functions.gateway.jobs.view import JobId
from functions.gateway.live.outlook import JobLook, Shown, TenantLook
from functions.gateway.live.stream import EventStream
from functions.gateway.live.watch import Watches
from functions.gateway.moment import Timestamp
from functions.gateway.world import TheWorld, World
from functions.jobs import history, tasks
from functions.jobs.overview import Overview
from functions.jobs.tasks import Made
from functions.jobs.verdict import event_of

router = APIRouter(tags=["progress"])

_RETRY_S: Final = 30

_STREAM: Final[dict[int | str, dict[str, Any]]] = {
    200: {
        "description": "Events as they come; the connection stays open.",
        "content": {"text/event-stream": {"schema": {"type": "string"}}},
    }
}
_OVER: Final[dict[int | str, dict[str, Any]]] = {
    204: {"description": "The client has been told everything: it need not come back."}
}


class Task(BaseModel):
    id: str
    kind: Literal["video", "audio", "mezzanine", "progressive"]
    renditions: list[str]
    start: Annotated[int, Field(description="First output frame; 0 for a whole track.")]
    stop: Annotated[int, Field(description="The frame after the last; 0 for a whole track.")]
    state: Literal["waiting", "running", "done", "failed"]
    worker: Annotated[
        str | None, Field(description="Who works on it or did it; null where that is not known.")
    ]
    attempts: Annotated[int, Field(description="Begun so far.")]
    frames_done: Annotated[int, Field(description="Output frames; 0 for a whole track.")]
    share: Annotated[float, Field(ge=0, le=1, description="How much of it is done, 0 to 1.")]
    size_bytes: Annotated[
        int | None, Field(description="Of what it made; null where that is not known.")
    ]


class Tasks(BaseModel):
    """All null and empty before there is a plan."""

    generation: Annotated[int | None, Field(description="Of the plan.")]
    frames: Annotated[
        int | None, Field(description="Output frames of the whole; null without pictures.")
    ]
    rate: Annotated[
        str | None, Field(description="Of them a second, as `30000/1001`; null without pictures.")
    ]
    tasks: list[Task]


class Fact(BaseModel):
    id: Annotated[str, Field(description="The same fact has the same id, whoever tells it.")]
    type: Annotated[str, Field(description="A CloudEvents type, see docs/events.md.")]
    subject: Annotated[str, Field(description="What it happened to: a task, or the job.")]
    time: Annotated[Timestamp, Field(description="When it was recorded, by the store's clock.")]
    producer: Annotated[
        str | None, Field(description="The function it came from; null where several may.")
    ]
    cause: Annotated[
        str | None,
        Field(description="Id of the fact it followed from; null where that is not on record."),
    ]
    data: Annotated[dict[str, Any], Field(description="That of the event, see docs/events.md.")]


class Facts(BaseModel):
    events: list[Fact]
    next: Annotated[str | None, Field(description="The `after` of what follows; null at the end.")]


@router.get("/jobs/{job}/tasks", summary="List a job's tasks", responses=responses("not-found"))
def list_tasks(job: JobId, world: TheWorld, caller: JobReader) -> Tasks:
    """The tasks of a job's plan: its chunks with their renditions, and where each is.

    Who did a task and what it made is looked up for the 200 that were done last.
    """
    seen = jobview.live(world, jobview.find(world, caller, job))
    timeline = seen.plan.timeline if seen.plan and seen.plan.video else None
    return Tasks(
        generation=seen.plan.generation if seen.plan else None,
        frames=timeline.frames if timeline else None,
        rate=str(timeline.rate) if timeline else None,
        tasks=[
            Task.model_validate(tasks.as_json(task)) for task in tasks.of(seen, _made(world, seen))
        ],
    )


@router.get("/jobs/{job}/events", summary="List a job's events", responses=responses("not-found"))
def list_events(
    job: JobId,
    world: TheWorld,
    caller: JobReader,
    after: Annotated[str, Query(max_length=64, description="Id of the last event seen.")] = "",
    limit: Annotated[int, Query(ge=1, le=5000, description="At most so many.")] = 1000,
) -> Facts:
    """What happened to a job, by time, as its records tell: from its source to its verdict.

    An event's `cause` is the event it followed from, where that is known. Of the tasks of a plan
    only the first is told to be ready: when the others had their turn is not on record.
    """
    jobview.find(world, caller, job)
    facts = history.read(world.store, job)
    first = next((at + 1 for at, fact in enumerate(facts) if fact.id == after), 0)
    page = facts[first : first + limit]
    more = first + limit < len(facts)
    return Facts(
        events=[Fact.model_validate(history.as_json(fact)) for fact in page],
        next=page[-1].id if more else None,
    )


@router.get(
    "/jobs/{job}/progress",
    summary="Follow a job",
    status_code=200,
    response_class=EventStream,
    responses={**_STREAM, **_OVER, **responses("not-found")},
)
def follow_job(
    job: JobId,
    request: Request,
    world: TheWorld,
    caller: JobReader,
    last_event_id: Annotated[
        str,
        Header(max_length=64, description="Id of the last event seen: what came later follows."),
    ] = "",
    after: Annotated[
        str, Query(max_length=64, description="The same, for a client's first request.")
    ] = "",
) -> Response:
    """A job live, as server-sent events, until its verdict.

    - `job`: the job as `GET /jobs/{job}` shows it, at first and whenever that changed.
    - `task`: one of its tasks as `GET /jobs/{job}/tasks` shows it, likewise.
    - `fact`: one thing that happened, as `GET /jobs/{job}/events` shows it; the only ones with an
      `id`. Each is told at least once. Whoever comes back with `Last-Event-ID` is told those that
      came later, and some seconds of those before: times of records may tie, and a record may
      show up late. Leave out what you know by its id.
    - `end`: the job has its verdict and everything was told. Close the stream; who comes back with
      the verdict's id is answered 204.

    A comment comes at least every 15 seconds. The stream is closed after nine minutes, or when
    this process ends: come back with `Last-Event-ID`, as an EventSource does by itself.
    """
    seen = jobview.find(world, caller, job)
    last = last_event_id or after
    if seen.verdict is not None and last == identity(event_of(seen.verdict)):
        return Response(status_code=204)
    watches = _watches(request, world, caller)
    base = base_url(request, world)
    return EventStream(
        watches,
        f"job {job} {base}",
        lambda: JobLook(world.store, world.state, job, shown=_shown(world, base)),
        tenant=caller.tenant,
        last_event_id=last,
    )


@router.get(
    "/progress",
    summary="Follow all jobs",
    status_code=200,
    response_class=EventStream,
    responses=_STREAM,
)
def follow_jobs(request: Request, world: TheWorld, caller: JobReader) -> Response:
    """The tenant's newest hundred jobs live, as server-sent events.

    `job`: a job as `GET /jobs/{job}` shows it, at first and whenever it changed; of one that has
    ended the frames are not counted. Comments and the end of the stream are as those of a job's
    own; there is nothing to come back with, since each stream begins with all of them.
    """
    watches = _watches(request, world, caller)
    base = base_url(request, world)
    return EventStream(
        watches,
        f"tenant {caller.tenant} {base}",
        lambda: TenantLook(world.store, world.state, caller.tenant, shown=_shown(world, base)),
        tenant=caller.tenant,
    )


def _watches(request: Request, world: World, caller: Caller) -> Watches:
    """Raises Problem (too-many) where the tenant may not open another stream."""
    watches = request.app.state.watches
    assert isinstance(watches, Watches)
    limit = world.settings.limits.open_streams
    if limit and watches.streams(caller.tenant) >= limit:
        raise too_many(f"There are {limit} streams open. Close one.", _RETRY_S)
    return watches


def _shown(world: World, base: str) -> Shown:
    def shown(seen: Overview) -> dict[str, Any]:
        return jobview.view(seen, now_s=world.clock(), base=base).model_dump(mode="json")

    return shown


def _made(world: World, seen: Overview) -> dict[str, Made]:
    plan = seen.plan
    if plan is None:
        return {}
    # Later tasks of a plan are done later, as a rule.
    done = [task.id for task in reversed(plan.tasks) if task.id in seen.done]
    found = {task: tasks.made(world.store, plan, task) for task in done[: tasks.RECEIPTS]}
    return {task: made for task, made in found.items() if made is not None}
