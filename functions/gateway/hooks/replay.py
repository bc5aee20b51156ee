"""Sending again: one message, or how every job ended since a time."""

from __future__ import annotations

from itertools import islice
from typing import Final

from functions.gateway.edge.problem import Problem
from functions.gateway.jobs import submit
from functions.gateway.world import World
from functions.jobs import ending, layout, roster
from functions.jobs.verdict import Verdict, event_of
from functions.webhooks import notice
from functions.webhooks.endpoint import Endpoint
from functions.webhooks.outbox import Message, Outbox

MOST_EXAMINED: Final = 200
"""Jobs that one request looks at."""


def one(world: World, endpoint: Endpoint, message: str) -> None:
    """Raises Problem: not-found where the tenant has no such message and no such job, conflict
    for a job that has not ended, or whose end is being told at this moment."""
    if not _again(world, endpoint, message, verdict=_verdict(world, endpoint, message)):
        raise Problem("not-found", "There is no such message, and no job of this id.")


def since(world: World, endpoint: Endpoint, since_s: float, cursor: str) -> tuple[int, str]:
    """How many messages are on their way, and the cursor to go on with, "" at the end."""
    if cursor and not roster.is_entry(cursor):
        raise Problem("invalid", "This cursor is none that a replay gave out. Begin without one.")
    accepted_s = since_s - roster.LONGEST_JOB_S
    entries = roster.entries(world.store, endpoint.tenant, after=cursor, since_s=accepted_s)
    sent = examined = 0
    entry = ""
    for entry in islice(entries, MOST_EXAMINED):
        examined += 1
        job = roster.job_of(entry)
        verdict = ending.read(world.store, job)
        if (
            verdict is not None
            and verdict.tenant == endpoint.tenant
            and verdict.decided_s >= since_s
            and endpoint.wants(event_of(verdict).type)
            and not _is_being_told(world, job)
        ):
            sent += _again(world, endpoint, job, verdict=verdict)
    return sent, entry if examined == MOST_EXAMINED else ""


def _verdict(world: World, endpoint: Endpoint, message: str) -> Verdict | None:
    """How the tenant's job of this id ended, None where the id is none of its jobs'."""
    verdict = ending.read(world.store, message)
    if verdict is not None and verdict.tenant != endpoint.tenant:
        return None
    if verdict is not None and _is_being_told(world, message):
        raise Problem("conflict", "How this job ended is being told at this moment.")
    return verdict


def _is_being_told(world: World, job: str) -> bool:
    # The notifier is about to choose the endpoints: a message of ours would be taken for its.
    return world.store.head(layout.open_marker(job)) is not None


def _again(world: World, endpoint: Endpoint, message: str, *, verdict: Verdict | None) -> bool:
    outbox, now_s = Outbox(store=world.store), world.clock()

    def replayed(found: Message) -> Message:
        return found.replayed(endpoint.id, now_s)

    there = outbox.change(endpoint.tenant, message, replayed)
    if there is None and verdict is not None:
        # It was kept for a month only, or nobody wanted it then.
        made = outbox.create(notice.of_verdict(verdict, [endpoint.id], now_s=now_s))
        there = outbox.change(endpoint.tenant, made.id, replayed)
    if there is None:
        return False
    submit.tell(world, [there.reminder])
    return True
