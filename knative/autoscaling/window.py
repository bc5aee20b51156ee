"""Sliding windows over time, cut into buckets: an average and a maximum.

The same arithmetic as Knative's `pkg/autoscaler/aggregation` (`TimedFloat64Buckets` and
`max.TimeWindow`), so that decisions can be compared one to one. Times are milliseconds.
"""

from __future__ import annotations

import math
from collections import deque

_PRECISION = 1_000_000


class Average:
    """The average of what was recorded over the last `window_ms`.

    Values recorded into one bucket add up. While the window has not filled since the first write,
    the average is over the part that has; gaps shorter than the window count as zeros.
    """

    def __init__(self, window_ms: int, bucket_ms: int) -> None:
        self._size = math.ceil(window_ms / bucket_ms)
        self._bucket_ms = bucket_ms
        self._window_ms = window_ms
        self._buckets: dict[int, float] = {}
        self._first: int | None = None
        self._last: int | None = None

    def record(self, now_ms: int, value: float) -> None:
        """Add `value` to the bucket of `now_ms`; ignored when that lies a window back."""
        bucket = now_ms // self._bucket_ms
        if self._last is not None and bucket < self._last:
            if (self._last - bucket) * self._bucket_ms > self._window_ms:
                return
            if bucket <= self._last - self._size:
                return
        if self._first is None or bucket < self._first:
            self._first = bucket
        if self._last is None or bucket > self._last:
            if self._last is not None and (bucket - self._last) * self._bucket_ms >= (
                self._window_ms
            ):
                self._first = bucket
                self._buckets.clear()
            self._last = bucket
            self._buckets = {
                index: kept for index, kept in self._buckets.items() if index > bucket - self._size
            }
        self._buckets[bucket] = self._buckets.get(bucket, 0.0) + value

    def empty(self, now_ms: int) -> bool:
        """True when nothing was recorded for a whole window."""
        if self._last is None:
            return True
        return (now_ms // self._bucket_ms - self._last) * self._bucket_ms > self._window_ms

    def average(self, now_ms: int) -> float:
        """The average, cut to six digits after the point; 0 when there is nothing."""
        if self._first is None or self._last is None:
            return 0.0
        now = now_ms // self._bucket_ms
        behind = max(0, now - self._last)
        if behind * self._bucket_ms >= self._window_ms:
            return 0.0
        total = sum(
            value
            for index, value in self._buckets.items()
            if index > self._last + behind - self._size
        )
        written = min(self._last - self._first + 1, self._size - behind)
        return math.floor(total / written * _PRECISION) / _PRECISION


class Maximum:
    """The largest value recorded over the last `window_ms`."""

    def __init__(self, window_ms: int, bucket_ms: int) -> None:
        self._size = math.ceil(window_ms / bucket_ms)
        self._bucket_ms = bucket_ms
        self._falling: deque[tuple[int, int]] = deque()

    def record(self, now_ms: int, value: int) -> int:
        """Note `value`; times never go back. Returns the maximum now."""
        bucket = now_ms // self._bucket_ms
        while self._falling and self._falling[-1][1] <= value:
            self._falling.pop()
        while self._falling and bucket - self._falling[0][0] >= self._size:
            self._falling.popleft()
        if not self._falling or self._falling[-1][0] != bucket:
            self._falling.append((bucket, value))
        return self._falling[0][1]
