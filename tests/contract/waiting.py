"""Tasks that wait, and the words in which tests say who got a slot."""

from __future__ import annotations

from collections.abc import Sequence

from functions.ports import Slot, StateStore, Waiting

HELD_S = 60.0


def waiting(
    job: str,
    order: int,
    *,
    tenant: str = "anna",
    generation: int = 1,
    accelerator: str = "cpu",
    tenant_priority: int = 0,
    priority: int = 0,
    length: str = "short",
) -> Waiting:
    return Waiting(
        job=job,
        generation=generation,
        task=f"v{order}",
        tenant=tenant,
        accelerator=accelerator,
        order=order,
        tenant_priority=tenant_priority,
        priority=priority,
        length=length,
    )


def names(slots: Sequence[Slot]) -> list[str]:
    return [f"{slot.job}/{slot.task}" for slot in slots]


def admit(state: StateStore, cause: str, *, limit: int, accelerator: str = "cpu") -> list[str]:
    return names(state.admit(accelerator, cause=cause, limit=limit, ttl_s=HELD_S))
