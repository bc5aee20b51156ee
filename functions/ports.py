"""What functions need from the world, as small protocols. Adapters keep the promises.

Each port has one conformance suite (tests/contract/), which every adapter passes, fakes among
them. All methods raise `eventing.errors.Unavailable` when the thing behind cannot be reached.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Protocol

from functions.media.byterange import ByteRange as ByteRange


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectInfo:
    """What a store knows of an object without reading it."""

    key: str
    size_bytes: int
    etag: str
    """Changes whenever the bytes do; opaque."""
    version: str = ""
    modified_s: float = 0.0
    """POSIX time of the last write by the store's clock."""
    metadata: Mapping[str, str] = field(default_factory=dict)
    """User metadata, lower-case names without a prefix; empty where the store keeps none.
    Listings may leave it empty; `head` fills it."""


class Absent(Exception):
    """There is no such object (or no longer with these bytes)."""


class ObjectStore(Protocol):
    """Objects under keys like `work/jobs/<job>/job.json`; the first segment names the bucket.

    Readers never see half an object. Keys are `/`-separated, without empty, `.` or `..` segments
    (ValueError otherwise).
    """

    def head(self, key: str) -> ObjectInfo | None:
        """What is there, or None."""

    def get(self, key: str) -> bytes:
        """The whole object. Raises Absent."""

    def read(self, key: str, ranges: Sequence[ByteRange], *, etag: str = "") -> Iterator[bytes]:
        """The bytes of each range, in the order given, one item a range.

        Raises Absent when there is no object, or none with this `etag` any more (where given),
        also in the middle; ValueError for a range beyond the end.
        """

    def create(self, key: str, body: bytes | Path, *, content_type: str = "") -> bool:
        """Write-once: True if this call made the object, False if one was there, untouched.

        A lost reply may make the winner see False: whoever loses reads what is there.
        """

    def put(
        self, key: str, body: bytes | Path, *, content_type: str = "", match: str | None = None
    ) -> bool:
        """Write or replace. With `match` (an etag, "" for absent) only if that is what is there.

        Returns False, and changes nothing, when `match` does not hold.
        """

    def list(self, prefix: str, *, after: str = "") -> Iterator[ObjectInfo]:
        """Every object whose key starts with `prefix` and is greater than `after`, by key."""

    def delete(self, key: str) -> None:
        """Remove it; nothing happens when there is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """A task that wants a slot. `order` sorts the tasks of one plan: first is due first."""

    job: str
    generation: int
    task: str
    tenant: str
    accelerator: str
    order: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """A task that was given one: it may be published."""

    job: str
    generation: int
    task: str
    accelerator: str
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
        """Give back every lease of a holder that died. `holder` "" means everybody's."""

    def held(self, lease: str) -> bool:
        """True while anybody has it."""

    # The join: a set, never a counter.
    def complete(self, job: str, generation: int, task: str, *, total: int) -> bool:
        """Note a receipt. True if all `total` tasks are noted now: also on every repeat."""

    # Admission: at most `limit` slots an accelerator over all jobs.
    def enqueue(self, tasks: Sequence[Waiting]) -> None:
        """Let these wait. Those that wait, hold a slot or are complete already stay as they are."""

    def admit(self, accelerator: str, *, cause: str, limit: int, ttl_s: float) -> list[Slot]:
        """Give free slots away, round-robin over tenants, then jobs, then by `order`.

        Returns what this call granted and what an earlier call with the same `cause` was granted
        and is not complete: an event handled twice publishes the same tasks twice, none is lost.
        A slot not completed within `ttl_s` is lost: its task waits again.
        """

    def slots(self, job: str) -> list[Slot]:
        """The slots a job holds."""

    def forget(self, job: str) -> None:
        """Drop everything of a job: waiting tasks, slots, join, progress."""

    # Progress is for people to look at.
    def report_progress(self, job: str, generation: int, task: str, frames: int) -> None:
        """`frames` of the task's output frames (or ticks of its own) are done."""

    def progress(self, job: str) -> Mapping[str, int]:
        """Frames by task, of the tasks that reported."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a child process may use before it is ended."""

    wall_s: float
    cpu_s: float
    memory_bytes: int
    output_bytes: int
    stall_s: float = 60.0
    """Without any advance in its progress for this long it counts as hung."""


Stopped = Literal["", "wall", "stall", "cpu", "output", "called off"]
"""Which limit ended a child process, or that its caller did; "" for what it did by itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """How a child process ended."""

    returncode: int
    """Negative: the signal that ended it."""
    stdout: bytes
    stderr: str
    """The last 64 KiB of its messages."""
    cpu_s: float
    wall_s: float
    max_rss_bytes: int
    stopped: Stopped = ""


class Process(Protocol):
    """Runs a program to its end in its own process group; nothing of it outlives the call."""

    def __call__(
        self,
        argv: Sequence[str],
        *,
        limits: Limits,
        cwd: Path,
        on_progress: Callable[[Mapping[str, str]], bool] | None = None,
    ) -> Finished:
        """Run `argv`. The environment is empty but for PATH and HOME=`cwd`.

        `on_progress` gets each block that ffmpeg writes to `-progress pipe:1` and at least one
        empty block a second; when it returns False the process is ended ("called off").
        """


class Clock(Protocol):
    def __call__(self) -> float:
        """POSIX time in seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """How an endpoint answered one delivery. `status` 0: not at all, and `error` says why."""

    status: int
    error: str = ""


class Webhook(Protocol):
    def __call__(self, url: str, *, headers: Mapping[str, str], body: bytes) -> Answer:
        """Deliver once. Never raises for what the other side does."""
