"""A row of the table: triggers, what is posted, what subscribers answer, and what must follow.

Every event carries the extension `case`, and every Trigger asks for it: all rows can be played in
one broker at once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, Literal

from eventing.cloudevent import CloudEvent
from eventing.codec import Mode, encode

CASE: Final = "case"
SUBSCRIBER: Final = "subscriber"
DEAD: Final = "dead"
"""A dead-letter sink of a trigger's own."""
BROKERS_DEAD: Final = "broker-dead"
"""That of the broker."""
NOWHERE: Final = "nowhere"
"""A subscriber that is not there."""


@dataclass(frozen=True, slots=True)
class Said:
    """An answer in full; `event` is encoded with the case of what it answers."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    event: CloudEvent | None = None
    mode: Mode = "binary"


Answer = Said | int | Literal["cut", "silence"]
"""A status alone; the connection is cut; or nothing comes until the broker gives up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trigger:
    name: str = "t"
    subscriber: str = SUBSCRIBER
    attributes: Mapping[str, str] = field(default_factory=dict)
    filters: Sequence[Mapping[str, Any]] = ()
    delivery: Mapping[str, Any] | None = field(default_factory=lambda: {"retry": 0})
    """`deadLetterSink` is a receiver's name. None: the broker's."""

    def manifest(self, case: str, broker: str, receivers: str) -> dict[str, Any]:
        """`receivers` is the address below which they are."""
        spec: dict[str, Any] = {
            "broker": broker,
            "subscriber": {"uri": _address(receivers, case, self.subscriber)},
        }
        if self.filters:
            spec["filters"] = [{"exact": {CASE: case}}, *self.filters]
        else:
            spec["filter"] = {"attributes": {CASE: case, **self.attributes}}
        if self.delivery is not None:
            spec["delivery"] = dict(self.delivery)
            if sink := spec["delivery"].get("deadLetterSink"):
                spec["delivery"]["deadLetterSink"] = {"uri": _address(receivers, case, sink)}
        return {
            "apiVersion": "eventing.knative.dev/v1",
            "kind": "Trigger",
            "metadata": {"name": f"{case}-{self.name}"},
            "spec": spec,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """A request to the broker's ingress."""

    method: str = "POST"
    path: str = "{broker}"
    """`{broker}` stands for its own, `{namespace}` for the first half of that."""
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    event: CloudEvent | None = None
    """In place of a body, with the case."""
    mode: Mode = "binary"

    def request(self, case: str) -> tuple[Mapping[str, str], bytes]:
        """Headers and body."""
        if self.event is None:
            return self.headers, self.body
        message = encode(of_case(self.event, case), mode=self.mode)
        return {**message.headers, **self.headers}, message.body


@dataclass(frozen=True, slots=True)
class Seen:
    """A request that reached a receiver."""

    event: CloudEvent
    headers: Mapping[str, str]
    """By lower-case name."""
    at_s: float


Record = Mapping[str, Sequence[Seen]]
"""What each receiver saw, in order."""


@dataclass(frozen=True, slots=True)
class Result:
    """What a broker did."""

    seen: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    """Requests by receiver and event."""
    statuses: tuple[int, ...] = ()
    """Of the posts, in order; empty where all were 202."""
    facts: Any = None
    """What the case looks at besides."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """What Knative's default broker does instead."""

    result: Result | None
    """None: nobody should try."""
    right: Literal["embedded", "Knative", "both"]
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    name: str
    """Lower-case words, as in a Kubernetes name."""
    says: str
    """A sentence that is true."""
    clause: str
    """Where that is written."""
    triggers: Sequence[Trigger] = ()
    posts: Sequence[Post]
    answers: Mapping[str, Mapping[str, Sequence[Answer]]] = field(default_factory=dict)
    """By receiver and event (`*`: any), in turn, the last of them for ever. Without: 204."""
    result: Result
    look: Callable[[Record], Any] | None = None
    """What else is seen."""
    differs: Difference | None = None


def of_case(event: CloudEvent, case: str) -> CloudEvent:
    return replace(event, extensions={**event.extensions, CASE: case})


def an_event(id: str = "1", type: str = "a", **extensions: str) -> CloudEvent:
    return CloudEvent(
        id=id,
        source="/jobs/1",
        type=type,
        subject="1.mp4",
        datacontenttype="application/json",
        extensions=extensions,
        data=b'{"n": 1}',
    )


def post(id: str = "1", type: str = "a", **extensions: str) -> Post:
    return Post(event=an_event(id, type, **extensions))


def _address(receivers: str, case: str, name: str) -> str:
    if name == NOWHERE:
        # The same machine, a port that nobody listens on.
        return f"{receivers.rpartition(':')[0]}:1/"
    return f"{receivers}/{case}/{name}"
