"""How functions stand, as values of what an API server and metrics say, and as people see it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from knative.cli.operating import status
from knative.operating import rollout, standing
from knative.operating.figures import Figures
from knative.operating.load import Load
from knative.operating.pod import Pod, of_function
from knative.operating.revision import Revision, Service
from knative.operating.rollout import Course, Pace
from knative.operating.standing import FunctionState
from tests.unit import cluster_samples as samples

SPLIT = [
    {"revisionName": "encoder-00001", "percent": 60},
    {"revisionName": "encoder-00002", "percent": 40},
]


def state(
    *,
    service: dict[str, Any] | None = None,
    revisions: tuple[dict[str, Any], ...] = (samples.revision(1),),
    pods: tuple[dict[str, Any], ...] = (),
    happenings: tuple[Any, ...] = (),
) -> FunctionState:
    return standing.of(
        Service.of(service or samples.service()),
        map(Revision.of, revisions),
        of_function(pods),
        happenings,
        {"encoder-00001": Load(in_flight=2, queued=1, wanted=3)},
        now_s=samples.NOW_S,
    )


def shown(*functions: FunctionState) -> str:
    return samples.printed(status.tables(Figures(functions=functions, unmeasured=())))


@pytest.mark.parametrize(
    ("pod", "expected"),
    [
        (samples.pod("p"), "ready"),
        (samples.pod("p", ready=False), "starting"),
        (samples.pod("p", node="", ready=False), "pending"),
        (samples.pod("p", ends=True), "terminating"),
    ],
)
def test_a_pod_is_in_one_state(pod: dict[str, Any], expected: str) -> None:
    assert Pod.of(pod).state == expected


def test_what_a_container_died_of_comes_before_that_it_waits() -> None:
    crashed = {
        "restartCount": 2,
        "state": {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off"}},
        "lastState": {"terminated": {"exitCode": 137, "reason": "OOMKilled"}},
    }
    found = Pod.of(samples.pod("p", ready=False, container=crashed))
    assert (found.restarts, found.trouble) == (2, "function: OOMKilled, exit code 137")
    assert "no GPU" in Pod.of(samples.pod("p", node="", unschedulable="no GPU")).trouble


def test_revisions_with_traffic_or_pods_are_shown_the_newest_first() -> None:
    found = state(
        service=samples.service(created="encoder-00004", traffic=SPLIT),
        revisions=tuple(map(samples.revision, (1, 2, 3, 4, 5))),
        pods=(samples.pod("a", revision="encoder-00003", ends=True), samples.pod("b")),
    )
    names = [each.revision.name for each in found.revisions]
    assert names == ["encoder-00004", "encoder-00003", "encoder-00002", "encoder-00001"]
    assert [each.percent for each in found.revisions] == [0, 0, 40, 60]
    assert found.start_s == 2.0


def test_cold_starts_of_the_last_hour_are_counted() -> None:
    def up(revision: str, number: int, at: str) -> Any:
        message = f"Scaled up replica set {revision}-deployment-5fd from {number} to 1"
        return samples.happening(f"{revision}-deployment", "ScalingReplicaSet", message, at=at)

    found = state(
        happenings=(
            up("encoder-00001", 0, "2026-03-01T11:30:00Z"),
            up("encoder-00001", 1, "2026-03-01T11:30:00Z"),
            up("encoder-00001", 0, "2026-03-01T10:30:00Z"),
            up("chunker-00001", 0, "2026-03-01T11:30:00Z"),
        )
    )
    assert found.cold_starts == 1


def test_errors_are_what_is_wrong_now_and_then_what_was() -> None:
    broken = samples.revision(2, ready="False", reason="ContainerMissing", message="no image")
    found = state(
        service=samples.service(created="encoder-00002"),
        revisions=(samples.revision(1), broken),
        happenings=(
            samples.happening("encoder-00001-x", "BackOff", "again", warns=True),
            samples.happening("encoder-00001-x", "Unhealthy", "probe", warns=True),
            samples.happening("chunker-00001-x", "BackOff", "other", warns=True),
        ),
    )
    assert found.errors == (
        "encoder-00002: ContainerMissing: no image",
        "encoder-00001-x: BackOff: again",
    )


def test_people_see_a_line_a_revision_and_what_to_do() -> None:
    text = shown(state(pods=(samples.pod("a"), samples.pod("b", ready=False))))
    row = next(line for line in text.splitlines() if "encoder-00001" in line)
    for told in ("100 %", "1 ready, 1 starting", "2 in flight, 1 queued", "(2.0 s)"):
        assert told in row
    pinned = samples.service(asked=[{"revisionName": "encoder-00001", "percent": 100}])
    assert "rollback encoder --to latest" in shown(state(service=pinned))
    pace = Pace(canary=10, step=30, interval_s=60, answers=0, defects=0, patience_s=600)
    course = Course(old="encoder-00001", image="i", old_image="o", pace=pace, began_s=0, since_s=0)
    kept = rollout.begin(Service.of(samples.service()), course)["metadata"]["annotations"]
    assert "--continue" in shown(state(service=samples.service(annotations=kept)))


def test_what_is_not_measured_is_said_and_not_shown_as_nothing() -> None:
    found = standing.of(
        Service.of(samples.service()),
        [Revision.of(samples.revision(1))],
        [],
        [],
        {},
        now_s=samples.NOW_S,
    )
    figures = Figures(functions=(found,), unmeasured=("activator",))
    text = samples.printed(status.tables(figures))
    assert "?" in text
    assert "The activator exposes no metrics" in text
    values = status.as_values(figures)
    assert values["functions"][0]["revisions"][0]["in_flight"] is None
    assert json.loads(json.dumps(values)) == values
