"""Running a command of `kinora` in the cluster, where the stores can be reached.

A Job with the gateway's image, which carries the command, and another function's own variables and
keys: it may do in the store what that function may, and nothing in the cluster.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from typing import Any, Final

from knative.operating import kinds
from knative.operating.cluster import Cluster
from knative.operating.pod import Pod
from knative.operating.revision import Service

GATEWAY: Final = "gateway"
CONTAINER: Final = "function"
LIMIT_S: Final = 300
"""After that it is ended."""
_KEPT_S: Final = 600
"""How long what it wrote can be looked at, where nobody removed it."""
_LOOK_S: Final = 0.5
_LOST: Final = "the Job was removed before it ended"


class NotRun(Exception):
    """It came to no end of its own; the text says why."""


def job(gateway: Service, lender: Service, arguments: Sequence[str]) -> dict[str, Any]:
    """The Job's manifest. Pure."""
    spec = gateway.template["spec"]
    image, lent = spec["containers"][0], lender.template["spec"]["containers"][0]
    kept = ("securityContext", "volumeMounts", "resources", "imagePullPolicy")
    container = {
        "name": CONTAINER,
        "image": image["image"],
        "command": ["python", "-m", "knative.cli.main", *arguments],
        "env": [*lent.get("env", ()), {"name": "HOME", "value": "/tmp"}],
        **{name: image[name] for name in kept if name in image},
    }
    if "envFrom" in lent:
        container["envFrom"] = lent["envFrom"]
    pod: dict[str, Any] = {
        "restartPolicy": "Never",
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "containers": [container],
    }
    for name in ("volumes", "imagePullSecrets", "tolerations", "nodeSelector"):
        if name in spec:
            pod[name] = spec[name]
    labels = {
        # What network policies let the lender reach, this reaches too.
        "app.kubernetes.io/component": lender.name,
        "app.kubernetes.io/part-of": "kinora",
    }
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"generateName": "kinora-command-", "labels": labels},
        "spec": {
            # It is run again by whoever asked, or not at all.
            "backoffLimit": 0,
            "activeDeadlineSeconds": LIMIT_S,
            "ttlSecondsAfterFinished": _KEPT_S,
            "template": {"metadata": {"labels": labels}, "spec": pod},
        },
    }


def run(cluster: Cluster, namespace: str, lender: str, arguments: Sequence[str]) -> str:
    """What the command wrote. Raises NotRun, Unavailable and Refused."""
    services = {
        name: Service.of(found)
        for name in (GATEWAY, lender)
        if (found := cluster.get(kinds.SERVICE, name, namespace)) is not None
    }
    for name in (GATEWAY, lender):
        if name not in services:
            raise NotRun(f"there is no function {name} in the namespace {namespace}")
    manifest = job(services[GATEWAY], services[lender], arguments)
    name = cluster.create(kinds.JOB, manifest, namespace)["metadata"]["name"]
    try:
        return _output(cluster, namespace, name)
    finally:
        cluster.delete(kinds.JOB, name, namespace)


def values(text: str) -> Iterator[Any]:
    """Every JSON value that begins a line: not what was written on standard error."""
    decoder, at = json.JSONDecoder(), 0
    while at < len(text):
        line = text.find("\n", at)
        after = len(text) if line < 0 else line + 1
        if text[at] in "{[":
            try:
                value, end = decoder.raw_decode(text, at)
            except ValueError:
                pass
            else:
                yield value
                after = max(after, text.find("\n", end) + 1) if "\n" in text[end:] else len(text)
        at = after


def _output(cluster: Cluster, namespace: str, name: str) -> str:
    until_s = time.monotonic() + LIMIT_S
    while True:
        found = cluster.get(kinds.JOB, name, namespace)
        if found is None:
            raise NotRun(_LOST)
        status = found.get("status", {})
        pods = cluster.list(kinds.POD, namespace, labels=f"batch.kubernetes.io/job-name={name}")
        ended = [each for each in pods if each["status"]["phase"] in ("Succeeded", "Failed")]
        if ended:
            return cluster.log(namespace, ended[-1]["metadata"]["name"], CONTAINER)
        if status.get("failed") or time.monotonic() > until_s:
            why = next((seen for each in pods if (seen := Pod.of(each).trouble)), "")
            raise NotRun(why or "it did not end in time")
        time.sleep(_LOOK_S)
