"""What knows who works on what, and whose turn it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """A task that wants a slot. `order` sorts the tasks of one plan: first is due first.

    Tenants of a higher `tenant_priority` go before all others; a tenant's jobs of a higher
    `priority` before its others.
    """

    job: str
    generation: int
    task: str
    tenant: str
    accelerator: str
    order: int
    tenant_priority: int = 0
    priority: int = 0
    length: str = "short"
    """`short` or `long`, as the plan has it: of one task always the same."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """A task that was given one: it may be published."""

    job: str
    generation: int
    task: str
    accelerator: str
    length: str
    granted_s: float
    """POSIX time of the grant."""


class StateStore(Protocol):
    """The index beside the object store: leases, the join, admission, progress.

    Everything here can be lost at any moment and is rebuilt from the object store by the sweeper.
    Every method is atomic. Times come from the store's own clock.
    """

    # Leases save work; correctness never rests on them.
    def acquire(self, lease: str, holder: str, *, ttl_s: float) -> bool:
        """True if `holder` has the lease now: it was free, had run out, or was its own."""

    def renew(self, lease: str, holder: str, *, ttl_s: float) -> bool:
        """True if `holder` still had it, and has it for `ttl_s` more."""

    def release(self, lease: str, holder: str) -> None:
        """Give it back, if it is `holder`'s."""

    def release_all(self, holder: str) -> None:
        """Give back every lease of a holder that died. `holder` "" means everybody's.

        That is for who is alone with the store: what others are doing goes on, but may be begun
        once more meanwhile.
        """

    def held(self, lease: str) -> bool:
        """True while anybody has it."""

    def holders(self, leases: Sequence[str]) -> Mapping[str, str]:
        """Who has each of these now, in one request; those that nobody has are left out."""

    # The join: a set, never a counter.
    def complete(self, job: str, generation: int, *tasks: str, total: int) -> bool:
        """Note receipts, all in one step. True if all `total` tasks are noted now: also on every
        repeat."""

    # Admission: at most `limit` slots an accelerator over all jobs.
    def enqueue(self, tasks: Sequence[Waiting]) -> None:
        """Let these wait. Those that wait, hold a slot or are complete already stay as they are."""

    def admit(self, accelerator: str, *, cause: str, limit: int, ttl_s: float) -> list[Slot]:
        """Give free slots away: by priority, among equals round-robin over tenants, then jobs,
        then by `order`.

        Returns what this call granted and what an earlier call with the same `cause` was granted
        and is not complete: an event handled twice publishes the same tasks twice, none is lost.
        A slot not completed within `ttl_s` is lost: its task waits again.
        """

    def slots(self, job: str) -> list[Slot]:
        """The slots a job holds."""

    def granted(self, accelerator: str) -> list[Slot]:
        """The slots of all jobs, in the order in which they were given."""

    def keep_slot(self, job: str, generation: int, task: str, *, ttl_s: float) -> None:
        """Whoever works on the task says that its slot is not lost for `ttl_s` more, at least.

        Where it has none, nothing happens.
        """

    def forget(self, job: str) -> None:
        """Drop everything of a job: waiting tasks, slots, join, progress."""

    # Progress is for people to look at.
    def report_progress(self, job: str, generation: int, task: str, frames: int) -> None:
        """`frames` of the task's output frames (or ticks of its own) are done."""

    def progress(self, job: str) -> Mapping[str, int]:
        """Frames by task, of the tasks that reported; of a name that several generations have,
        what the latest said."""
