"""Following one job to its verdict."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from functions.jobs import ending, overview
from knative.cli.complaint import FAILED, Complaint

if TYPE_CHECKING:
    from functions.jobs.verdict import Verdict
    from functions.ports import ObjectStore, StateStore

EVERY_S: Final = 0.2
"""Between two looks: often enough for a bar that moves, rare enough to cost little."""
UNSEEN_EVERY_S: Final = 5.0
"""Between two looks at the job's progress that nobody watches."""
STALLED_S: Final = 900.0
"""Longer than any task may take: its lease, its limits and a redelivery fit into it."""


class Patience:
    """Gives up on a job in which nothing moves any more."""

    def __init__(
        self, limit_s: float = STALLED_S, now: Callable[[], float] = time.monotonic
    ) -> None:
        self._limit_s = limit_s
        self._now = now
        self._moved_s = now()
        self._seen: object = None

    def see(self, job: overview.Overview) -> None:
        """Raises Complaint when the job has looked the same for too long."""
        looks = (job.state, job.done, dict(job.frames))
        if looks != self._seen:
            self._seen, self._moved_s = looks, self._now()
        elif self._now() - self._moved_s > self._limit_s:
            raise Complaint(
                f"Nothing has moved for {self._limit_s / 60:.0f} minutes while the job was "
                f"{job.state}; this is a defect here or in the settings (KINORA_…). "
                "`kinora doctor` checks the machine; `kinora up` keeps logs of such a job.",
                exit_code=FAILED,
                code="stalled",
            )


async def until_verdict(
    store: ObjectStore,
    state: StateStore | None,
    job: str,
    *,
    watch: Callable[[overview.Overview], None] | None = None,
    patience: Patience | None = None,
    check: Callable[[], None] = lambda: None,
) -> Verdict:
    """The job's verdict, once there is one.

    `watch` sees the job at every look; where nobody watches, little more than the verdict is
    looked for. `check` is called at every look. Raises what `watch`, `check` and `patience` raise.
    """
    looked_s = -UNSEEN_EVERY_S
    while True:
        if watch is not None or time.monotonic() - looked_s > UNSEEN_EVERY_S:
            looked_s = time.monotonic()
            seen = overview.read(store, job)
            if seen is not None:
                if state is not None and not seen.ended:
                    seen = overview.with_progress(seen, state.progress(job))
                if watch is not None:
                    watch(seen)
                if patience is not None and not seen.ended:
                    patience.see(seen)
        if (verdict := ending.read(store, job)) is not None:
            return verdict
        check()
        await asyncio.sleep(EVERY_S)
