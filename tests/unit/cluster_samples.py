"""Objects as an API server writes them, for tests of what is made of them."""

from __future__ import annotations

import io
from collections.abc import Iterable
from typing import Any

from rich.console import Console

NOW = "2026-03-01T12:00:00Z"
NOW_S = 1772366400.0


def service(
    name: str = "encoder",
    *,
    created: str = "",
    traffic: list[dict[str, Any]] | None = None,
    asked: list[dict[str, Any]] | None = None,
    annotations: dict[str, str] | None = None,
    template: dict[str, str] | None = None,
    env: dict[str, str] | None = None,
    ready: str = "True",
) -> dict[str, Any]:
    first = f"{name}-00001"
    spec: dict[str, Any] = {
        "template": {
            "metadata": {"annotations": template or {}},
            "spec": {
                "containerConcurrency": 1,
                "containers": [
                    {
                        "name": "function",
                        "image": "dev.local/kinora-media:one",
                        "env": [
                            {"name": key, "value": value} for key, value in (env or {}).items()
                        ],
                    }
                ],
            },
        }
    }
    if asked is not None:
        spec["traffic"] = asked
    return {
        "metadata": {
            "name": name,
            "generation": 3,
            "resourceVersion": "77",
            "annotations": annotations or {},
        },
        "spec": spec,
        "status": {
            "observedGeneration": 3,
            "latestCreatedRevisionName": created or first,
            "latestReadyRevisionName": first,
            "traffic": traffic or [{"revisionName": first, "percent": 100, "latestRevision": True}],
            "conditions": [{"type": "Ready", "status": ready, "reason": "", "message": ""}],
        },
    }


def revision(
    number: int, *, of: str = "encoder", ready: str = "True", reason: str = "", message: str = ""
) -> dict[str, Any]:
    return {
        "metadata": {
            "name": f"{of}-{number:05d}",
            "labels": {
                "serving.knative.dev/service": of,
                "serving.knative.dev/configurationGeneration": str(number),
            },
        },
        "spec": {"containers": [{"image": f"dev.local/kinora-media:{number}"}]},
        "status": {
            "conditions": [{"type": "Ready", "status": ready, "reason": reason, "message": message}]
        },
    }


def pod(
    name: str,
    *,
    revision: str = "encoder-00001",
    node: str = "one",
    ready: bool = True,
    ends: bool = False,
    container: dict[str, Any] | None = None,
    unschedulable: str = "",
    gpus: int = 0,
) -> dict[str, Any]:
    conditions = [
        {
            "type": "Ready",
            "status": str(ready),
            "lastTransitionTime": "2026-03-01T11:59:02Z",
        }
    ]
    if unschedulable:
        conditions.append(
            {
                "type": "PodScheduled",
                "status": "False",
                "reason": "Unschedulable",
                "message": unschedulable,
                "lastTransitionTime": NOW,
            }
        )
    metadata: dict[str, Any] = {
        "name": name,
        "creationTimestamp": "2026-03-01T11:59:00Z",
        "labels": {
            "serving.knative.dev/service": revision.rpartition("-")[0],
            "serving.knative.dev/revision": revision,
        },
    }
    if ends:
        metadata["deletionTimestamp"] = NOW
    resources = {"limits": {"nvidia.com/gpu": str(gpus)}} if gpus else {}
    return {
        "metadata": metadata,
        "spec": {
            "nodeName": node,
            "containers": [{"name": "function", "resources": resources}],
        },
        "status": {
            "phase": "Running" if node else "Pending",
            "conditions": conditions,
            "containerStatuses": [{"name": "function", "restartCount": 0, **(container or {})}],
        },
    }


def happening(name: str, reason: str, message: str, *, at: str = NOW, warns: bool = False) -> Any:
    return {
        "metadata": {"creationTimestamp": at},
        "type": "Warning" if warns else "Normal",
        "reason": reason,
        "message": message,
        "lastTimestamp": at,
        "involvedObject": {"kind": "Pod" if warns else "Deployment", "name": name},
    }


def node(
    name: str,
    gpus: int,
    *,
    labels: dict[str, str] | None = None,
    taints: list[dict[str, str]] | None = None,
    ready: str = "True",
) -> dict[str, Any]:
    return {
        "metadata": {"name": name, "labels": labels or {}},
        "spec": {"taints": taints or []},
        "status": {
            "allocatable": {"cpu": "2", "nvidia.com/gpu": str(gpus)},
            "conditions": [{"type": "Ready", "status": ready}],
        },
    }


def printed(things: Iterable[Any]) -> str:
    """What people see of what a command shows, on a wide terminal."""
    to = io.StringIO()
    console = Console(width=200, file=to)
    for each in things:
        console.print(each)
    return to.getvalue()
