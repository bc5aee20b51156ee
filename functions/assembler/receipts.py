"""The receipts of a plan's tasks, each read once by whoever looks at several renditions."""

from __future__ import annotations

from dataclasses import dataclass, field

from functions.jobs import layout, record
from functions.jobs.plan import Plan, Task
from functions.jobs.receipt import Receipt
from functions.ports import ObjectStore


@dataclass(frozen=True, slots=True)
class Receipts:
    store: ObjectStore
    plan: Plan
    _read: dict[str, Receipt] = field(default_factory=dict)

    def of(self, task: Task) -> Receipt | None:
        """None while there is none. Raises Unavailable, ValueError."""
        receipt = self._read.get(task.id)
        if receipt is None:
            generation = self.plan.generation_of(task)
            key = layout.receipt(self.plan.job, generation, task.id)
            receipt = record.read(self.store, key, Receipt)
            if receipt is not None:
                self._read[task.id] = receipt
        return receipt
