"""A job that asks for a GPU, on a node that has one and on a cluster that has none.

The device is the scheduler's alone: the node says that it has it, and no driver is there.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import httpx2
import pytest

from tests.cluster.installation import FUNCTION, JOB_S, NAMESPACE, Installation
from tests.cluster.kube import Kube
from tests.cluster.podwatch import watching
from tests.e2e.command import until

pytestmark = pytest.mark.cluster

GPU: Final = "nvidia.com/gpu"
TAINT: Final = f"{GPU}=present:NoSchedule"
PRESENT: Final = f"{GPU}.present"
SERVICE: Final = "encoder-gpu"
PLAIN: Final = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "plain"},
    "spec": {
        "containers": [
            {"name": "plain", "image": "dev.local/kinora-lean:dev", "command": ["sleep", "60"]}
        ]
    },
}


@contextmanager
def with_gpu(installation: Installation) -> Iterator[None]:
    """The node has one GPU and the label that goes with it."""
    kube, node = installation.kube, _node(installation)
    try:
        kube("label", "node", node, f"{PRESENT}=true", "--overwrite")
        _advertise(installation, node, "1")
        yield
    finally:
        _advertise(installation, node, None)
        kube("label", "node", node, f"{PRESENT}-")


@contextmanager
def tainted(installation: Installation) -> Iterator[None]:
    """Nothing new lands on the node that does not tolerate it."""
    kube, node = installation.kube, _node(installation)
    try:
        kube("taint", "node", node, TAINT, "--overwrite")
        yield
    finally:
        kube("taint", "node", node, f"{GPU}-")


def _node(installation: Installation) -> str:
    (node,) = installation.kube.get("nodes")["items"]
    return str(node["metadata"]["name"])


def _advertise(installation: Installation, node: str, count: str | None) -> None:
    amounts = {GPU: count}
    patch = json.dumps({"status": {"capacity": amounts, "allocatable": amounts}})
    installation.kube(
        "patch", "node", node, "--subresource=status", "--type=merge", "--patch", patch
    )


def test_on_a_tainted_node_the_gpu_encoder_runs_and_other_pods_wait(
    installation: Installation,
) -> None:
    kube, elsewhere = installation.kube, installation.kube.within("default")
    # A pod that a last tick asks for would wait with the plain one, and the tick for it.
    with installation.without_sweeps(), with_gpu(installation), tainted(installation):
        installation.quiet()
        elsewhere("apply", "--filename", "-", stdin=json.dumps(PLAIN))
        try:
            until("the plain pod waits", lambda: _unschedulable(elsewhere, "plain"), every_s=0.3)
            within = kube.within("kourier-system").address("kourier-internal")
            # From zero: answered by the pod that was started for it.
            answer = httpx2.get(
                f"http://{within}/health/ready",
                headers={"host": f"{SERVICE}.{NAMESPACE}.svc.cluster.local"},
                timeout=90,
                trust_env=False,
            )
            assert answer.status_code == 200, answer.text
            (pod,) = installation.pods_of(SERVICE)
            assert pod["spec"]["nodeName"] == _node(installation)
            assert pod["spec"]["runtimeClassName"] == "nvidia"
            assert _unschedulable(elsewhere, "plain")
        finally:
            elsewhere("delete", "pod", "plain", "--now", "--ignore-not-found")


def _unschedulable(kube: Kube, name: str) -> bool:
    conditions: list[Any] = kube.get("pod", name)["status"].get("conditions", [])
    return any(each.get("reason") == "Unschedulable" for each in conditions)


def test_what_a_worker_without_a_working_gpu_refuses_the_cpu_does(
    installation: Installation, short: Path
) -> None:
    # A pod that is asked to go keeps its GPU until it has gone.
    chosen = ("--selector", f"{FUNCTION}={SERVICE}")
    until("the GPU is free", lambda: not installation.kube.get("pods", *chosen)["items"])
    with with_gpu(installation), watching(installation.kube) as pods:
        job = _encoded(installation, short, "refused.mp4")
        assert pods.of(SERVICE), "no encoder with a GPU had a pod"
    _assert_says_why(installation, job, short, "has none that works")


def test_what_no_gpu_takes_within_its_deadline_the_cpu_does(
    installation: Installation, short: Path
) -> None:
    job = _encoded(installation, short, "deserted.mp4")
    _assert_says_why(installation, job, short, "nobody with one took")
    # What waits for a GPU still waits; whoever gets one finds the job done, and goes.
    with with_gpu(installation):
        until("nobody waits", lambda: not installation.pods_of(SERVICE), every_s=0.5)


def _encoded(installation: Installation, source: Path, name: str) -> str:
    options = {"accelerator": "gpu", "chunk-segments": "1"}
    dropped = installation.drop(source, name, options=options)
    return installation.ended([dropped], within_s=JOB_S)[dropped]


def _assert_says_why(installation: Installation, job: str, source: Path, why: str) -> None:
    installation.assert_exact(job, source)
    report = installation.report(job)
    assert report["generation"] == 2
    assert [note for note in report["notes"] if why in note], report["notes"]
