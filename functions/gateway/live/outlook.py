"""What is looked at for streams: one job, or the jobs of a tenant."""

from __future__ import annotations

import heapq
import json
import logging
from collections.abc import Callable, Mapping
from itertools import islice
from typing import Any, Final

from fastapi.sse import format_sse_event

from eventing.errors import Unavailable
from functions.gateway.live import board
from functions.gateway.live.board import Note
from functions.gateway.live.watch import Seen
from functions.jobs import history, overview, roster, tasks
from functions.jobs.history import History
from functions.jobs.overview import Overview
from functions.jobs.plan import Plan
from functions.jobs.tasks import Made
from functions.jobs.trail import Trail
from functions.ports import ObjectStore, StateStore

_log = logging.getLogger(__name__)

RECENT: Final = 100
"""Jobs of a tenant that its own stream tells of, the newest."""

Shown = Callable[[Overview], dict[str, Any]]
"""A job as the API shows it."""


class JobLook:
    """Looks at one job: as a whole, at its tasks and at what happened."""

    def __init__(self, store: ObjectStore, state: StateStore, job: str, *, shown: Shown) -> None:
        self._state = state
        self._shown = shown
        self._trail = Trail(store, job)
        self._history = History()
        self._last: Overview | None = None
        self._made: dict[str, Made] = {}
        self._told: set[str] = set()
        """Tasks of the plan that were told of at all."""
        self._moving: set[str] = set()
        """Tasks that somebody worked on at the last look."""
        self._done: frozenset[str] = frozenset()
        self._failed: Mapping[str, int] = {}
        self._generation = 0

    def __call__(self) -> Seen:
        trail = self._trail
        trail.follow()
        if trail.verdict_s is not None:
            # Once more, and whole: what was written before the verdict is to be seen by now.
            trail.follow(whole=True)
        seen = overview.of(trail)
        if seen is None:
            return Seen(notes=[])
        seen = self._with_progress(seen)
        notes = [board.note("job", trail.job, _text(self._shown(seen)))]
        notes += self._of_tasks(seen)
        for fact in self._history.learn(trail):
            text = _text(history.as_json(fact))
            notes.append(board.fact(fact.id, text, time_s=fact.time_s))
        if not seen.ended:
            return Seen(notes=notes)
        end = _text({"job": seen.job, "state": seen.state})
        return Seen(notes=notes, end=format_sse_event(event="end", data_str=end))

    def _with_progress(self, seen: Overview) -> Overview:
        """What the state store knows; while it cannot be reached, what it knew."""
        try:
            self._last = overview.live(seen, self._state)
        except Unavailable as error:
            _log.warning("no live progress", extra={"facts": {"reason": error.reason}})
            if self._last is not None and seen.plan is not None:
                return overview.with_progress(seen, self._last.frames, self._last.workers)
            return seen
        return self._last

    def _of_tasks(self, seen: Overview) -> list[Note]:
        plan = seen.plan
        if plan is None:
            return []
        if plan.generation != self._generation:
            self._generation = plan.generation
            self._made, self._failed = {}, {}
            self._told, self._moving, self._done = set(), set(), frozenset()
        made = self._read_receipts(plan)
        # Of ten thousand tasks few move at a time: only those are looked at.
        moving = (seen.workers.keys() | seen.frames.keys() | seen.failed.keys()) - seen.done
        moved = moving | self._moving | made | (seen.done - self._done)
        # Of one that is done, an attempt that came too late may still fail.
        moved |= {task for task, _ in seen.failed.items() - self._failed.items()}
        told = self._told - moved
        self._moving, self._done, self._failed = moving, seen.done, seen.failed
        notes = []
        for each in tasks.of(seen, self._made, but=told):
            self._told.add(each.id)
            notes.append(board.note("task", each.id, _text(tasks.as_json(each))))
        return notes

    def _read_receipts(self, plan: Plan) -> set[str]:
        """The tasks of which it became known who did them, the last ones first."""
        done = self._trail.done_of(plan)
        unread = heapq.nlargest(
            tasks.RECEIPTS, done.keys() - self._made.keys(), key=lambda task: (done[task], task)
        )
        found = {task: tasks.made(self._trail.store, plan, task) for task in unread}
        self._made |= {task: made for task, made in found.items() if made is not None}
        return set(unread)


class TenantLook:
    """Looks at the newest jobs of a tenant, until each has ended."""

    def __init__(self, store: ObjectStore, state: StateStore, tenant: str, *, shown: Shown) -> None:
        self._store = store
        self._state = state
        self._tenant = tenant
        self._shown = shown
        self._open: dict[str, Trail] = {}
        self._ended: set[str] = set()

    def __call__(self) -> Seen:
        entries = roster.entries(self._store, self._tenant)
        jobs = [roster.job_of(entry) for entry in islice(entries, RECENT)]
        self._open = {job: self._open.get(job) or Trail(self._store, job) for job in jobs}
        self._ended &= set(jobs)
        notes = []
        for job in jobs:
            if job in self._ended:
                continue
            trail = self._open[job]
            trail.follow()
            seen = overview.of(trail, brief=True)
            if seen is None:
                continue
            if seen.ended:
                self._ended.add(job)
            elif seen.plan is not None:
                seen = self._with_progress(seen)
            notes.append(board.note("job", job, _text(self._shown(seen))))
        return Seen(notes=notes, jobs=max(1, len(jobs) - len(self._ended)))

    def _with_progress(self, seen: Overview) -> Overview:
        try:
            return overview.with_progress(seen, self._state.progress(seen.job))
        except Unavailable:
            return seen  # its receipts alone say how far it is


def _text(value: dict[str, Any]) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
