"""What counts requests."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowance:
    """Whether a request may go on, by a limit on how many may in a span of time."""

    allowed: bool
    remaining: int
    """How many more may follow at once."""
    retry_after_s: int
    """When the next one may come, where this one may not; 0 where it may."""


class Limiter(Protocol):
    def hit(self, limit: str, *identifiers: str) -> Allowance:
        """Count one request of whoever the `identifiers` name, against `limit`: `10/minute`.

        What is refused does not count. Never raises Unavailable: while nothing can be counted,
        everything is allowed. Raises ValueError for a limit that is none.
        """
