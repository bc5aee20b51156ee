"""Sliding windows over time, cut into buckets: an average and a maximum.

The same arithmetic as Knative's `pkg/autoscaler/aggregation` (`TimedFloat64Buckets` and
`max.TimeWindow`), so that decisions can be compared one to one. Times are milliseconds.
"""

from __future__ import annotations

import math
from collections import deque
from typing import Final

_DIGITS: Final = 1_000_000.0
"""An average is rounded to six digits after the point."""


class Average:
    """The average of what was recorded over the last `window_ms`.

    Values recorded into one bucket add up. While the window has not filled since the first write,
    the average is over the part that has; gaps shorter than the window count as zeros.
    """

    def __init__(self, window_ms: int, bucket_ms: int) -> None:
        self._bucket_ms = bucket_ms
        self._window_ms = window_ms
        self._ring = [0.0] * math.ceil(window_ms / bucket_ms)
        self._total = 0.0
        """Kept, not summed anew: in the last digits that is another number."""
        self._first: int | None = None
        self._last: int | None = None

    def record(self, now_ms: int, value: float) -> None:
        """Add `value` to the bucket of `now_ms`; ignored when that lies a window back."""
        bucket = now_ms // self._bucket_ms
        if self._last is None or bucket > self._last:
            self._advance(bucket)
        elif (self._last - bucket) * self._bucket_ms >= self._window_ms:
            return
        if self._first is None or bucket < self._first:
            self._first = bucket
        self._ring[bucket % len(self._ring)] += value
        self._total += value

    def _advance(self, bucket: int) -> None:
        if self._last is None or (bucket - self._last) * self._bucket_ms >= self._window_ms:
            self._ring = [0.0] * len(self._ring)
            self._total = 0.0
            self._first = None
        else:
            for gone in range(self._last + 1, bucket + 1):
                at = gone % len(self._ring)
                self._total -= self._ring[at]
                self._ring[at] = 0.0
        self._last = bucket

    def empty(self, now_ms: int) -> bool:
        """True when nothing was recorded for a whole window."""
        if self._last is None:
            return True
        return (now_ms // self._bucket_ms - self._last) * self._bucket_ms > self._window_ms

    def average(self, now_ms: int) -> float:
        """The average, rounded to six digits after the point; 0 when there is nothing."""
        if self._first is None or self._last is None:
            return 0.0
        behind = max(0, now_ms // self._bucket_ms - self._last)
        if behind * self._bucket_ms >= self._window_ms:
            return 0.0
        total = self._total
        for gone in range(self._last + 1, self._last + behind + 1):
            total -= self._ring[gone % len(self._ring)]
        return _rounded(total / min(self._last - self._first + 1, len(self._ring) - behind))


def _rounded(value: float) -> float:
    """As Go's math.Round does it: halves away from zero."""
    scaled = value * _DIGITS
    whole = float(math.trunc(scaled))
    if abs(scaled - whole) >= 0.5:
        whole += math.copysign(1.0, scaled)
    return whole / _DIGITS


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
