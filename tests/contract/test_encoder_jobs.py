"""The encoders that are Jobs are the encoder that is a Service, with other bounds."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from eventing import job, pull
from functions.jobs.admission import SLOT_TTL_S
from functions.planning.drawing import LONG_TASK_S
from knative.local.manifests import BASE

COMPONENTS = BASE.parent / "components"
TICK_S = 60


def read(path: str) -> Any:
    return yaml.safe_load((COMPONENTS / path).read_text())


SERVICE: Any = yaml.safe_load((BASE / "encoder.yaml").read_text())["spec"]["template"]
LONG: Any = read("long-tasks/jobsink.yaml")["spec"]["job"]["spec"]
PULLING: Any = read("keda-encoder/scaledjob.yaml")["spec"]["jobTargetRef"]
JOBS = pytest.mark.parametrize("found", [LONG, PULLING], ids=["long-tasks", "keda-encoder"])


def container_of(found: Any) -> Any:
    (container,) = found["spec"]["containers"]
    return container


def env_of(found: Any) -> dict[str, Any]:
    return {entry["name"]: entry for entry in container_of(found)["env"]}


def wall_s(found: Any) -> int:
    return int(env_of(found["template"])["KINORA_ENCODER_WALL_S"]["value"])


@JOBS
def test_the_same_image_runs_with_the_same_rights_and_reads_the_same_settings(found: Any) -> None:
    template = found["template"]
    ours, theirs = container_of(template), container_of(SERVICE)
    for name in ("name", "image", "resources", "securityContext", "volumeMounts"):
        assert ours[name] == theirs[name], name
    assert env_of(SERVICE).items() <= env_of(template).items()
    assert ours["command"][-1] == theirs["command"][-1] == "functions.encoder.main"
    for name in ("automountServiceAccountToken", "enableServiceLinks"):
        assert template["spec"][name] is SERVICE["spec"][name] is False
    label = "app.kubernetes.io/component"
    assert template["metadata"]["labels"][label] == SERVICE["metadata"]["labels"][label]


@JOBS
def test_an_attempt_ends_before_its_job_is_ended(found: Any) -> None:
    assert LONG_TASK_S < SLOT_TTL_S < wall_s(found) < found["activeDeadlineSeconds"]


def test_an_encoder_that_pulls_may_end_what_it_began_last() -> None:
    assert pull.TAKES_S + wall_s(PULLING) < PULLING["activeDeadlineSeconds"]


def test_what_will_never_work_is_not_tried_again() -> None:
    _, rule = LONG["podFailurePolicy"]["rules"]
    assert rule["action"] == "FailJob"
    assert rule["onExitCodes"]["values"] == [job.REFUSED]
    assert LONG["template"]["spec"]["restartPolicy"] == "Never"  # else there is no such policy


def test_a_job_that_is_done_is_gone_when_the_sweeper_tells_of_its_task_again() -> None:
    assert LONG["ttlSecondsAfterFinished"] < TICK_S
