"""The contract: one frozen dataclass an event, with the CloudEvents `type` it travels under.

Types are facts in the past tense. Data holds references and small facts (under 64 KiB); lists
live in the object store. A breaking change is a new type, never an edit. JSON Schemas, Triggers
and docs/events.md are generated from this file and `topology.py`.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Annotated, ClassVar, Final, get_args

from msgspec import Meta

JobId = Annotated[str, Meta(pattern="^[0-9a-f]{32}$", description="32 hex digits; also the trace")]
Tenant = Annotated[str, Meta(pattern="^[a-z0-9][a-z0-9-]{0,62}$")]
TaskId = Annotated[str, Meta(pattern="^[a-z][a-z0-9-]{0,63}$")]
Generation = Annotated[int, Meta(ge=1, description="version of the job's plan")]
ObjectKey = Annotated[str, Meta(min_length=1, max_length=1024)]
Code = Annotated[str, Meta(pattern="^[a-z][a-z0-9_]{0,63}$", description="stable, for programs")]
REASON_CHARS: Final = 2000
Reason = Annotated[str, Meta(max_length=REASON_CHARS, description="one sentence for people")]


def digest(*parts: str) -> str:
    """32 hex digits of the SHA-256 of `parts`, each preceded by its length: no two lists meet."""
    hashed = hashlib.sha256()
    for part in parts:
        raw = part.encode()
        hashed.update(len(raw).to_bytes(8, "big"))
        hashed.update(raw)
    return hashed.hexdigest()[:32]


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectCreated:
    """An object exists in `bucket` under `key`, complete and readable."""

    type: ClassVar[str] = "dev.kinora.object.created.v1"

    bucket: Annotated[str, Meta(min_length=1, max_length=255)]
    key: ObjectKey
    etag: str
    """The store's own mark of these bytes."""
    version: str = ""
    """The store's version id, empty where the bucket keeps no versions."""
    size_bytes: Annotated[int, Meta(ge=0)] = 0

    @property
    def job(self) -> str:
        """The job that this object becomes: the same notification twice is one job."""
        return digest("object", self.bucket, self.key, self.version or self.etag)


@dataclass(frozen=True, slots=True, kw_only=True)
class JobAccepted:
    """The job manifest exists."""

    type: ClassVar[str] = "dev.kinora.job.accepted.v1"

    job: JobId
    tenant: Tenant


@dataclass(frozen=True, slots=True, kw_only=True)
class SourcePrepared:
    """The mezzanine of a source without a usable index exists, and so does its index.

    `generation` is the plan that made it; the next one reads the mezzanine.
    """

    type: ClassVar[str] = "dev.kinora.source.prepared.v1"

    job: JobId
    generation: Generation


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskReady:
    """One encoder invocation is due: what to do stands in the plan."""

    type: ClassVar[str] = "dev.kinora.task.ready.v1"

    job: JobId
    generation: Generation
    task: TaskId
    accelerator: Annotated[str, Meta(pattern="^(cpu|gpu)$")] = "cpu"
    """Also the extension attribute that Triggers filter on."""
    length: Annotated[str, Meta(pattern="^(short|long)$")] = "short"
    """`long`: by its plan it will not end within what a request may take. Also an extension
    attribute, for those who run such tasks elsewhere."""
    copy: Annotated[int, Meta(ge=0, le=1)] = 0
    """1: issued a second time, while somebody works on it who takes far longer than was estimated.
    The first receipt wins, and the other attempt stops."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskCompleted:
    """The task's receipt exists."""

    type: ClassVar[str] = "dev.kinora.task.completed.v1"

    job: JobId
    generation: Generation
    task: TaskId


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskFailed:
    """The task's `attempt` failed on its own account; the record of it is in the store."""

    type: ClassVar[str] = "dev.kinora.task.failed.v1"

    job: JobId
    generation: Generation
    task: TaskId
    attempt: Annotated[int, Meta(ge=1)]
    code: Code
    reason: Reason
    final: bool = False
    """True when no other attempt can end otherwise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JobEncoded:
    """Every task of the generation has a receipt: assemble."""

    type: ClassVar[str] = "dev.kinora.job.encoded.v1"

    job: JobId
    generation: Generation


@dataclass(frozen=True, slots=True, kw_only=True)
class JobCompleted:
    """The verdict: the streams exist under the keys named here."""

    type: ClassVar[str] = "dev.kinora.job.completed.v1"

    job: JobId
    tenant: Tenant
    master: ObjectKey
    """HLS multivariant playlist."""
    manifest: ObjectKey
    """DASH manifest."""
    report: ObjectKey
    progressive: Annotated[str, Meta(max_length=1024)] = ""
    """One MP4 that plays while it loads; "" where none was asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JobRejected:
    """The verdict: this source is not one that can be taken."""

    type: ClassVar[str] = "dev.kinora.job.rejected.v1"

    job: JobId
    tenant: str
    code: Code
    reason: Reason


@dataclass(frozen=True, slots=True, kw_only=True)
class JobFailed:
    """The verdict: the job was accepted and could not be done."""

    type: ClassVar[str] = "dev.kinora.job.failed.v1"

    job: JobId
    tenant: Tenant
    code: Code
    reason: Reason


@dataclass(frozen=True, slots=True, kw_only=True)
class JobCancelled:
    """The verdict: somebody who may do so called it off."""

    type: ClassVar[str] = "dev.kinora.job.cancelled.v1"

    job: JobId
    tenant: Tenant
    reason: Reason


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookDue:
    """Deliveries of this message whose time has come."""

    type: ClassVar[str] = "dev.kinora.webhook.due.v1"

    tenant: Tenant
    message: JobId
    """The job whose verdict is told, or a message's own id."""
    due_ms: Annotated[int, Meta(ge=0)]
    """Since 1970, when it was due: tells one wake-up of a message from the next."""

    @property
    def job(self) -> str:
        """What it travels under."""
        return self.message


Event = (
    ObjectCreated
    | JobAccepted
    | SourcePrepared
    | TaskReady
    | TaskCompleted
    | TaskFailed
    | JobEncoded
    | JobCompleted
    | JobRejected
    | JobFailed
    | JobCancelled
    | WebhookDue
)
Verdict = JobCompleted | JobRejected | JobFailed | JobCancelled

EVENTS: Final[tuple[type[Event], ...]] = get_args(Event)

TICK: Final = "dev.knative.sources.ping"
"""The CloudEvents type of a PingSource's event; its data is not read."""


def generation_of(event: Event) -> int:
    """The generation an event speaks of, 0 where it speaks of the whole job."""
    return getattr(event, "generation", 0)


def source_of(event: Event) -> str:
    """The CloudEvents `source`: the job, whoever emits."""
    return f"/jobs/{event.job}"


def subject_of(event: Event) -> str:
    """The CloudEvents `subject`: what in the job the event is about."""
    match event:
        case ObjectCreated():
            return event.key
        case TaskReady():
            return f"{event.task}/copy" if event.copy else event.task
        case TaskCompleted():
            return event.task
        case TaskFailed():
            return f"{event.task}/{event.attempt}"
        # No default: whoever adds an event decides what tells it from others of its job.
        case WebhookDue():
            return f"{event.message}/{event.due_ms}"
        case JobAccepted() | SourcePrepared() | JobEncoded():
            return event.job
        case JobCompleted() | JobRejected() | JobFailed() | JobCancelled():
            return event.job


def identity(event: Event) -> str:
    """The CloudEvents `id`: a resend, by whoever, is the same event. Never a clock or a uuid."""
    return digest(event.job, str(generation_of(event)), event.type, subject_of(event))
