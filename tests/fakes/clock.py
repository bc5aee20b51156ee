"""A clock that a test sets."""

from __future__ import annotations


class ManualClock:
    """Stands still until somebody advances it."""

    def __init__(self, now_s: float = 1_800_000_000.0) -> None:
        self.now_s = now_s

    def __call__(self) -> float:
        return self.now_s

    def advance(self, seconds: float) -> None:
        self.now_s += seconds
