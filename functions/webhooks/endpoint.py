"""A tenant's webhook endpoint, `work/tenants/<tenant>/endpoints/<id>`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

Scheme = Literal["v1", "v1a"]
"""Standard Webhooks: HMAC-SHA256 with a shared secret, or ed25519."""

Disabled = Literal["", "gone", "failing"]
"""`gone`: it answered 410. `failing`: nothing was delivered for days."""

LIMIT: Final = 20
"""Endpoints of one tenant: each of them may hold some of the notifier's threads."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Secret:
    """What deliveries are signed with, kept encrypted (`functions/jobs/seal.py`)."""

    scheme: Scheme
    sealed: str
    created_s: float
    expires_s: float | None = None
    """Set by a rotation: until then deliveries carry this signature beside the new one."""
    public: str = ""
    """`whpk_…`, what a receiver verifies with; only of v1a."""

    def counts(self, now_s: float) -> bool:
        """True while deliveries are signed with it."""
        return self.expires_s is None or now_s < self.expires_s


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """Where a tenant wants to be told of verdicts. Replaced by compare-and-swap."""

    id: str
    tenant: str
    url: str
    description: str = ""
    events: tuple[str, ...] = ()
    """CloudEvents types; none means every verdict."""
    secrets: tuple[Secret, ...] = ()
    """The newest first."""
    created_s: float = 0.0
    paused: bool = False
    """By its owner: deliveries wait."""
    disabled: Disabled = ""
    """Why nothing is delivered any more; "" while it is well."""
    failing_since_s: float | None = None
    """Of the first delivery that failed since the last that went well."""
    counting: bool = False
    """True once it failed again and again since then: it will be disabled if nothing goes well."""

    def wants(self, event_type: str) -> bool:
        """True if it is to be told of events of this type."""
        return not self.disabled and (not self.events or event_type in self.events)


def about(tenant: str, endpoint_id: str) -> str:
    """What an endpoint's secrets are sealed about: they open for no other."""
    return f"endpoint/{tenant}/{endpoint_id}"
