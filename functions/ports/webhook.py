"""What delivers messages to endpoints."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """One attempt at a delivery."""

    url: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """How an endpoint answered one delivery. `status` 0: not at all, and `error` says why."""

    status: int
    error: str = ""
    """A sentence for people."""
    retry_after: str = ""
    """The header, as it came."""
    excerpt: str = ""
    """How the answer's body begins, at most 1 KiB."""
    ms: int = 0
    """How long it took."""
    hung: bool = False
    """True when time ran out: the next attempt had better not be soon."""


class Webhook(Protocol):
    def __call__(self, posts: Sequence[Post]) -> Iterator[tuple[int, Answer]]:
        """Deliver each once, all at the same time, each within a time of its own. The answers as
        they come, each with the place of its post. Never raises for what the other side does."""
