"""The wiring: which function consumes and emits what, and how it wants to be delivered to.

Plain data. Triggers and the picture in docs/events.md are generated from it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, get_args

from eventing import contract as c

BROKER: Final = "kinora"

VERDICTS: Final[tuple[type[c.Verdict], ...]] = get_args(c.Verdict)
"""Whoever finds that a job has ended, and that nobody was told, tells of it: of any verdict."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """A Trigger's `delivery`, written out in full: Knative replaces the Broker's as a group.

    Durations are ISO 8601. Eight doublings of half a second bridge two minutes of trouble; after
    that an event is parked, and the sweeper delivers it again.
    """

    retry: int = 8
    """Attempts after the first."""
    backoff_policy: str = "exponential"
    backoff_delay: str = "PT0.5S"
    timeout: str = "PT70S"
    """Of one attempt. Longer than the revision's own, so that the broker sees its answer and does
    not deliver again what still runs."""
    reason: str = ""
    """Why the timeout differs from the default; stands beside it in the YAML."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Consumption:
    """One Trigger: events of `type` whose extension attributes equal `attributes` exactly."""

    type: str
    attributes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Function:
    """A function: one folder, one Service, one Trigger for each consumption."""

    name: str
    consumes: tuple[Consumption, ...]
    emits: tuple[type[c.Event], ...]
    delivery: Delivery = Delivery()
    any_event: bool = False
    """True for the dead-letter sink, which takes whatever could not be delivered."""
    http: bool = False
    """True for what is called by the world outside, with plain requests."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Detour:
    """A Trigger that only an installation with a certain component has: some of a function's
    events go to the same program, run in another way."""

    component: str
    """Its folder in knative/components."""
    name: str
    """What the events go to."""
    consumes: Consumption
    delivery: Delivery
    job: bool = False
    """True where each event is a Job of its own, False where it is a request to a Service."""


def on(*types: type[c.Event], **attributes: str) -> tuple[Consumption, ...]:
    """One consumption for each of `types`, all with the same extension attributes."""
    return tuple(Consumption(type=event.type, attributes=attributes) for event in types)


def trigger_name(function: str, event_type: str) -> str:
    """What the Trigger is called that brings events of this type: `encoder-task-ready-v1`."""
    return f"{function}-{event_type.removeprefix('dev.kinora.').replace('.', '-')}"


_ENCODE: Final = Delivery(
    timeout="PT11M",
    reason="Tasks take at most 120 s, may queue twice as long, and the revision's limit is"
    "\n600 s: the broker waits a minute longer, so that it sees the revision's answer.",
)

FUNCTIONS: Final[tuple[Function, ...]] = (
    Function(
        name="source",
        consumes=(),
        emits=(c.ObjectCreated,),
        http=True,
    ),
    Function(
        name="gateway",
        consumes=(),
        emits=(c.ObjectCreated, c.JobAccepted, c.WebhookDue, *VERDICTS),
        http=True,
    ),
    Function(
        name="ingest",
        consumes=on(c.ObjectCreated),
        emits=(c.JobAccepted, *VERDICTS),
    ),
    Function(
        name="chunker",
        consumes=on(c.JobAccepted, c.SourcePrepared),
        emits=(c.TaskReady, *VERDICTS),
        delivery=Delivery(
            timeout="PT6M",
            reason="A large source without an index in one place takes many reads to index.",
        ),
    ),
    Function(
        name="encoder",
        consumes=on(c.TaskReady, accelerator="cpu"),
        emits=(c.TaskCompleted, c.TaskFailed),
        delivery=_ENCODE,
    ),
    Function(
        name="assembler",
        consumes=on(c.TaskCompleted, c.TaskFailed, c.JobEncoded),
        emits=(c.TaskReady, c.SourcePrepared, c.JobEncoded, *VERDICTS),
        delivery=Delivery(
            timeout="PT6M",
            reason="Assembling a long film writes its manifests after reading every receipt.",
        ),
    ),
    Function(
        name="notifier",
        consumes=on(*VERDICTS, c.WebhookDue),
        emits=(),
    ),
    Function(
        name="sweeper",
        consumes=(Consumption(type=c.TICK),),
        # Whatever stood still, of any type: the sweeper also re-emits what was parked.
        emits=c.EVENTS,
    ),
    Function(
        name="deadletter",
        consumes=(),
        emits=(),
        any_event=True,
    ),
)

DETOURS: Final[tuple[Detour, ...]] = (
    Detour(
        component="gpu-encoder",
        name="encoder-gpu",
        consumes=Consumption(type=c.TaskReady.type, attributes={"accelerator": "gpu"}),
        delivery=_ENCODE,
    ),
    Detour(
        component="long-tasks",
        name="encoder-long",
        # The encoder's own Trigger leaves these out where the component is.
        consumes=Consumption(
            type=c.TaskReady.type, attributes={"accelerator": "cpu", "length": "long"}
        ),
        # A Job answers at once, and says by events how it went.
        delivery=Delivery(),
        job=True,
    ),
)
