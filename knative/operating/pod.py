"""A pod of a function as a value: how far it is, how long its start took, what went wrong."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal

from knative.operating.revision import REVISION, SERVICE, Object

State = Literal["pending", "starting", "ready", "terminating", "ended"]

FUNCTION: Final = "function"
"""The name of the container that is ours, beside Knative's queue-proxy."""

_BY_DESIGN: Final = ("", "Completed", "ContainerCreating", "PodInitializing")


@dataclass(frozen=True, slots=True, kw_only=True)
class Pod:
    name: str
    function: str
    revision: str
    node: str
    """"" while it has none."""
    state: State
    created_s: float
    started_in_s: float | None
    """From its creation to ready, None before that."""
    restarts: int
    trouble: str
    """Why it waits or what its containers last died of; "" where nothing is wrong."""

    @classmethod
    def of(cls, found: Object) -> Pod:
        metadata, status = found["metadata"], found.get("status", {})
        labels = metadata.get("labels", {})
        created_s = seconds(metadata["creationTimestamp"])
        ready_s = _since(found, "Ready")
        containers = list(status.get("containerStatuses", ()))
        return cls(
            name=metadata["name"],
            function=labels.get(SERVICE, ""),
            revision=labels.get(REVISION, ""),
            node=found["spec"].get("nodeName", ""),
            state=_state(found, ready=ready_s is not None),
            created_s=created_s,
            started_in_s=None if ready_s is None else max(0.0, ready_s - created_s),
            restarts=sum(int(each.get("restartCount", 0)) for each in containers),
            trouble=next(_troubles(found, containers), ""),
        )


def seconds(timestamp: str) -> float:
    """POSIX time of what the API server writes."""
    return datetime.fromisoformat(timestamp.replace("Z", "+00:00")).timestamp()


def of_function(found: Iterable[Object]) -> list[Pod]:
    """The pods that are a function's, the oldest first."""
    pods = [Pod.of(each) for each in found if SERVICE in each["metadata"].get("labels", {})]
    return sorted(pods, key=lambda pod: (pod.created_s, pod.name))


def _state(found: Object, *, ready: bool) -> State:
    if found.get("status", {}).get("phase") in ("Succeeded", "Failed"):
        return "ended"
    if found["metadata"].get("deletionTimestamp"):
        return "terminating"
    if not found["spec"].get("nodeName"):
        return "pending"
    return "ready" if ready else "starting"


def _since(found: Object, kind: str) -> float | None:
    for each in found.get("status", {}).get("conditions", ()):
        if each["type"] == kind and each["status"] == "True":
            return seconds(each["lastTransitionTime"])
    return None


def _troubles(found: Object, containers: list[Any]) -> Iterator[str]:
    """The one nearest to the cause first."""
    status = found.get("status", {})
    for each in status.get("conditions", ()):
        if each["type"] == "PodScheduled" and each["status"] == "False":
            yield _said(each)
    for container in sorted(containers, key=lambda each: each["name"] != FUNCTION):
        waiting = container.get("state", {}).get("waiting") or {}
        died = container.get("lastState", {}).get("terminated") or {}
        now = container.get("state", {}).get("terminated") or {}
        for end in (now, died):
            if end and (end.get("exitCode") or end.get("reason") not in _BY_DESIGN):
                code = f"exit code {end.get('exitCode')}"
                yield f"{container['name']}: {end.get('reason') or 'ended'}, {code}"
        if waiting.get("reason", "") not in _BY_DESIGN:
            yield f"{container['name']}: {_said(waiting)}"
    if status.get("reason"):
        yield _said(status)


def _said(told: Object) -> str:
    return ": ".join(filter(None, (told.get("reason"), told.get("message"))))
