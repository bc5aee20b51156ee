"""Encoders that pull, started by KEDA, which `make cluster-test-keda` brings into the cluster."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import pytest

from functions.jobs import layout
from tests.cluster.conftest import OVERLAY
from tests.cluster.installation import FUNCTION, JOB_S, Installation
from tests.e2e.command import until

pytestmark = pytest.mark.cluster

PULLING: Final = Path(__file__).with_name("pull")
STARTED_BY: Final = "scaledjob.keda.sh/name=encoder"
PUSHED: Final = ("ksvc/encoder", "trigger/encoder-task-ready-v1")
"""What the component takes away, which no apply does."""


@pytest.fixture
def pulling(installation: Installation) -> Iterator[Installation]:
    """The same installation with components/keda-encoder, for one test."""
    try:
        installation.kube("get", "crd", "scaledjobs.keda.sh")
    except subprocess.CalledProcessError:
        pytest.skip("KEDA is not in the cluster; `make cluster-test-keda` brings it")
    try:
        installation.deploy(PULLING)
        installation.kube("delete", *PUSHED, "--ignore-not-found", "--wait=true")
        installation.kube("wait", "scaledjob/encoder", "--for=condition=ready", "--timeout=60s")
        yield installation
    finally:
        with suppress(subprocess.CalledProcessError):
            installation.kube("delete", "scaledjob/encoder", "--ignore-not-found", "--wait=true")
        installation.deploy(OVERLAY)


def test_what_waits_starts_encoders_that_pull_it_and_the_job_completes(
    pulling: Installation, clip: Path, figures: list[str]
) -> None:
    dropped = pulling.drop(clip, "pulled.mp4")
    job = pulling.ended([dropped], within_s=2 * JOB_S)[dropped]
    pulling.assert_exact(job, clip)
    manifest: Any = pulling.record(layout.manifest(job))
    pods = {pod["metadata"]["name"] for pod in pulling.kube.pods(STARTED_BY)}
    tasks = pulling.report(job)["tasks"]
    assert {task["worker"].rpartition("-")[0] for task in tasks} <= pods
    assert pulling.kube.pods(f"{FUNCTION}=encoder") == []
    first_s = min(task["started_s"] for task in tasks) - manifest["accepted_s"]
    figures.append(
        f"pull mode: {len(tasks)} tasks by {len(pods)} pods, the first begun {first_s:.1f} s "
        "after the job was accepted"
    )
    until(
        "pods without work go",
        lambda: all(_ended(pod) for pod in pulling.kube.pods(STARTED_BY)),
        within_s=90,
        every_s=1,
    )


def _ended(pod: Any) -> bool:
    return pod["status"]["phase"] in ("Succeeded", "Failed")
