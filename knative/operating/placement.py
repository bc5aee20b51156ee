"""Whether a pod may go to a node, by Kubernetes' rules of labels and taints. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

Object = Mapping[str, Any]

GPU: Final = "nvidia.com/gpu"
"""The resource that a node with GPUs advertises and a pod asks for."""


def lacking(pod: Object, node: Object) -> dict[str, str]:
    """The labels that the pod selects nodes by and this one has not so."""
    labels = node["metadata"].get("labels", {})
    selector = pod.get("nodeSelector", {})
    return {name: value for name, value in selector.items() if labels.get(name) != value}


def unborne(pod: Object, node: Object) -> Iterator[Object]:
    """The node's taints that keep the pod away."""
    tolerations = pod.get("tolerations", ())
    for taint in (node.get("spec") or {}).get("taints", ()):
        if taint.get("effect") == "PreferNoSchedule":
            continue
        if not any(_bears(each, taint) for each in tolerations):
            yield taint


def is_cordoned(node: Object) -> bool:
    """True where nothing new may go."""
    return bool((node.get("spec") or {}).get("unschedulable"))


def _bears(toleration: Object, taint: Object) -> bool:
    """An empty effect is every effect; `Exists` without a key is every taint."""
    if toleration.get("effect", "") not in ("", taint.get("effect")):
        return False
    if toleration.get("operator") == "Exists":
        return toleration.get("key", "") in ("", taint["key"])
    same = toleration.get("value", "") == taint.get("value", "")
    return same and bool(toleration.get("key") == taint["key"])
