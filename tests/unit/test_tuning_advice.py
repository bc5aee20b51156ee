"""What is proposed for a goal: cases with one right answer, laws, and the patch."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Literal

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from knative.tuning.advice import Advice, Bounds, advise
from knative.tuning.effect import predict
from knative.tuning.observation import Observations
from knative.tuning.setup import Setup
from tests.observed import film, observations, service, video, whole

PREFIX = "autoscaling.knative.dev/"


def setup(**annotations: str) -> Setup:
    named = {name.replace("_", "-"): value for name, value in annotations.items()}
    return Setup.parse(service(named))


def named(advice: Advice) -> dict[str, tuple[str, str]]:
    return {change.name: (change.before, change.after) for change in advice.changes}


def every(gap_s: float, count: int, *tasks: float) -> Observations:
    """A film of tasks that cannot be cut, again and again."""
    return observations(
        *(film(gap_s * n, [whole(wall_s) for wall_s in tasks]) for n in range(count))
    )


def test_films_that_follow_each_other_too_late_for_the_window_get_a_longer_one() -> None:
    # A pod that is kept for the gap costs what the drain and the start of another would.
    seen = every(75.0, 20, 10.0)
    advice = advise(seen, setup(), "latency", Bounds(min_scale=0))
    assert advice.before.cold_starts == 20
    assert advice.after.cold_starts == 1
    assert advice.after.p95_s == pytest.approx(10.5)
    assert {"window", "scale-down-delay"} & named(advice).keys()


def test_a_crowd_gets_more_pods_if_there_is_room() -> None:
    seen = every(600.0, 5, *[20.0] * 16)
    advice = advise(seen, setup(), "latency", Bounds(max_scale=16, dearer=10))
    assert int(named(advice)["max-scale"][1]) > 4
    assert advice.after.p95_s < advice.before.p95_s / 2
    tight = advise(seen, setup(), "latency", Bounds(max_scale=4, min_scale=0))
    assert "max-scale" not in named(tight)


def test_pods_that_nobody_needs_are_not_kept() -> None:
    seen = every(1_800.0, 2, 10.0)
    advice = advise(seen, setup(min_scale="1"), "cost")
    assert named(advice)["min-scale"] == ("1", "0")
    assert advice.after.pod_s < advice.before.pod_s / 10


def test_a_long_window_is_cut_where_only_cost_counts() -> None:
    seen = every(1_800.0, 2, 10.0)
    advice = advise(seen, setup(window="5m", panic_window_percentage="10"), "cost")
    assert named(advice)["window"] == ("300s", "6s")
    assert advice.after.p95_s == advice.before.p95_s


def test_tasks_that_wait_more_than_they_work_share_a_pod() -> None:
    tasks = [whole(10.0, cores=0.3) for _ in range(8)]
    seen = observations(film(0, tasks), film(1_800, tasks))
    advice = advise(seen, setup(), "cost", Bounds(max_scale=4, slower=1.0))
    assert named(advice)["containerConcurrency"] == ("1", "2")
    busy = observations(film(0, [whole(10.0)] * 8), film(1_800, [whole(10.0)] * 8))
    alone = advise(busy, setup(), "latency", Bounds(max_scale=4))
    assert "containerConcurrency" not in named(alone)


def test_what_is_compared_is_what_the_planner_would_cut_now() -> None:
    # It was one chunk of a minute; four encoders share it.
    seen = observations(film(0, [video(0, 15, 60.25)], segments=15, finished_s=62.0))
    advice = advise(seen, setup(min_scale="4"), "latency")
    assert advice.measured.p95_s == 62.0
    assert advice.before.p95_s < 20


def test_without_a_job_there_is_no_advice() -> None:
    with pytest.raises(ValueError, match="no completed job"):
        advise(observations(), setup(), "cost")


def test_what_is_best_already_stays() -> None:
    seen = every(1_800.0, 2, 10.0)
    first = advise(seen, setup(), "cost")
    second = advise(seen, first.proposed, "cost")
    assert second.changes == ()
    assert second.patch() == ""


def test_each_change_says_what_would_be_without_it() -> None:
    advice = advise(every(1_800.0, 2, 10.0), setup(min_scale="1"), "cost")
    for change in advice.changes:
        assert change.why.startswith("without it p95 ")


def test_no_answer_may_come_after_the_timeout() -> None:
    # 250 s each: with two in a pod, or with two before it in the queue, an answer is late.
    seen = observations(film(0, [whole(250.0, cores=0.9)] * 4))
    current = setup(max_scale="4", min_scale="4")
    advice = advise(seen, current, "cost", Bounds(slower=100))
    assert advice.before.answer_s < 600
    assert advice.after.answer_s < 600


# Laws.

seen = st.builds(
    lambda jobs: observations(
        *(
            film(at_s, [video(0, 3, wall), video(3, 6, wall / 2), whole(1.0)], segments=6)
            for at_s, wall in sorted(jobs)
        )
    ),
    st.lists(st.tuples(st.integers(0, 3_000).map(float), st.floats(1, 60)), min_size=1, max_size=4),
)
setups = st.builds(
    lambda most, least, window_s, delay_s: setup(
        max_scale=str(most),
        min_scale=str(min(least, most)),
        window=f"{window_s}s",
        panic_window_percentage="20",
        scale_down_delay=f"{delay_s}s",
    ),
    st.integers(1, 5),
    st.integers(0, 2),
    st.sampled_from([30, 60, 300]),
    st.sampled_from([0, 120]),
)


@settings(deadline=None, max_examples=10)
@given(seen, setups, st.sampled_from(["latency", "cost"]))
def test_it_is_never_worse_in_its_goal_and_keeps_the_bounds(
    seen: Observations, current: Setup, goal: Literal["latency", "cost"]
) -> None:
    bounds = Bounds(max_scale=6, min_scale=2, dearer=1.3, slower=1.2)
    advice = advise(seen, current, goal, bounds)
    before, after = advice.before, advice.after
    if goal == "latency":
        assert after.p95_s <= before.p95_s
        assert after.pod_s <= before.pod_s * bounds.dearer
    else:
        assert after.pod_s <= before.pod_s
        assert after.p95_s <= before.p95_s * bounds.slower
    assert after == predict(seen, advice.proposed)
    assert advice.proposed.scaling.max_scale <= 6
    assert (advice.proposed == current) == (not advice.changes)


# The patch.


def patched(advice: Advice) -> list[dict[str, Any]]:
    text = advice.patch()
    component = yaml.safe_load(text)
    assert component["kind"] == "Component"
    return [yaml.safe_load(each["patch"]) for each in component.get("patches", [])]


def test_the_patch_says_the_changes_and_nothing_else() -> None:
    seen = every(600.0, 5, *[20.0] * 16)
    advice = advise(seen, setup(), "latency", Bounds(max_scale=16, dearer=10))
    settings, *services = patched(advice)
    assert settings == {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "kinora-settings"},
        "data": {"encoders": named(advice)["max-scale"][1]},
    }
    said = {
        name.removeprefix(PREFIX): value
        for service in services
        for name, value in service["spec"]["template"]["metadata"]["annotations"].items()
    }
    wanted = {name: after for name, (_, after) in named(advice).items()}
    assert said == {k: v for k, v in wanted.items() if k not in ("max-scale", "chunk_s")}


def test_a_bound_that_is_copied_before_the_patch_is_told_and_not_patched() -> None:
    seen = every(600.0, 5, *[20.0] * 16)
    current = replace(setup(), name="encoder-gpu")
    advice = advise(seen, current, "latency", Bounds(max_scale=16, dearer=10))
    for patch in patched(advice):
        assert patch["metadata"]["name"] == "encoder-gpu"
        assert PREFIX + "max-scale" not in patch["spec"]["template"]["metadata"]["annotations"]
    most = named(advice)["max-scale"][1]
    assert f"# kinora-settings: gpus = {most}, by a configMapGenerator" in advice.patch()


def test_pods_that_take_two_tasks_are_no_more_pods() -> None:
    tasks = [whole(10.0, cores=0.3) for _ in range(8)]
    seen = observations(film(0, tasks), film(1_800, tasks))
    advice = advise(seen, setup(max_scale="4"), "cost", Bounds(max_scale=4, slower=1.0))
    assert named(advice)["containerConcurrency"] == ("1", "2")
    said = [patch["data"]["encoders"] for patch in patched(advice) if patch["kind"] == "ConfigMap"]
    assert said == [after for name, (_, after) in named(advice).items() if name == "max-scale"]


def test_a_patched_service_is_what_was_proposed() -> None:
    seen = every(75.0, 20, 10.0)
    advice = advise(seen, setup(), "latency", Bounds(min_scale=1))
    base: Any = service()
    for patch in patched(advice):
        if patch["kind"] == "Service":
            template = patch["spec"]["template"]
            base["spec"]["template"]["metadata"]["annotations"] |= template.get("metadata", {}).get(
                "annotations", {}
            )
            base["spec"]["template"]["spec"] |= template.get("spec", {})
        else:
            base["spec"]["template"]["metadata"]["annotations"][PREFIX + "max-scale"] = patch[
                "data"
            ]["encoders"]
    assert Setup.parse(base) == advice.proposed


def test_what_a_profile_has_to_say_stands_in_a_comment() -> None:
    films = [film(600.0 * n, [video(0, 15, 300.25)], segments=15) for n in range(2)]
    current = replace(setup(max_scale="1"), chunk_s=4)
    advice = advise(observations(*films), current, "latency", Bounds(max_scale=1, dearer=1.0))
    assert named(advice)["chunk_s"][0] == "4"
    assert f"# Profiles: chunk_s = {named(advice)['chunk_s'][1]} # was 4: " in advice.patch()
