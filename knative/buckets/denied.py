"""A service that refuses what it was asked."""

from __future__ import annotations


class Denied(Exception):
    """`code` is S3's own (`AccessDenied`), `reason` what the service says for people."""

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(f"{code}: {reason}")
        self.code = code
        self.reason = reason
