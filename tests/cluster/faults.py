"""What goes wrong on a cluster, each as one call that returns when it has been done."""

from __future__ import annotations

import json
import random
import subprocess
from collections.abc import Callable, Mapping
from typing import Final

from tests.cluster.installation import FUNCTION, Installation
from tests.cluster.kube import ROOT

Fault = Callable[[Installation, random.Random], str]


def function_killed(installation: Installation, choose: random.Random) -> str:
    """A pod of a function, at random, without a word."""
    names = sorted(installation.functions())
    if not names:
        return "no function to kill"
    name = choose.choice(names)
    installation.kube("delete", "pod", name, "--force", "--grace-period=0", "--ignore-not-found")
    return f"{name} killed"


def runtime_restarted(installation: Installation, choose: random.Random) -> str:
    """containerd; containers go on meanwhile."""
    subprocess.run(
        [ROOT / "infra/cluster/restart", "containerd"],
        check=True,
        capture_output=True,
        stdin=subprocess.DEVNULL,
        timeout=120,
    )
    return "containerd restarted"


def broker_killed(installation: Installation, choose: random.Random) -> str:
    """One of its parts, with every event that it held in memory."""
    part = choose.choice(["mt-broker-ingress", "mt-broker-filter", "imc-dispatcher"])
    return _killed(installation, "knative-eventing", part)


def activator_killed(installation: Installation, choose: random.Random) -> str:
    return _killed(installation, "knative-serving", "activator")


def redis_deleted(installation: Installation, choose: random.Random) -> str:
    """With all that it knew."""
    selector = "app.kubernetes.io/name=redis"
    installation.kube("delete", "pod", "--selector", selector, "--force", "--grace-period=0")
    return "Redis deleted"


def scaled_down(installation: Installation, choose: random.Random) -> str:
    """As the autoscaler does it: Kubernetes picks the victims, busy or not."""
    found = installation.kube.get("deployments", "--selector", f"{FUNCTION}=encoder")["items"]
    for name in (each["metadata"]["name"] for each in found if each["spec"]["replicas"]):
        installation.kube("scale", f"deployment/{name}", "--replicas=0")
    return "encoders scaled down"


def revised(installation: Installation, choose: random.Random) -> str:
    """A new revision of some function."""
    function = choose.choice(["ingest", "chunker", "encoder", "assembler"])
    mark = {"kinora.dev/revised": str(choose.random())}
    patch = {"spec": {"template": {"metadata": {"annotations": mark}}}}
    installation.kube("patch", "ksvc", function, "--type=merge", "--patch", json.dumps(patch))
    return f"{function} revised"


def _killed(installation: Installation, namespace: str, app: str) -> str:
    there = installation.kube.within(namespace)
    labels = ("app", "messaging.knative.dev/role", "eventing.knative.dev/brokerRole")
    for label in labels:
        value = {"imc-dispatcher": "dispatcher"}.get(app, app) if label != "app" else app
        value = value.removeprefix("mt-broker-") if label.endswith("brokerRole") else value
        for pod in there.pods(f"{label}={value}"):
            name = pod["metadata"]["name"]
            there("delete", "pod", name, "--force", "--grace-period=0", "--ignore-not-found")
            return f"{name} killed"
    raise AssertionError(f"{namespace} has no {app}")


FAULTS: Final[Mapping[str, Fault]] = {
    "function": function_killed,
    "runtime": runtime_restarted,
    "broker": broker_killed,
    "activator": activator_killed,
    "redis": redis_deleted,
    "scale-down": scaled_down,
    "revision": revised,
}
