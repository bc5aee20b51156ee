"""How every function stands in a cluster: one value from what the API server and metrics say."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any, Final

from knative.operating.load import Load
from knative.operating.pod import Pod, State, seconds
from knative.operating.revision import Object, Revision, Service, newest_first

HOUR_S: Final = 3600.0
"""How long the API server keeps what happened, by default."""
ERRORS: Final = 3
"""Shown of a function, at most."""
_FROM_ZERO: Final = re.compile(r"Scaled up replica set (.+)-[^-]+ from 0 to \d+")
_DEPLOYMENT: Final = "-deployment"
_NOT_OURS: Final = ("Unhealthy",)
"""Probes of a pod that starts or ends fail as a matter of course."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """One revision."""

    revision: Revision
    percent: int
    pods: tuple[Pod, ...]
    load: Load

    def count(self, state: State) -> int:
        return sum(pod.state == state for pod in self.pods)


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionState:
    """One function."""

    service: Service
    revisions: tuple[Standing, ...]
    """Those with traffic or pods, and the latest; the newest first."""
    cold_starts: int
    """Times that it went from no pod to some, in the last hour."""
    start_s: float | None
    """Median from a pod's creation to ready, of the pods there are."""
    errors: tuple[str, ...]

    @property
    def pods(self) -> Iterable[Pod]:
        return (pod for standing in self.revisions for pod in standing.pods)

    @property
    def restarts(self) -> int:
        return sum(pod.restarts for pod in self.pods)


def of(
    service: Service,
    revisions: Iterable[Revision],
    pods: Iterable[Pod],
    happenings: Sequence[Object],
    loads: Mapping[str, Load],
    *,
    now_s: float,
) -> FunctionState:
    """`pods` and `happenings` may be those of all functions; `loads` is by revision."""
    own_pods = [pod for pod in pods if pod.function == service.name and pod.state != "ended"]
    with_pods = {pod.revision for pod in own_pods}
    mine = [found for found in newest_first(revisions) if found.service == service.name]
    known = {found.name for found in mine}
    standings = tuple(
        Standing(
            revision=found,
            percent=service.percent(found.name),
            pods=tuple(pod for pod in own_pods if pod.revision == found.name),
            load=loads.get(found.name, Load()),
        )
        for found in mine
        if found.name in with_pods
        or service.percent(found.name)
        or found.name in (service.latest_created, service.latest_ready)
    )
    starts = [pod.started_in_s for pod in own_pods if pod.started_in_s is not None]
    return FunctionState(
        service=service,
        revisions=standings,
        cold_starts=_cold_starts(happenings, known, now_s=now_s),
        start_s=median(starts) if starts else None,
        errors=tuple(_errors(service, standings, happenings, known, now_s=now_s)),
    )


def _cold_starts(happenings: Iterable[Object], revisions: Iterable[str], *, now_s: float) -> int:
    deployments = {name + _DEPLOYMENT for name in revisions}
    return sum(
        int(each.get("count") or 1)
        for each in happenings
        if (found := _FROM_ZERO.fullmatch(each.get("message", "")))
        and found[1] in deployments
        and now_s - _last_s(each) <= HOUR_S
    )


def _errors(
    service: Service,
    standings: Iterable[Standing],
    happenings: Iterable[Object],
    revisions: Iterable[str],
    *,
    now_s: float,
) -> list[str]:
    """What is wrong now, then what went wrong in the last hour, each said once."""
    said = [service.reason] if service.ready is False else []
    for standing in standings:
        if standing.revision.ready is False:
            said.append(f"{standing.revision.name}: {standing.revision.reason}")
        said += [f"{pod.name}: {pod.trouble}" for pod in standing.pods if pod.trouble]
    names = tuple(f"{name}-" for name in revisions)
    told = {pod.name for standing in standings for pod in standing.pods if pod.trouble}
    warned = [
        each
        for each in happenings
        if each.get("type") == "Warning"
        and each["involvedObject"].get("kind") == "Pod"
        and each.get("reason") not in _NOT_OURS
        and each["involvedObject"].get("name", "").startswith(names)
        and each["involvedObject"]["name"] not in told
        and now_s - _last_s(each) <= HOUR_S
    ]
    for each in sorted(warned, key=_last_s, reverse=True):
        said.append(f"{each['involvedObject']['name']}: {each['reason']}: {each['message']}")
    return list(dict.fromkeys(said))[:ERRORS]


def _last_s(happening: Object) -> float:
    series: Mapping[str, Any] = happening.get("series") or {}
    for at in (
        series.get("lastObservedTime"),
        happening.get("lastTimestamp"),
        happening.get("eventTime"),
        happening["metadata"].get("creationTimestamp"),
    ):
        if at:
            return seconds(at)
    return 0.0
