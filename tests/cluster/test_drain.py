"""A task longer than Knative's drain of 30 s ends where it began, though its pod is asked to go."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from functions.jobs import layout
from tests.cluster import clips
from tests.cluster.installation import FUNCTION, JOB_S, NAMESPACE, Installation
from tests.cluster.podlogs import following
from tests.cluster.podwatch import watching
from tests.e2e.command import until

pytestmark = pytest.mark.cluster

DRAIN_S = 30.0


@pytest.fixture(scope="module")
def toil(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three quarters of a minute of one core, or more, in one chunk."""
    return clips.heavy(tmp_path_factory.mktemp("toil") / "toil.mp4", seconds=8)


def test_a_task_longer_than_the_drain_survives_scale_down_and_a_new_revision(
    installation: Installation, toil: Path, figures: list[str]
) -> None:
    installation.quiet()
    with following(NAMESPACE) as logs, watching(installation.kube) as pods:
        dropped = installation.drop(
            toil, "toil.mp4", options={"profile": "toil", "chunk-segments": "1000"}
        )
        until("it encodes", lambda: _is_encoding(installation, dropped), every_s=0.3)
        working = pods.of("encoder")
        # Of the revision that works; the next one is let come up.
        found = installation.kube.get("deployments", "--selector", f"{FUNCTION}=encoder")["items"]
        installation.revise("encoder")
        names = [f"deployment/{each['metadata']['name']}" for each in found]

        def leaving() -> bool:
            # The autoscaler takes it back, at times before anybody has acted on it.
            installation.kube("scale", *names, "--replicas=0")
            return all(pod.leaving_s for pod in working)

        until("its pod is asked to go", leaving, within_s=20, every_s=0.5)
        job = installation.ended([dropped], within_s=3 * JOB_S)[dropped]
        # Pods are watched by a clock that never jumps, tasks end by the one of the day.
        day_s = time.time() - time.monotonic()
    installation.assert_exact(job, toil, frames_of=False)
    (task,) = (each for each in installation.report(job)["tasks"] if each["kind"] == "video")
    encoded = [line for line in logs.of("encoder-") if line.record.get("task") == task["id"]]
    (end,) = (line for line in encoded if line.record["message"] == "encoded")
    assert end.pod in {pod.name for pod in working}
    asked_s = pods.pods[end.pod].leaving_s
    took_s = task["finished_s"] - task["started_s"]
    beyond_s = task["finished_s"] - (asked_s + day_s)
    assert beyond_s > DRAIN_S, f"the task ended {beyond_s:.0f} s after its pod was asked to go"
    figures.append(
        f"drain: a task of {took_s:.0f} s ended {beyond_s:.0f} s after its pod was asked to go"
    )


def _is_encoding(installation: Installation, dropped: str) -> bool:
    """True once somebody has a lease on the task with the pictures."""
    job = installation.job_of(dropped)
    plan: Any = installation.record(layout.plan(job, 1)) if job else None
    if not plan:
        return False
    (task,) = (each["id"] for each in plan["tasks"] if each["kind"] == "video")
    with installation.redis as state:
        keys: Any = state.keys("*:leases")
        leases: Any = state.zrange(keys[0], 0, -1) if keys else []
    return any(job in lease and task in lease for lease in leases)
