"""A tenant's webhook endpoint, `work/tenants/<tenant>/endpoints/<id>`."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """Where a tenant wants to be told of verdicts."""

    url: str
    events: tuple[str, ...] = ()
    """CloudEvents types; none means every verdict."""
