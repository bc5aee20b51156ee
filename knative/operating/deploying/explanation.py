"""Why an object is not ready: what it says, what happened to its pods, what they wrote last."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from knative.operating import kinds
from knative.operating.cluster import Cluster
from knative.operating.pod import FUNCTION, Pod

Object = dict[str, Any]
_LINES: Final = 8
_HAPPENINGS: Final = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    pods: tuple[str, ...]
    """What is wrong with each of its pods: `<pod>: <trouble>`."""
    happenings: tuple[str, ...]
    """What Kubernetes warned of, the newest last."""
    log: tuple[str, ...]
    """The last lines of a pod that is in trouble."""
    log_of: str

    def as_json(self) -> dict[str, object]:
        return {
            "pods": list(self.pods),
            "happenings": list(self.happenings),
            "log_of": self.log_of,
            "log": list(self.log),
        }


def explain(cluster: Cluster, found: Object) -> Explanation:
    """Raises Unavailable, Refused."""
    namespace, name = found["metadata"].get("namespace", ""), found["metadata"]["name"]
    selector = _pods_of(found)
    objects = cluster.list(kinds.POD, namespace, labels=selector) if selector else []
    pods = [Pod.of(each) for each in objects]
    names = {name, *(pod.name for pod in pods), *(pod.revision for pod in pods)}
    warned = [
        each
        for each in cluster.list(kinds.HAPPENING, namespace, fields="type=Warning")
        if each["involvedObject"].get("name") in names
    ]
    log_of, lines = _log(cluster, namespace, objects)
    return Explanation(
        pods=tuple(f"{pod.name}: {pod.trouble}" for pod in pods if pod.trouble),
        happenings=tuple(_told(warned))[-_HAPPENINGS:],
        log=tuple(lines),
        log_of=log_of,
    )


def _pods_of(found: Object) -> str:
    """The selector of the pods that an object starts, "" for an object that starts none."""
    kind, group = found["kind"], found["apiVersion"].rpartition("/")[0]
    name = found["metadata"]["name"]
    if (kind, group) == ("Service", "serving.knative.dev"):
        latest = (found.get("status") or {}).get("latestCreatedRevisionName")
        label = "serving.knative.dev/"
        return f"{label}revision={latest}" if latest else f"{label}service={name}"
    if kind == "Job":
        return f"batch.kubernetes.io/job-name={name}"
    if kind in ("Deployment", "StatefulSet", "DaemonSet"):
        chosen = found["spec"].get("selector", {}).get("matchLabels", {})
        return ",".join(f"{label}={value}" for label, value in chosen.items())
    return ""


def _told(warned: Sequence[Object]) -> Iterator[str]:
    at = sorted(warned, key=lambda each: each.get("lastTimestamp") or "")
    said = (f"{each['involvedObject']['name']}: {each['reason']}: {each['message']}" for each in at)
    return iter(dict.fromkeys(said))


def _log(cluster: Cluster, namespace: str, pods: Sequence[Object]) -> tuple[str, list[str]]:
    """Of the newest pod's own container: of its run before, where that one died."""
    for pod in sorted(pods, key=lambda each: each["metadata"]["creationTimestamp"], reverse=True):
        containers = [each["name"] for each in pod["spec"]["containers"]]
        container = FUNCTION if FUNCTION in containers else containers[0]
        for previous in (False, True):
            text = cluster.log(
                namespace, pod["metadata"]["name"], container, previous=previous, lines=_LINES
            )
            if text.strip():
                return pod["metadata"]["name"], text.rstrip().splitlines()
    return "", []
