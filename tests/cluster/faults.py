"""What goes wrong on a cluster, each as one call that returns when it has been done."""

from __future__ import annotations

import random
import subprocess
from collections.abc import Callable, Mapping
from typing import Final

from tests.cluster.installation import FUNCTION, Installation
from tests.cluster.kube import ROOT, Kube
from tests.e2e.command import until

Fault = Callable[[Installation, random.Random], str]
BROKER: Final = (
    "eventing.knative.dev/brokerRole=ingress",
    "eventing.knative.dev/brokerRole=filter",
    "messaging.knative.dev/role=dispatcher",
)
"""Pods that events are in, one after the other."""


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
    return _killed(installation.kube.within("knative-eventing"), choose.choice(BROKER))


def activator_killed(installation: Installation, choose: random.Random) -> str:
    return _killed(installation.kube.within("knative-serving"), "app=activator")


def redis_deleted(installation: Installation, choose: random.Random) -> str:
    """With all that it knew."""
    return _killed(installation.kube, "app=redis")


def scaled_down(installation: Installation, choose: random.Random) -> str:
    """During an encode, as the autoscaler does it: Kubernetes picks the victims, busy or not."""
    until("an encoder is there", lambda: bool(_encoders(installation)), within_s=60, every_s=0.2)
    for name in _encoders(installation):
        installation.kube("scale", f"deployment/{name}", "--replicas=0")
    return "encoders scaled down"


def _encoders(installation: Installation) -> list[str]:
    """Deployments that have a pod which takes tasks."""
    found = installation.kube.get("deployments", "--selector", f"{FUNCTION}=encoder")["items"]
    return [each["metadata"]["name"] for each in found if each["status"].get("readyReplicas")]


def revised(installation: Installation, choose: random.Random) -> str:
    """A new revision of some function."""
    function = choose.choice(["ingest", "chunker", "encoder", "assembler"])
    installation.revise(function)
    return f"{function} revised"


def _killed(kube: Kube, selector: str) -> str:
    """A selector that selects nobody is no fault: kubectl would delete nothing, and be content."""
    pods = [pod["metadata"]["name"] for pod in kube.pods(selector)]
    assert pods, f"{kube.namespace} has no pod of {selector}"
    kube("delete", "pod", pods[0], "--force", "--grace-period=0", "--ignore-not-found")
    return f"{pods[0]} killed"


FAULTS: Final[Mapping[str, Fault]] = {
    "function": function_killed,
    "runtime": runtime_restarted,
    "broker": broker_killed,
    "activator": activator_killed,
    "redis": redis_deleted,
    "scale-down": scaled_down,
    "revision": revised,
}
