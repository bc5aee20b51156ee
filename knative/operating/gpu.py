"""GPUs of a cluster: which nodes have them, who uses them, who waits, and why. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from knative.operating import placement
from knative.operating.placement import GPU
from knative.operating.pod import Pod
from knative.operating.quantity import quantity
from knative.operating.revision import SCALE, Object, Service
from knative.operating.scaling import bounds_of

ENCODER: Final = "encoder-gpu"
COMPONENT: Final = "knative/components/gpu-encoder"
_MEANWHILE: Final = "Without one they are done on CPU after KINORA_GPU_DEADLINE_S."


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """One that advertises GPUs."""

    name: str
    allocatable: int
    used: int
    """Asked for by pods on it that have not ended."""
    ready: bool
    taints: tuple[str, ...]
    """As `key=value:Effect`."""
    suits: bool
    """True where the encoder's selector matches its labels and its tolerations bear its taints."""
    why: str
    """Why it does not suit."""

    @property
    def free(self) -> int:
        return max(0, self.allocatable - self.used) if self.ready and self.suits else 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """A job with tasks for a GPU that are not done, as its records say."""

    job: str
    tenant: str
    tasks: int
    since_s: float
    """When they were planned."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Capacity:
    nodes: tuple[Node, ...]
    encoder: str
    """`0 to 2 pods`, "" where there is no such function."""
    most: int
    """Pods at most, 0 without limit."""
    pods: tuple[Pod, ...]

    @property
    def allocatable(self) -> int:
        return sum(node.allocatable for node in self.nodes if node.ready and node.suits)

    @property
    def free(self) -> int:
        return sum(node.free for node in self.nodes)


def capacity(nodes: Iterable[Object], pods: Sequence[Object], service: Service | None) -> Capacity:
    """`pods` are those of all namespaces."""
    used: dict[str, int] = {}
    for each in pods:
        if each.get("status", {}).get("phase") not in ("Succeeded", "Failed"):
            node = each["spec"].get("nodeName", "")
            used[node] = used.get(node, 0) + _asked(each["spec"])
    spec: Mapping[str, Any] = {} if service is None else service.template["spec"]
    return Capacity(
        nodes=tuple(
            _node(each, used, spec)
            for each in nodes
            if _amount(each.get("status", {}).get("allocatable", {}))
        ),
        encoder="" if service is None else bounds_of(service),
        most=0 if service is None else _most(service),
        pods=tuple(
            found
            for each in pods
            if (found := Pod.of(each)).function == ENCODER and found.state != "ended"
        ),
    )


def advice(found: Capacity, waiting: Sequence[Waiting]) -> list[str]:
    """What to do, in the order in which one would."""
    tasks = sum(each.tasks for each in waiting)
    told: list[str] = []
    if not found.encoder:
        if tasks:
            told.append(
                f"{tasks} tasks wait for a GPU and nothing takes them: add the component "
                f"{COMPONENT} to the overlay. {_MEANWHILE}"
            )
        return told or [f"No encoder for GPUs is installed; {COMPONENT} brings it."]
    if not found.nodes:
        told.append(
            f"No node advertises {GPU}: install the device plugin, or add a node with a GPU. "
            f"{_MEANWHILE}"
        )
    told += [f"Node {node.name}: {node.why}" for node in found.nodes if node.why]
    if found.nodes and found.most and found.most > found.allocatable:
        told.append(
            f"At most {found.most} pods may run but only {found.allocatable} GPUs suit: set "
            f"`kinora knative scale {ENCODER} --max {found.allocatable}`, or pods stay Pending."
        )
    stuck = [pod for pod in found.pods if pod.state == "pending"]
    told += [f"{pod.name} is Pending: {pod.trouble or 'nobody says why'}" for pod in stuck]
    if tasks and not stuck and found.free and found.most and len(found.pods) >= found.most:
        told.append(
            f"{found.free} GPUs are free, and as many pods run as may: "
            f"`kinora knative scale {ENCODER} --max {found.most + found.free}` uses them."
        )
    return told


def _node(found: Object, used: Mapping[str, int], spec: Mapping[str, Any]) -> Node:
    metadata, status = found["metadata"], found["status"]
    taints = list(found["spec"].get("taints", ()))
    ready = any(
        each["type"] == "Ready" and each["status"] == "True"
        for each in status.get("conditions", ())
    )
    why = _unsuitable(found, spec) if spec else ""
    if placement.is_cordoned(found):
        why = "it is cordoned: `kubectl uncordon` lets pods onto it"
    return Node(
        name=metadata["name"],
        allocatable=_amount(status["allocatable"]),
        used=used.get(metadata["name"], 0),
        ready=ready,
        taints=tuple(map(_written, taints)),
        suits=not why,
        why=why if ready else "it is not ready",
    )


def _unsuitable(node: Object, pod: Mapping[str, Any]) -> str:
    if lacking := placement.lacking(pod, node):
        labels = ", ".join(f"{name}={value}" for name, value in lacking.items())
        return f"it lacks the label {labels} that {ENCODER} selects nodes by"
    for taint in placement.unborne(pod, node):
        return f"{ENCODER} does not tolerate its taint {_written(taint)}"
    return ""


def _written(taint: Object) -> str:
    value = f"={taint['value']}" if taint.get("value") else ""
    return f"{taint['key']}{value}:{taint.get('effect', '')}"


def _asked(spec: Object) -> int:
    return sum(
        _amount(each.get("resources", {}).get("limits", {})) for each in spec.get("containers", ())
    )


def _amount(amounts: Mapping[str, Any]) -> int:
    return int(quantity(amounts.get(GPU, 0)))


def _most(service: Service) -> int:
    annotations = service.template.get("metadata", {}).get("annotations", {})
    return int(annotations.get(f"{SCALE}max-scale", 0))
