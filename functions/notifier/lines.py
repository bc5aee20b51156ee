"""Lines: how many deliveries may be under way to an endpoint at a time.

Whoever delivers waits for the answer, so an endpoint that hangs takes as many deliveries away from
others as it has lines. Few are open to one that took nothing lately, and one where nothing moves
is not waited for.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from functions.jobs import leases
from functions.ports import StateStore
from functions.webhooks.endpoint import Endpoint

MOST: Final = 8
FEW: Final = 2
"""Of an endpoint that took nothing lately."""
PROVEN_S: Final = 60.0
"""How long after a delivery that it took an endpoint has all its lines."""
MOVING_S: Final = 2.0
"""Without a delivery that begins for so long, while all lines are taken, an endpoint hangs."""
_ANYBODY: Final = "lines"


@dataclass(frozen=True, slots=True, kw_only=True)
class Lines:
    """Those of every endpoint, as one invocation sees them."""

    state: StateStore
    holder: str
    lease_s: float

    def take(self, endpoint: Endpoint, *, broken: bool) -> str | None:
        """The name of a line that is ours now, None where none is free. `broken`: it failed a
        moment ago, and has one line."""
        for number in range(1 if broken else MOST):
            if number == FEW and not self.state.held(_proven(endpoint)):
                return None
            line = leases.line(endpoint.tenant, endpoint.id, number)
            if self.state.acquire(line, self.holder, ttl_s=self.lease_s):
                self.state.acquire(_moving(endpoint), _ANYBODY, ttl_s=MOVING_S)
                return line
        return None

    def give_back(self, line: str) -> None:
        self.state.release(line, self.holder)

    def are_moving(self, endpoint: Endpoint) -> bool:
        """False where waiting for a line would be waiting for an endpoint that hangs."""
        return self.state.held(_moving(endpoint))

    def prove(self, endpoint: Endpoint) -> None:
        """Note that the endpoint took a delivery."""
        self.state.acquire(_proven(endpoint), _ANYBODY, ttl_s=PROVEN_S)


def _moving(endpoint: Endpoint) -> str:
    return leases.moving(endpoint.tenant, endpoint.id)


def _proven(endpoint: Endpoint) -> str:
    return leases.proven(endpoint.tenant, endpoint.id)
