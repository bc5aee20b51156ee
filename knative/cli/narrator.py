"""What happens to jobs, told as it happens: a line when a job is accepted, planned, done."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from eventing import contract
from eventing.topology import VERDICTS
from functions.jobs import overview, progress
from knative.cli import output, wording
from knative.cli.site import is_job
from knative.local.broker.history import History

if TYPE_CHECKING:
    from functions.ports import ObjectStore
    from knative.cli.site import Site
    from knative.local.broker.history import Accepted

EVERY_S: Final = 0.5
STEP: Final = 25
"""Percent of the tasks between two lines about one job."""

_VERDICTS: Final = frozenset(verdict.type for verdict in VERDICTS)


class Narrator:
    """Tells of what the broker takes from now on. Each thing once, also when it is sent again."""

    def __init__(self, site: Site, store: ObjectStore, *, as_json: bool) -> None:
        self._site = site
        self._store = store
        self._as_json = as_json
        self._last = 0
        self._told: set[tuple[str, str]] = set()

    def begin(self) -> None:
        """What the log holds already was told by somebody else."""
        latest = self._history(lambda history: history.latest(1))
        self._last = latest[-1].seq if latest else 0

    async def tell(self) -> None:
        """Go on until cancelled."""
        while True:
            await asyncio.sleep(EVERY_S)
            self.catch_up()

    def catch_up(self) -> None:
        """Tell of everything that has not been told."""
        for accepted in self._history(lambda history: history.since(self._last)):
            self._last = accepted.seq
            self._one(accepted)

    def _history(self, ask: Any) -> list[Accepted]:
        try:
            return list(ask(History(self._site.home.events)))
        except FileNotFoundError:
            return []

    def _one(self, accepted: Accepted) -> None:
        job = accepted.event.extensions.get("partitionkey", "")
        kind = accepted.event.type
        if not is_job(job):
            return  # the extension is whatever a sender put there
        seen = overview.read(self._store, job)
        if seen is None:
            return
        if kind == contract.JobAccepted.type:
            source = f"{wording.plain(seen.manifest.source.key)}"
            self._say(job, "accepted", f"{source}  {wording.size(seen.manifest.source.size_bytes)}")
        elif kind == contract.TaskReady.type and seen.plan is not None:
            self._say(job, f"planned {seen.plan.generation}", planned(seen))
        elif kind == contract.TaskCompleted.type and not seen.ended:
            at = progress.of_plan(seen.plan, seen.done, {})
            percent = int(at.share * 100)
            if STEP <= percent < 100:
                told = f"{at.tasks} of {at.tasks_total} tasks"
                self._say(job, f"{percent // STEP * STEP} %", told)
        elif kind in _VERDICTS and seen.verdict is not None:
            self._say(job, seen.state, ended(seen))

    def _say(self, job: str, what: str, text: str) -> None:
        if (job, what) in self._told:
            return
        self._told.add((job, what))
        word = what.partition(" ")[0] if what.startswith("planned") else what
        if self._as_json:
            output.write_line({"job": job, "happened": word, "text": text})
        else:
            output.show(f"{datetime.now():%H:%M:%S}  {wording.short(job)}  {word:<10} {text}")


def planned(seen: overview.Overview) -> str:
    """`10,883 frames at 30 fps, 5 renditions, 13 tasks`."""
    plan = seen.plan
    if plan is None:
        return ""
    if plan.kind == "prepare":
        return "the file is made seekable first"
    parts = []
    if plan.timeline is not None and plan.video:
        line = plan.timeline
        parts.append(f"{wording.count(line.frames)} frames at {wording.rate(line)} fps")
    names = [rung.name for rung in plan.video] + [track.name for track in plan.audio]
    return ", ".join([*parts, " ".join(names), f"{len(plan.tasks)} tasks"])


def ended(seen: overview.Overview) -> str:
    """How it ended, and where the result lies or why there is none."""
    verdict = seen.verdict
    if verdict is None:
        return ""
    if verdict.state != "completed":
        return f"[{verdict.code}] {wording.plain(verdict.reason)}"
    took_s = seen.elapsed_s or 0.0
    text = f"in {wording.span(took_s)}"
    plan = seen.plan
    if plan is not None and plan.timeline is not None and plan.video and took_s:
        text += f" ({float(plan.timeline.duration_s) / took_s:.1f}x realtime)"
    return f"{text}  media/{seen.job}/master.m3u8"
