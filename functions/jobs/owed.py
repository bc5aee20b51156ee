"""Deliveries that are owed, `work/tenants/<tenant>/outbox/<job>`."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Owed:
    """Endpoints that have not been told of the job's verdict yet."""

    endpoints: tuple[str, ...]
    """Names, the last part of their keys."""
