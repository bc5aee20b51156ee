"""What the broker remembers, as values: an event, its deliveries, and the changes to them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from eventing.cloudevent import CloudEvent

PENDING: Final = "pending"
DELIVERED: Final = "delivered"
DEAD: Final = "dead-lettered"
"""It failed for good, and a delivery to the dead-letter sink took its place."""
DROPPED: Final = "dropped"
"""It failed for good, and there was nowhere else to go."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """An event in the log, as subscribers see it."""

    seq: int
    broker: str
    """The broker's key."""
    event: CloudEvent
    ttl: int
    """How many more passes through a broker its replies may make."""


@dataclass(frozen=True, slots=True)
class Key:
    """One delivery: an event to a trigger's subscriber, or (`dead`) to its dead-letter sink."""

    seq: int
    trigger: str
    dead: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """The event entered, to be delivered to each of `to`: (trigger, address)."""

    entry: Entry
    at_s: float
    to: Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Begun:
    """Attempt `number` (from 1) began."""

    key: Key
    number: int
    at_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """Attempt `number` ended, with the HTTP status if anybody answered."""

    key: Key
    number: int
    at_s: float
    code: int | None
    error: str


@dataclass(frozen=True, slots=True)
class Postponed:
    """The next attempt is due at `due_s`."""

    key: Key
    due_s: float


@dataclass(frozen=True, slots=True)
class Settled:
    """Nothing more happens to the delivery."""

    key: Key
    state: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Buried:
    """The event goes to the dead-letter sink at `address` with `errors` as extensions."""

    key: Key
    address: str
    errors: Mapping[str, str]
    at_s: float


Change = Accepted | Begun | Ended | Postponed | Settled | Buried


@dataclass(frozen=True, slots=True, kw_only=True)
class Unfinished:
    """A delivery that an earlier process did not bring to its end."""

    key: Key
    due_s: float
    errors: Mapping[str, str] = field(default_factory=dict)
    attempts: int
    """Attempts begun, among them one that the process did not live to see the end of."""
    failures: int
    """Attempts that ended."""
