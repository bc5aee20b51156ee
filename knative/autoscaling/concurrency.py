"""How many requests were in flight, on average, in each stretch of time."""

from __future__ import annotations

from collections import deque


class Concurrency:
    """Counts requests that wait or are worked on, and averages the count over buckets of time.

    A bucket is told of once it is over. Times are milliseconds and never go back. Of stretches
    that nobody asked for only the last `keep_ms` are told of.
    """

    def __init__(self, bucket_ms: int, *, keep_ms: int, now_ms: int) -> None:
        self._bucket_ms = bucket_ms
        self._changed_ms = now_ms
        self._area = 0
        """Requests times milliseconds in the bucket of `_changed_ms`, up to there."""
        self._over: deque[tuple[int, float]] = deque(maxlen=-(-keep_ms // bucket_ms))
        self.now = 0
        """Requests in flight."""

    def change(self, now_ms: int, by: int) -> None:
        """`by` more requests are in flight from now on."""
        self._advance(now_ms)
        self.now += by

    def samples(self, now_ms: int) -> list[tuple[int, float]]:
        """(start of bucket, average concurrency) of each bucket that ended since the last call."""
        self._advance(now_ms)
        over = list(self._over)
        self._over.clear()
        return over

    def _advance(self, now_ms: int) -> None:
        # Across a long silence only the buckets that will be kept are gone through.
        assert self._over.maxlen is not None
        oldest = now_ms - now_ms % self._bucket_ms - self._over.maxlen * self._bucket_ms
        if self._changed_ms < oldest:
            self._changed_ms = oldest
            self._area = 0
        while self._changed_ms < now_ms:
            start = self._changed_ms - self._changed_ms % self._bucket_ms
            until = min(now_ms, start + self._bucket_ms)
            self._area += self.now * (until - self._changed_ms)
            self._changed_ms = until
            if until == start + self._bucket_ms:
                self._over.append((start, self._area / self._bucket_ms))
                self._area = 0
