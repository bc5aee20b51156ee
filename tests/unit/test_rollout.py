"""A rollout goes on only while nothing speaks against it, and can be taken up by anybody."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.jobs import layout, record
from functions.jobs.receipt import Failure
from knative.operating import blame, rollout
from knative.operating.refused import Refused
from knative.operating.revision import Revision, Service, newest_first
from knative.operating.rollout import Course, Finish, Health, Pace, Return, Shift, Wait
from tests.fakes import MemoryStore
from tests.unit import cluster_samples as samples

PACE = Pace(canary=10, step=30, interval_s=60, answers=0, defects=0, patience_s=600)
COURSE = Course(
    old="encoder-00001",
    new="encoder-00002",
    image="i",
    old_image="o",
    pace=PACE,
    began_s=0,
    since_s=0,
)
WELL = Health(ready=True, reason="", troubles=(), restarts=0, answers={200: 9}, failed_tasks=0)


def test_a_healthy_revision_gets_more_step_by_step_and_then_everything() -> None:
    course, now_s, seen = COURSE, 0.0, []
    while not isinstance(decision := rollout.decide(course, WELL, now_s=now_s), Finish):
        if isinstance(decision, Shift):
            seen.append((decision.percent, now_s))
            course = replace(course, percent=decision.percent, since_s=now_s)
        now_s += 10
    assert seen == [(10, 0), (40, 60), (70, 120), (100, 180)]
    assert now_s == 240


@pytest.mark.parametrize(
    ("ill", "words"),
    [
        ({"ready": False, "reason": "ContainerMissing: no such image"}, "no such image"),
        ({"troubles": ("p: function: ImagePullBackOff",), "ready": None}, "ImagePullBackOff"),
        ({"restarts": 2, "troubles": ("p: OOMKilled",)}, "restarted 2 times: p: OOMKilled"),
        ({"answers": {200: 90, 500: 1, 504: 2}}, "1 x 500, 2 x 504"),
        ({"answers": {200: 2, 503: 3}}, "3 of 5 requests with 503"),
        ({"failed_tasks": 1}, "1 tasks failed on it alone"),
    ],
)
def test_what_speaks_against_a_revision_takes_it_back(ill: dict[str, Any], words: str) -> None:
    decision = rollout.decide(
        replace(COURSE, percent=40),
        replace(WELL, **ill),
        now_s=1e6,
    )
    assert isinstance(decision, Return)
    assert words in decision.reason


@pytest.mark.parametrize("answers", [{422: 50, 200: 1}, {404: 3}, {503: 4}, {200: 5, 503: 5}, {}])
def test_refusals_and_a_few_not_nows_are_no_failures(answers: dict[int, int]) -> None:
    assert rollout.fault(PACE, replace(WELL, answers=answers)) == ""


def test_as_many_defects_as_are_allowed_are_borne() -> None:
    patient = replace(PACE, defects=2)
    assert rollout.fault(patient, replace(WELL, answers={500: 1}, failed_tasks=1)) == ""
    assert rollout.fault(patient, replace(WELL, answers={500: 2}, failed_tasks=1)) != ""


def test_it_waits_for_a_revision_that_starts_but_not_for_ever() -> None:
    starts = replace(WELL, ready=None, troubles=("p: Unschedulable: 0/1 nodes",))
    assert isinstance(rollout.decide(COURSE, starts, now_s=600), Wait)
    late = rollout.decide(COURSE, starts, now_s=601)
    assert isinstance(late, Return)
    assert "0/1 nodes" in late.reason


def test_it_gets_no_more_before_it_answered_as_often_as_was_asked() -> None:
    course = replace(COURSE, percent=10, pace=replace(PACE, answers=10))
    assert isinstance(rollout.decide(course, WELL, now_s=1e6), Wait)
    often = replace(WELL, answers={200: 10})
    assert rollout.decide(course, often, now_s=1e6) == Shift(40)


healths = st.builds(
    Health,
    ready=st.sampled_from([True, False, None]),
    reason=st.just("r"),
    troubles=st.sampled_from([(), ("p: Unschedulable",), ("p: CrashLoopBackOff",)]),
    restarts=st.integers(0, 1),
    answers=st.dictionaries(st.sampled_from([200, 422, 500, 503]), st.integers(0, 9)),
    failed_tasks=st.integers(0, 1),
)


@given(
    healths,
    st.integers(0, 100),
    st.integers(1, 100),
    st.integers(1, 100),
    st.floats(0, 2000),
)
def test_nothing_but_a_healthy_revision_ever_gets_more(
    health: Health, percent: int, canary: int, step: int, now_s: float
) -> None:
    course = replace(COURSE, percent=percent, pace=replace(PACE, canary=canary, step=step))
    decision = rollout.decide(course, health, now_s=now_s)
    if rollout.fault(course.pace, health):
        assert isinstance(decision, Return)
    elif not health.ready:
        assert isinstance(decision, Wait | Return)
    if isinstance(decision, Shift):
        assert percent < decision.percent <= 100
        assert health.ready
    if isinstance(decision, Finish):
        assert percent == 100


def test_whoever_reads_the_service_can_carry_on() -> None:
    service = Service.of(samples.service())
    begun = rollout.begin(service, replace(COURSE, new=""))
    kept = {"annotations": begun["metadata"]["annotations"]}
    read = rollout.running(Service.of(samples.service(**kept)))
    assert read == replace(COURSE, new="")
    moved = rollout.shift(service, COURSE, 40, now_s=99)
    assert [each["percent"] for each in moved["spec"]["traffic"]] == [40, 60]
    again = rollout.running(
        Service.of(samples.service(annotations=moved["metadata"]["annotations"]))
    )
    assert again == replace(COURSE, percent=40, since_s=99)


def test_a_new_revision_gets_no_request_before_it_was_looked_at() -> None:
    change = rollout.begin(Service.of(samples.service(env={"A": "1"})), COURSE)
    assert change["spec"]["traffic"] == [
        {"revisionName": "encoder-00001", "percent": 100, "latestRevision": False}
    ]
    (container,) = change["spec"]["template"]["spec"]["containers"]
    assert (container["image"], container["env"]) == ("i", [{"name": "A", "value": "1"}])
    assert change["metadata"]["resourceVersion"] == "77"


def test_revisions_from_before_a_change_are_not_taken_for_those_after_it() -> None:
    found = samples.service()
    assert Service.of(found).settled
    # The Service was looked at, and its Configuration was not yet.
    outdated = {"type": "ConfigurationsReady", "status": "Unknown", "reason": "OutOfDate"}
    found["status"]["conditions"].append(outdated)
    assert not Service.of(found).settled
    outdated["reason"] = "RevisionMissing"
    assert Service.of(found).settled


def test_a_server_that_is_busy_says_no_for_a_while_and_a_rule_for_good() -> None:
    passing = {status: Refused(status, "", "", "").passes for status in (403, 422, 429, 500, 503)}
    assert passing == {403: False, 422: False, 429: True, 500: True, 503: True}


def test_a_rollout_that_ended_runs_no_more() -> None:
    service = Service.of(samples.service())
    for change in (
        rollout.finish(service, COURSE),
        rollout.give_back(service, COURSE, "it failed"),
    ):
        after = Service.of(samples.service(annotations=change["metadata"]["annotations"]))
        assert rollout.running(after) is None
        assert rollout.read(after) is not None


def test_whatever_is_made_after_a_return_is_not_made_of_what_failed() -> None:
    begun = rollout.begin(Service.of(samples.service()), COURSE)["spec"]["template"]
    rolling = samples.service()
    rolling["spec"]["template"]["spec"] |= begun["spec"]
    for change in (
        rollout.give_back(Service.of(rolling), COURSE, "it failed"),
        rollout.give_back(Service.of(samples.service()), COURSE, "somebody deployed another"),
    ):
        image = change["spec"].get("template", samples.service()["spec"]["template"])
        assert image["spec"]["containers"][0]["image"] != COURSE.image


def test_pinning_ends_a_rollout_and_latest_lets_deploys_be_followed() -> None:
    begun = rollout.begin(Service.of(samples.service()), COURSE)
    rolling = Service.of(samples.service(annotations=begun["metadata"]["annotations"]))
    change = rollout.pin(rolling, "encoder-00001", reason="x")
    assert json.loads(change["metadata"]["annotations"][rollout.ANNOTATION])["state"] == "returned"
    latest = rollout.pin(Service.of(samples.service()), "", reason="x")
    assert latest["spec"]["traffic"] == [{"latestRevision": True, "percent": 100}]
    assert "annotations" not in latest["metadata"]


@pytest.mark.parametrize("text", ["", "{}", "null", "[1]", '{"pace": 1}', '{"pace": {}}'])
def test_an_annotation_of_somebody_elses_is_no_rollout(text: str) -> None:
    service = Service.of(samples.service(annotations={rollout.ANNOTATION: text}))
    assert rollout.read(service) is None


def test_back_is_the_newest_revision_before_that_is_not_broken() -> None:
    known = newest_first(
        Revision.of(samples.revision(number, ready="False" if number == 3 else "True"))
        for number in (1, 2, 3, 4)
    )
    found = rollout.before(known, "encoder-00004")
    assert found is not None
    assert found.name == "encoder-00002"
    assert rollout.before(known, "encoder-00001") is None
    assert rollout.before(known, "gone") is None


def test_a_task_that_failed_on_both_revisions_is_the_files_fault() -> None:
    store = MemoryStore()
    job = "1" * 32
    store.put(layout.open_marker(job), b"")

    def fails(task: str, attempt: int, worker: str) -> None:
        failure = Failure(
            job=job,
            generation=1,
            task=task,
            attempt=attempt,
            code="encoder_crashed",
            reason="r",
            final=False,
            worker=worker,
            failed_s=0,
        )
        store.put(layout.failure(job, 1, task, attempt), record.dump(failure))

    fails("v0", 1, "encoder-00002-deployment-a-b-1")
    fails("v1", 1, "encoder-00002-deployment-a-b-1")
    fails("v1", 2, "encoder-00001-deployment-a-b-1")
    fails("v2", 1, "encoder-00001-deployment-a-b-1")
    assert blame.failed_only_on(store, "encoder-00002") == 1
    store.put(layout.failure(job, 1, "v3", 1), b"{}")  # as another version wrote it
    assert blame.failed_only_on(store, "encoder-00002") == 1
