"""How a job ends: one verdict, written once; whoever comes second reads the first.

The open marker outlives the verdict until the notifier has handled its event, so it says whether
anybody was told. Every handler asks for a verdict, at the latest after it changed the state
store, and where there is one ends with `conclude`: what it had just put there is forgotten again,
and of a job without a result no output stays.
"""

from __future__ import annotations

from collections.abc import Iterator

from eventing import contract
from functions.jobs import layout, record
from functions.jobs.verdict import State, Verdict, event_of
from functions.ports import ObjectStore, StateStore


def read(store: ObjectStore, job: str) -> Verdict | None:
    """The job's verdict, or None while it has none."""
    return record.read(store, layout.verdict(job), Verdict)


def decide(
    store: ObjectStore,
    *,
    job: str,
    tenant: str,
    state: State,
    code: str,
    reason: str,
    now_s: float,
    progressive: str = "",
) -> Verdict:
    """End the job so, unless it has ended already. Returns the verdict that counts."""
    ours = Verdict(
        job=job,
        tenant=tenant,
        state=state,
        code=code,
        reason=reason[: contract.REASON_CHARS],
        decided_s=now_s,
        progressive=progressive,
    )
    return record.settle(store, layout.verdict(job), ours)


def conclude(store: ObjectStore, state: StateStore, verdict: Verdict) -> Iterator[contract.Event]:
    """Forget the job in the state store and tell of its verdict, unless that was told already."""
    state.forget(verdict.job)
    discard(store, verdict)
    if store.head(layout.open_marker(verdict.job)) is not None:
        yield event_of(verdict)


def discard(store: ObjectStore, verdict: Verdict) -> None:
    """Remove the outputs of a job that ended without a result; a completed one keeps its own.

    A task that was late may write some more: whoever ends it does this again.
    """
    if verdict.state == "completed":
        return
    for info in list(store.list(layout.media(verdict.job, ""))):
        store.delete(info.key)
