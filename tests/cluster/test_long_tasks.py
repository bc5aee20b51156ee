"""A task that is estimated above the limit runs as a Job, however the others run."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import pytest

from functions.jobs import layout
from tests.cluster.installation import Installation
from tests.e2e.command import until

pytestmark = pytest.mark.cluster

SINK: Final = "encoder-long"
LIMIT_S: Final = 1.0
"""Between the estimates of the clip's sound and of its pictures."""


def test_a_task_estimated_above_the_limit_runs_by_a_job_sink_and_the_job_completes(
    installation: Installation, clip: Path, figures: list[str]
) -> None:
    # Plans made meanwhile count tasks as long above this estimate.
    with installation.variables("chunker", KINORA_LONG_TASK_S=str(LIMIT_S)):
        dropped = installation.drop(clip, "long.mp4", options={"chunk-segments": "1000"})
        job = installation.ended([dropped])[dropped]
    installation.assert_exact(job, clip)
    plan: Any = installation.record(layout.plan(job, 1))
    lengths = {task["id"]: task["length"] for task in plan["tasks"]}
    assert sorted(lengths.values()) == ["long", "short"]
    for task in installation.report(job)["tasks"]:
        by_job = task["worker"].startswith(SINK)
        assert by_job == (lengths[task["id"]] == "long"), task
        if by_job:
            took_s = task["finished_s"] - task["started_s"]
            since_s = task["started_s"] - installation.record(layout.manifest(job))["accepted_s"]
            figures.append(
                f"long tasks: a Job worked on one {since_s:.1f} s after the job was accepted, "
                f"for {took_s:.1f} s"
            )


def test_a_job_that_is_done_leaves_nothing_behind(installation: Installation) -> None:
    """While it is there, its event is not taken again."""
    until(
        "the Jobs are gone",
        lambda: not [name for name in _jobs(installation) if name.startswith(SINK)],
        within_s=120,
        every_s=1,
    )


def _jobs(installation: Installation) -> list[str]:
    return [each["metadata"]["name"] for each in installation.kube.get("jobs")["items"]]
