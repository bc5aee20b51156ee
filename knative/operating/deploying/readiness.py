"""Whether an object is ready, and in whose words it is not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

Object = Mapping[str, Any]
State = Literal["ready", "waiting", "failed"]


@dataclass(frozen=True, slots=True)
class Readiness:
    state: State
    """`failed`: it will not become ready without a change."""
    why: str = ""
    """What it waits for, or what is wrong."""


_READY: Final = Readiness("ready")
_CONDITIONS: Final = {
    "CustomResourceDefinition": "Established",
    "Job": "Complete",
    "Deployment": "Available",
}
"""Of kinds whose word for it is not `Ready`."""
_KNATIVE: Final = ("knative.dev", "keda.sh", "cert-manager.io")
"""Groups whose objects have conditions, though a new one may have none yet."""


def of(found: Object | None) -> Readiness:
    """Of an object as the API server has it, None where it is not there."""
    if found is None:
        return Readiness("waiting", "it is not there")
    status, kind = found.get("status") or {}, found["kind"]
    group = found["apiVersion"].rpartition("/")[0]
    if kind == "Namespace" and status.get("phase") == "Terminating":
        return Readiness("waiting", "the namespace of that name is still being deleted")
    if kind in ("Deployment", "StatefulSet") and group == "apps":
        return _rolled_out(found)
    wanted = _CONDITIONS.get(kind, "Ready")
    conditions = {each["type"]: each for each in status.get("conditions", ())}
    if kind == "Job" and _is(conditions.get("Failed"), "True"):
        return Readiness("failed", _words(conditions["Failed"]))
    if wanted not in conditions:
        speaks = group.endswith(_KNATIVE) or kind in _CONDITIONS
        return Readiness("waiting", "it was not looked at yet") if speaks else _READY
    if status.get("observedGeneration", 0) < found["metadata"].get("generation", 0) and (
        "observedGeneration" in status
    ):
        return Readiness("waiting", "its change was not looked at yet")
    if _is(conditions[wanted], "True"):
        return _READY
    return Readiness("waiting", _words(conditions[wanted]))


def is_given_up(found: Object) -> bool:
    """Whether Knative holds a Service's newest revision for failed. It may still come."""
    if found["kind"] != "Service" or not found["apiVersion"].startswith("serving.knative.dev/"):
        return False
    conditions = (found.get("status") or {}).get("conditions", ())
    return any(
        each["type"] == "ConfigurationsReady" and each["status"] == "False" for each in conditions
    )


def _rolled_out(found: Object) -> Readiness:
    spec, status = found.get("spec") or {}, found.get("status") or {}
    wanted = spec.get("replicas", 1)
    # Knative starts its source of ticks when the first PingSource is made, and ends it again.
    if status.get("observedGeneration", 0) < found["metadata"].get("generation", 0):
        return Readiness("waiting", "its change was not looked at yet")
    for what in ("updatedReplicas", "readyReplicas"):
        if status.get(what, 0) < wanted:
            return Readiness("waiting", f"{status.get(what, 0)} of {wanted} pods are ready")
    return _READY


def _is(condition: Object | None, status: str) -> bool:
    return condition is not None and condition.get("status") == status


def _words(condition: Object) -> str:
    return ": ".join(filter(None, (condition.get("reason"), condition.get("message"))))
