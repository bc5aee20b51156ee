"""The verdict, `verdict.json`: the one terminal state of a job. Verdicts absorb."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from eventing import contract
from functions.jobs import layout

State = Literal["completed", "rejected", "failed", "cancelled"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """How a job ended, for ever."""

    job: str
    tenant: str
    state: State
    code: str
    """`completed`, or a code of `refusal.py`."""
    reason: str
    """One sentence for people: what happened, why, what to do. Empty when completed."""
    decided_s: float
    progressive: str = ""
    """Key of the one MP4 that was asked for besides; "" where none was."""


def event_of(verdict: Verdict) -> contract.Verdict:
    """The event that tells of it: the same one, whoever tells it."""
    job, tenant = verdict.job, verdict.tenant
    match verdict.state:
        case "completed":
            return contract.JobCompleted(
                job=job,
                tenant=tenant,
                master=layout.media(job, layout.MASTER),
                manifest=layout.media(job, layout.MANIFEST),
                report=layout.media(job, layout.REPORT),
                progressive=verdict.progressive,
            )
        case "rejected":
            return contract.JobRejected(
                job=job, tenant=tenant, code=verdict.code, reason=verdict.reason
            )
        case "failed":
            return contract.JobFailed(
                job=job, tenant=tenant, code=verdict.code, reason=verdict.reason
            )
        case "cancelled":
            return contract.JobCancelled(job=job, tenant=tenant, reason=verdict.reason)
