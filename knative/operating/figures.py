"""Reading the figures of a cluster: objects from its API server, metrics through it.

Metrics are asked of pods by the API server's own proxy, so that nothing else need be reachable.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from eventing.errors import Unavailable
from knative.operating import kinds, load, pod, standing
from knative.operating.cluster import Cluster
from knative.operating.exposition import Sample, parse
from knative.operating.load import Answers, Load
from knative.operating.pod import Pod
from knative.operating.revision import Revision, Service
from knative.operating.standing import FunctionState

SERVING: Final = "knative-serving"
_COMPONENT_PORT: Final = 9090
_QUEUE_PROXY_PORT: Final = 9091
_PATIENCE_S: Final = 5.0


@dataclass(frozen=True, slots=True)
class Figures:
    """All functions at one moment."""

    functions: tuple[FunctionState, ...]
    unmeasured: tuple[str, ...]
    """Components of Knative that expose no metrics."""


def read(cluster: Cluster, namespace: str, *, now_s: float, function: str = "") -> Figures:
    """Every function of the installation, by name, or the one. Raises Unavailable, Refused."""
    services = [
        found
        for each in cluster.list(kinds.SERVICE, namespace)
        if function in ("", (found := Service.of(each)).name)
    ]
    revisions = [Revision.of(each) for each in cluster.list(kinds.REVISION, namespace)]
    pods = pod.of_function(cluster.list(kinds.POD, namespace))
    happenings = cluster.list(kinds.HAPPENING, namespace)
    activators = list(component(cluster, "activator"))
    autoscaler = list(component(cluster, "autoscaler"))
    loads: dict[str, Load] = {
        each.name: load.of(
            each.name, namespace=namespace, activators=activators, autoscaler=autoscaler
        )
        for each in revisions
    }
    silent = [
        name
        for name, samples in (("activator", activators), ("autoscaler", autoscaler))
        if not samples
    ]
    return Figures(
        functions=tuple(
            standing.of(service, revisions, pods, happenings, loads, now_s=now_s)
            for service in sorted(services, key=lambda found: found.name)
        ),
        unmeasured=tuple(silent),
    )


def component(cluster: Cluster, name: str) -> Iterator[Sample]:
    """What every pod of a component of Knative Serving exposes; nothing where it exposes none."""
    for found in cluster.list(kinds.POD, SERVING, labels=f"app={name}"):
        text = _metrics(cluster, SERVING, found["metadata"]["name"], _COMPONENT_PORT)
        yield from parse(text or "")


def answers(cluster: Cluster, namespace: str, pods: Iterable[Pod]) -> dict[str, Answers]:
    """What each of these pods answered since its start, as far as they can be asked."""
    found: dict[str, Answers] = {}
    for each in pods:
        if each.state not in ("ready", "terminating"):
            continue
        text = _metrics(cluster, namespace, each.name, _QUEUE_PROXY_PORT)
        if text is not None:
            found[each.name] = load.of_pod(parse(text))
    return found


def _metrics(cluster: Cluster, namespace: str, pod: str, port: int) -> str | None:
    """None for a pod that does not answer: one that ends may be gone, the cluster is not."""
    try:
        return cluster.fetch(namespace, pod, port, "/metrics", timeout_s=_PATIENCE_S)
    except Unavailable:
        return None
