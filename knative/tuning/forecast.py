"""How many pods there will be, second by second: the simulation without jobs and admission.

For requests that come by themselves to any Service, to compare with what a cluster does.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from knative.autoscaling.scaling import Scaling
from knative.tuning.setup import Setup
from knative.tuning.simulation import Count, simulate
from knative.tuning.workload import Arrival, Work


@dataclass(frozen=True, slots=True)
class Request:
    at_ms: int
    work_ms: int


def pods(
    requests: Sequence[Request], scaling: Scaling, *, cold_start_ms: int, drain_ms: int
) -> tuple[Count, ...]:
    """Whenever their number changes, until the last is gone."""
    arrivals = [
        Arrival(
            at_ms=request.at_ms,
            tenant="",
            lead_ms=0,
            stages=((Work(request.work_ms, 0.0),),),
        )
        for request in requests
    ]
    setup = Setup(scaling=scaling)
    return simulate(
        arrivals, setup, cold_start_ms=cold_start_ms, drain_ms=drain_ms, slots=len(requests)
    ).counts
