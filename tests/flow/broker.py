"""A broker in memory, wired by the topology: at least once, in any order, and then dead letters."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from eventing.cloudevent import CloudEvent
from eventing.contract import TaskReady
from eventing.topology import FUNCTIONS, Function
from functions.media.encoding.accelerator import GPU

RETRIES = 3
"""Deliveries after the first, before an event is a dead letter. Fewer than in earnest."""
GPU_ENCODER = "encoder-gpu"
"""Runs the encoder's code where there are GPUs, if it is there at all."""
DEAD_LETTERS = next(function.name for function in FUNCTIONS if function.any_event)


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One event on its way to one function."""

    function: str
    event: CloudEvent
    failed: int = 0


@dataclass(slots=True)
class MemoryBroker:
    pending: list[Delivery] = field(default_factory=list)
    accepted: list[CloudEvent] = field(default_factory=list)
    gpus: bool = True
    """Whether anybody subscribed to tasks for one."""

    def publish(self, event: CloudEvent) -> None:
        """Accept the event: one delivery for each function that wants it."""
        self.accepted.append(event)
        self.pending += self.deliveries(event)

    def deliveries(self, event: CloudEvent) -> Iterable[Delivery]:
        names = [function.name for function in FUNCTIONS if _wants(function, event)]
        if self.gpus and event.type == TaskReady.type and event.extensions["accelerator"] == GPU:
            names.append(GPU_ENCODER)
        return [Delivery(function=name, event=event) for name in names]

    def take(self, index: int) -> Delivery:
        return self.pending.pop(index % len(self.pending))

    def failed(self, delivery: Delivery) -> None:
        """Nobody said 2xx: once more, or to the dead letters, or (a dead letter) never more."""
        again = replace(delivery, failed=delivery.failed + 1)
        if again.failed <= RETRIES:
            self.pending.append(again)
        elif delivery.function != DEAD_LETTERS:
            event = delivery.event.with_extensions(
                knativeerrordest=f"http://{delivery.function}.local/", knativeerrorcode="503"
            )
            self.pending.append(Delivery(function=DEAD_LETTERS, event=event))


def _wants(function: Function, event: CloudEvent) -> bool:
    return any(
        consumption.type == event.type
        and all(
            event.extensions.get(name) == value for name, value in consumption.attributes.items()
        )
        for consumption in function.consumes
    )
