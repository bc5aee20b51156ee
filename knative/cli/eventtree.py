"""The events of one job as a tree: what followed from what, when, and how often it was tried."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from eventing.cloudevent import timestamp
from eventing.topology import trigger_name

if TYPE_CHECKING:
    from knative.local.broker.history import Accepted, Delivery


@dataclass(slots=True)
class Node:
    """One event: every time the broker took it, and what followed from it."""

    accepted: list[Accepted]
    children: list[Node] = field(default_factory=list)

    @property
    def first(self) -> Accepted:
        return self.accepted[0]

    @property
    def deliveries(self) -> Iterator[Delivery]:
        for each in self.accepted:
            yield from each.deliveries


def grow(history: Sequence[Accepted]) -> list[Node]:
    """The trees of a job's events, in the order in which the broker took them.

    The same source and id again is the same event. An event whose cause is not among them (a tick,
    somebody outside) begins a tree of its own.
    """
    nodes: dict[str, Node] = {}
    for accepted in history:
        known = nodes.get(accepted.event.id)
        if known is None:
            nodes[accepted.event.id] = Node([accepted])
        else:
            known.accepted.append(accepted)
    roots = []
    for node in nodes.values():
        cause = nodes.get(node.first.causationid)
        # An event is always taken after its cause; anything else would be a loop.
        if cause is None or cause.first.seq >= node.first.seq:
            roots.append(node)
        else:
            cause.children.append(node)
    return roots


def kind(event_type: str) -> str:
    """`task.ready` for `dev.kinora.task.ready.v1`."""
    return event_type.removeprefix("dev.kinora.").removesuffix(".v1")


def as_json(nodes: Sequence[Node]) -> list[dict[str, Any]]:
    return [
        {
            "id": node.first.event.id,
            "type": node.first.event.type,
            "subject": node.first.event.subject,
            "producer": node.first.producer,
            "cause": node.first.causationid,
            "accepted": [timestamp(each.accepted_s) for each in node.accepted],
            "deliveries": [
                {
                    "trigger": delivery.trigger.partition("/")[2],
                    "dead_letter": delivery.dead,
                    "state": delivery.state,
                    "attempts": [
                        {
                            "number": attempt.number,
                            "started": timestamp(attempt.started_s),
                            "duration_s": _duration_s(attempt.started_s, attempt.ended_s),
                            "code": attempt.code,
                            "error": attempt.error,
                        }
                        for attempt in delivery.attempts
                    ],
                }
                for delivery in node.deliveries
            ],
            "caused": as_json(node.children),
        }
        for node in nodes
    ]


def lines(nodes: Sequence[Node], *, origin_s: float) -> list[tuple[str, list[Any]]]:
    """Each event as a line, with the lines of what followed from it."""

    def below(node: Node) -> list[tuple[str, list[Any]]]:
        return [(_line(child, origin_s, top=False), below(child)) for child in node.children]

    return [(_line(node, origin_s, top=True), below(node)) for node in nodes]


def _line(node: Node, origin_s: float, *, top: bool) -> str:
    first = node.first
    subject = first.event.subject or ""
    parts = [f"+{first.accepted_s - origin_s:.2f} s", kind(first.event.type)]
    if subject and subject not in (first.event.extensions.get("partitionkey"), ""):
        parts.append(subject)
    if first.producer:
        parts.append(f"from {first.producer}")
    if top and first.causationid:
        # A slot that another job gave back, or a sweep.
        parts.append("caused outside this job")
    if len(node.accepted) > 1:
        parts.append(f"sent {len(node.accepted)} times")
    tried = [_delivery(delivery, first.event.type) for delivery in node.deliveries]
    return "  ".join(parts) + ("".join(f"\n→ {each}" for each in tried))


def _delivery(delivery: Delivery, event_type: str) -> str:
    # A Trigger's name ends in what it takes, which stands in the line above.
    name = delivery.trigger.partition("/")[2].removesuffix(trigger_name("", event_type))
    to = f"dead letters of {name}" if delivery.dead else name
    attempts = delivery.attempts
    if not attempts:
        return f"{to}: waits"
    last = attempts[-1]
    took = _duration_s(last.started_s, last.ended_s)
    said = "no answer" if last.code is None else str(last.code)
    text = f"{to}: " + ("under way" if took is None else f"{said} in {took:.2f} s")
    if len(attempts) > 1:
        text += f", attempt {last.number}"
    if delivery.state not in ("delivered", "pending"):
        text += f", {delivery.state}"
    if last.error:
        text += f" ({last.error})"
    return text


def _duration_s(started_s: float, ended_s: float | None) -> float | None:
    return None if ended_s is None else round(ended_s - started_s, 3)
