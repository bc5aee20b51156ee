"""The delivery log of an endpoint, `work/tenants/<tenant>/attempts/<endpoint>/…`: newest first."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Final, Literal

from eventing.contract import digest
from functions.jobs import layout, record
from functions.ports import ObjectStore

EXCERPT_BYTES: Final = 1024
"""Of a response: enough to see which error page it was."""
KEEP: Final = 1000
KEEP_S: Final = 30 * 86400.0
"""Entries of one endpoint, and how long each is kept."""
_ONE_IN: Final = 32
"""How many entries are written between two times that old ones are looked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One attempt at a delivery, or that the endpoint was disabled."""

    kind: Literal["attempt", "disabled"] = "attempt"
    endpoint: str
    message: str
    event: str
    """`webhook-id`."""
    type: str
    number: int
    """Of the attempt, from 1."""
    at_s: float
    ms: int = 0
    status: int = 0
    """0: no answer, and `error` says why."""
    error: str = ""
    response: str = ""
    """The first KiB of the answer's body."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryLog:
    """The logs of every tenant's endpoints."""

    store: ObjectStore

    def add(self, tenant: str, entry: Entry) -> None:
        """Write the entry, and now and then remove old ones."""
        name = f"{entry.message}-{entry.number}-{entry.kind}"
        record.create(self.store, layout.attempt(tenant, entry.endpoint, entry.at_s, name), entry)
        if int(digest(entry.event, str(entry.at_s)), 16) % _ONE_IN == 0:
            self.prune(tenant, entry.endpoint, now_s=entry.at_s)

    def page(
        self, tenant: str, endpoint: str, *, after: str = "", limit: int
    ) -> Iterator[tuple[str, Entry]]:
        """Entries with their cursors, from the one behind the cursor `after` on."""
        prefix = layout.attempts_prefix(tenant, endpoint)
        listed = self.store.list(prefix, after=f"{prefix}{after}" if after else "")
        for info in islice(listed, limit):
            entry = record.read(self.store, info.key, Entry)
            if entry is not None:  # else removed in this moment
                yield info.key.removeprefix(prefix), entry

    def prune(self, tenant: str, endpoint: str, *, now_s: float) -> None:
        """Remove what is more, or older, than is kept."""
        prefix = layout.attempts_prefix(tenant, endpoint)
        listed = list(self.store.list(prefix))
        oldest = layout.attempt(tenant, endpoint, now_s - KEEP_S, "")
        for number, info in enumerate(listed):
            if number >= KEEP or info.key > oldest:
                self.store.delete(info.key)

    def clear(self, tenant: str, endpoint: str) -> None:
        for info in list(self.store.list(layout.attempts_prefix(tenant, endpoint))):
            self.store.delete(info.key)
