"""How much one tick looks at: a bounded share, and everything in the long run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from eventing.contract import digest

T = TypeVar("T")


def share(items: Sequence[T], *, limit: int, seed: str) -> list[T]:
    """At most `limit` of `items`, in their order from a place that `seed` picks, around the end.

    Ticks have different ids, so that with theirs as seeds nothing is overlooked for long, and
    nothing need be remembered between two ticks.
    """
    if len(items) <= limit:
        return list(items)
    start = int(digest(seed), 16) % len(items)
    return [items[(start + offset) % len(items)] for offset in range(limit)]
