"""How many uploads pass through one process at the same time: each keeps two parts in memory."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from functions.gateway.edge.problem import Problem

Widen = Callable[[int], None]
"""Takes as much room as so many uploads. Raises Problem (unavailable)."""


class Places:
    """Used on one event loop. The last quarter is for tenants that have none, so that no tenant's
    uploads, however slow, keep all others out."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._kept_back = limit // 4
        self._taken: Counter[str] = Counter()

    @contextmanager
    def one(self, tenant: str) -> Iterator[Widen]:
        """Have a place, which can be made wider: parts of very large files are larger. Raises
        Problem (unavailable) when there is none."""
        width = 0

        def widen(wanted: int) -> None:
            nonlocal width
            # Who wants more than there is has all that a tenant may have.
            more = min(wanted, self._limit - self._kept_back) - width
            if more > 0:
                self._take(tenant, more)
                width += more

        widen(1)
        try:
            yield widen
        finally:
            self._taken[tenant] -= width
            if not self._taken[tenant]:
                del self._taken[tenant]

    def _take(self, tenant: str, more: int) -> None:
        kept_back = self._kept_back if self._taken[tenant] else 0
        if self._taken.total() + more > self._limit - kept_back:
            raise Problem(
                "unavailable",
                "As many uploads as this process takes pass through it. Try again in 2 s.",
                headers={"retry-after": "2"},
            )
        self._taken[tenant] += more
