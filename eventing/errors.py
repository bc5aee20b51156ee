"""The only two ways in which a handler may fail; anything else is a bug: redelivered, loudly."""

from __future__ import annotations


class Rejected(Exception):
    """This will never work, however often it is tried.

    `code` is for programs and never changes its meaning (see `functions/jobs/refusal.py`);
    `reason` is one sentence for people: what happened, why, what to do.
    """

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(f"{code}: {reason}")
        self.code = code
        self.reason = reason


class Unavailable(Exception):
    """Not now: something needed cannot be had at this moment. The sender should try again."""

    def __init__(self, reason: str, *, retry_after_s: int = 1) -> None:
        super().__init__(reason)
        self.reason = reason
        self.retry_after_s = retry_after_s
