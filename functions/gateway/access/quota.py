"""How many jobs of a tenant may be open at once: counted in the store, which all gateways share."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from itertools import islice
from typing import Final

from functions.gateway.access.limits import Limits, too_many
from functions.jobs import layout, roster
from functions.ports import Clock, ObjectStore

KEPT_S: Final = 5.0
"""How long a count is believed; what this process adds meanwhile is added to it."""
_MOST: Final = 20_000
RETRY_AFTER_S: Final = 60


@dataclass(slots=True)
class Quotas:
    """Safe to share between threads; a quota is overrun by what other processes admit meanwhile."""

    store: ObjectStore
    clock: Clock
    limits: Limits
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _counts: dict[str, tuple[float, int]] = field(default_factory=dict)

    def job(self, tenant: str) -> None:
        """Let a tenant have one more open job. Raises Problem (too-many)."""
        limit = self.limits.open_jobs
        if not limit:
            return
        now_s = self.clock()
        with self._lock:
            counted_s, count = self._counts.get(tenant, (float("-inf"), 0))
        if now_s - counted_s >= KEPT_S:
            counted_s, count = now_s, self._open_jobs(tenant, limit)
        if count >= limit:
            raise too_many(f"There are {limit} jobs already that have not ended.", RETRY_AFTER_S)
        with self._lock:
            self._counts[tenant] = counted_s, count + 1

    def _open_jobs(self, tenant: str, limit: int) -> int:
        """At most `limit`. Costs two listings: of what is open, and of the tenant's newest."""
        markers = islice(self.store.list(layout.OPEN_PREFIX), _MOST)
        everybodys = {info.key.removeprefix(layout.OPEN_PREFIX) for info in markers}
        if not everybodys:
            return 0
        count = 0
        since_s = self.clock() - roster.LONGEST_JOB_S
        for entry in roster.entries(self.store, tenant, since_s=since_s):
            count += roster.job_of(entry) in everybodys
            if count >= limit:
                break
        return count
