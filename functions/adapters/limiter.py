"""Rate limits over the `limits` library: counted in a Redis, or in the memory of one process."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from limits import RateLimitItem, parse
from limits.storage import MemoryStorage
from limits.strategies import SlidingWindowCounterRateLimiter

from functions.adapters.redis.address import RedisAddress
from functions.ports import Allowance

if TYPE_CHECKING:
    from limits.storage import RedisStorage

_log = logging.getLogger(__name__)

ANSWER_TIMEOUT_S: Final = 0.5
"""A request must not wait longer than this to be counted."""
REST_S: Final = 5.0
"""How long a Redis that failed is left alone: requests pass at once instead of waiting for it."""


class CountingLimiter:
    """See `functions.ports.Limiter`. A window that slides: the share of the last one counts still.

    Two small keys for each limit and caller, which expire. With a Redis all processes count
    together; while it cannot be reached everything is allowed: a limit keeps one caller from
    crowding out the others, and refusing all of them would be worse. Of a cluster the address has
    to be that of the node that has our keys: nothing leads from one node to another here.
    """

    def __init__(
        self,
        storage: Callable[[], MemoryStorage | RedisStorage],
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._make = storage
        self._made: SlidingWindowCounterRateLimiter | None = None
        self._clock = clock
        self._failures: tuple[type[Exception], ...] = ()
        self._rests_until_s = -math.inf

    @classmethod
    def in_memory(cls) -> CountingLimiter:
        return cls(MemoryStorage)

    @classmethod
    def at(
        cls, address: RedisAddress, *, clock: Callable[[], float] = time.monotonic
    ) -> CountingLimiter:
        """Nothing is connected before the first `hit`."""

        def storage() -> RedisStorage:
            from limits.storage import RedisStorage

            quick = replace(address, timeout_s=min(address.timeout_s, ANSWER_TIMEOUT_S))
            return RedisStorage(
                "redis://", connection_pool=quick.pool(), key_prefix=f"{{{address.prefix}}}:rate"
            )

        return cls(storage, clock=clock)

    def hit(self, limit: str, *identifiers: str) -> Allowance:
        item = _item(limit)
        free = Allowance(allowed=True, remaining=item.amount, retry_after_s=0)
        if self._clock() < self._rests_until_s:
            return free
        windows = self._windows()
        try:
            allowed = windows.hit(item, *identifiers)
            now_s = time.time()
            ends_s, remaining = windows.get_window_stats(item, *identifiers)
        except self._failures as error:
            self._rests_until_s = self._clock() + REST_S
            _log.warning("requests are not counted", extra={"facts": {"why": str(error)}})
            return free
        wait_s = 0 if allowed else max(1, math.ceil(ends_s - now_s))
        return Allowance(allowed=allowed, remaining=remaining, retry_after_s=wait_s)

    def _windows(self) -> SlidingWindowCounterRateLimiter:
        if self._made is None:
            storage = self._make()
            if not isinstance(storage, MemoryStorage):
                from redis import RedisError

                self._failures = (RedisError,)
            # Two threads may both make one at the first request: the last counts, from nothing.
            self._made = SlidingWindowCounterRateLimiter(storage)
        return self._made


@lru_cache(maxsize=256)
def _item(limit: str) -> RateLimitItem:
    return parse(limit)
