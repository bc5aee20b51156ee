"""What a job has left in the object store, read in few requests and again in fewer.

Records are written once, so each is read at most once; what is new shows in a listing of their
names. Nothing here asks the state store: a job can be told of after that was lost.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, TypeVar

from functions.jobs import layout

if TYPE_CHECKING:
    from functions.jobs.manifest import Manifest
    from functions.jobs.plan import Plan
    from functions.jobs.receipt import Failure
    from functions.jobs.verdict import Verdict
    from functions.ports import ObjectInfo, ObjectStore

T = TypeVar("T")

WHOLE: Final = 500
"""Up to so many receipts the listing is read from its beginning: one page of S3."""
STRAGGLERS: Final = 4
"""Tasks before the others' end that are asked for one by one, so that a listing begins later."""

Attempt = tuple[int, str, int]
"""Generation, task and number of an attempt that failed."""


@dataclass(slots=True)
class Trail:
    """The records of one job that were seen so far, with the store's times of them.

    Every method that reads raises Unavailable, and ValueError for a record that cannot be read.
    """

    store: ObjectStore
    job: str
    manifest_s: float | None = None
    planned_s: dict[int, float] = field(default_factory=dict)
    """By generation."""
    receipts_s: dict[int, dict[str, float]] = field(default_factory=dict)
    """By generation and task."""
    failures_s: dict[Attempt, float] = field(default_factory=dict)
    verdict_s: float | None = None
    _manifest: Manifest | None = None
    _plans: dict[int, Plan] = field(default_factory=dict)
    _failures: dict[Attempt, Failure] = field(default_factory=dict)
    _verdict: Verdict | None = None
    _sorted: tuple[int, list[str]] = (0, [])
    """A generation, and its tasks by id."""

    def follow(self, *, whole: bool = False) -> bool:
        """Look for records that are new; True if there were any.

        One listing, of a job with many receipts only of its ends, unless the `whole` is wanted:
        what is new lies there.
        """
        found = self.store.list(self._prefix) if whole else self._unseen()
        # Not any(): it would stop at the first.
        return sum(self._note(each) for each in found) > 0

    @property
    def generation(self) -> int:
        """Of the latest plan, 0 before the first."""
        return max(self.planned_s, default=0)

    def done(self, generation: int) -> dict[str, float]:
        """When the receipts of a plan were written, by task."""
        return self.receipts_s.get(generation, {})

    def done_of(self, plan: Plan) -> dict[str, float]:
        """The same of a plan's tasks, under whichever generation asked for each first."""
        if not plan.takes_over:
            return self.done(plan.generation)
        times = ((task.id, self.done(plan.generation_of(task)).get(task.id)) for task in plan.tasks)
        return {task: at_s for task, at_s in times if at_s is not None}

    def attempts_of(self, plan: Plan) -> dict[str, int]:
        """How many attempts at each task of a plan failed, where any did."""
        if not self.failures_s:
            return {}
        ours = plan.names()
        counted: dict[str, int] = {}
        for generation, task, _ in self.failures_s:
            if (generation, task) in ours:
                counted[task] = counted.get(task, 0) + 1
        return counted

    @property
    def carries_over(self) -> bool:
        """True where the latest plan may count receipts of earlier ones: only it can tell."""
        from functions.jobs.plan import MEZZANINE_TASK

        earlier = (tasks for number, tasks in self.receipts_s.items() if number < self.generation)
        return any(tasks.keys() - {MEZZANINE_TASK} for tasks in earlier)

    def manifest(self) -> Manifest | None:
        """None before it was seen."""
        from functions.jobs.manifest import Manifest

        if self._manifest is None and self.manifest_s is not None:
            self._manifest = self._read(layout.manifest(self.job), Manifest)
        return self._manifest

    def plan(self, generation: int) -> Plan | None:
        """None before it was seen."""
        from functions.jobs.plan import Plan

        if generation not in self._plans and generation in self.planned_s:
            read = self._read(layout.plan(self.job, generation), Plan)
            if read is None:
                return None
            self._plans[generation] = read
        return self._plans.get(generation)

    def failure(self, attempt: Attempt) -> Failure | None:
        """None before it was seen."""
        from functions.jobs.receipt import Failure

        if attempt not in self._failures and attempt in self.failures_s:
            generation, task, number = attempt
            read = self._read(layout.failure(self.job, generation, task, number), Failure)
            if read is None:
                return None
            self._failures[attempt] = read
        return self._failures.get(attempt)

    def verdict(self) -> Verdict | None:
        """None before it was seen."""
        from functions.jobs.verdict import Verdict

        if self._verdict is None and self.verdict_s is not None:
            self._verdict = self._read(layout.verdict(self.job), Verdict)
        return self._verdict

    @property
    def _prefix(self) -> str:
        return layout.records_prefix(self.job)

    def _read(self, key: str, kind: type[T]) -> T | None:
        from functions.jobs import record

        return record.read(self.store, key, kind)

    def _unseen(self) -> Iterator[ObjectInfo]:
        """Everything that may be new, and more."""
        generation = self.generation
        done = self.done(generation)
        if len(done) <= WHOLE:
            yield from self.store.list(self._prefix)
            return
        receipts = layout.receipts_prefix(self.job, generation)
        for found in self.store.list(self._prefix):
            if found.key >= receipts:
                break  # failures and plans come before
            yield found
        after = receipts
        for task in self._first_missing(generation, done):
            after = layout.receipt(self.job, generation, task)
            found_now = self.store.head(after)
            if found_now is not None:
                yield found_now
        yield from self.store.list(self._prefix, after=after)

    def _first_missing(self, generation: int, done: dict[str, float]) -> list[str]:
        """The first tasks by id without a receipt: all receipts before the last of them are known.

        A whole sound track may take as long as all the pictures, and has the first place.
        """
        if self._sorted[0] != generation:
            plan = self.plan(generation)
            ours = [task.id for task in plan.tasks if not task.since] if plan else []
            self._sorted = generation, sorted(ours)
        tasks = self._sorted[1]
        missing: list[str] = []
        for task in tasks:
            if task not in done:
                missing.append(task)
                if len(missing) == STRAGGLERS:
                    return missing
        return missing or tasks[-1:]

    def _note(self, found: ObjectInfo) -> bool:
        """True for a record that was not seen before. Foreign names are left alone."""
        match found.key.removeprefix(self._prefix).split("/"):
            case ["job.json"]:
                known, self.manifest_s = self.manifest_s, found.modified_s
                return known is None
            case ["verdict.json"]:
                known, self.verdict_s = self.verdict_s, found.modified_s
                return known is None
            case [name] if number := _number(name.removeprefix("plan-").removesuffix(".json")):
                return _add(self.planned_s, number, found)
            case ["receipts", generation, task] if number := _number(generation):
                return _add(self.receipts_s.setdefault(number, {}), task, found)
            case ["failures", generation, task, attempt] if number := _number(generation):
                return _add(self.failures_s, (number, task, _number(attempt)), found)
        return False


K = TypeVar("K")


def _add(times: dict[K, float], name: K, found: ObjectInfo) -> bool:
    if name in times:
        return False
    times[name] = found.modified_s
    return True


def _number(text: str) -> int:
    """The number, 0 for anything else."""
    return int(text) if text.isascii() and text.isdigit() else 0
