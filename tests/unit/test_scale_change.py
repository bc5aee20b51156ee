"""Another scale: what changes with it, in which order, and how an overlay says the same."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from knative.operating import rollout, scaling
from knative.operating.revision import SCALE, Service
from knative.operating.rollout import Course, Pace
from knative.operating.scaling import Bounds, Change
from tests.unit import cluster_samples as samples

COUNTING = ("chunker", "gateway", "assembler", "sweeper")


def installation(encoders: int = 10) -> list[Service]:
    env = {"KINORA_ENCODERS": str(encoders), "K_SINK": "http://broker/"}
    return [
        Service.of(samples.service(template={f"{SCALE}max-scale": str(encoders)}, env=env)),
        *(Service.of(samples.service(name, env=env)) for name in COUNTING),
        Service.of(samples.service("notifier", env={"K_SINK": "http://broker/"})),
    ]


def encoders_after(change: Change) -> str | None:
    for container in change.patch["spec"]["template"].get("spec", {}).get("containers", ()):
        for each in container["env"]:
            if each["name"] == "KINORA_ENCODERS":
                return str(each["value"])
    return None


@given(st.integers(1, 50), st.integers(1, 50))
def test_never_more_tasks_than_encoders_are_admitted_while_it_changes(now: int, then: int) -> None:
    services = installation(now)
    changes = scaling.changes(services, "encoder", Bounds(max=then))
    assert {change.function for change in changes} == (
        {"encoder", *COUNTING} if now != then else set()
    )
    admitted = dict.fromkeys(COUNTING, now)
    pods = now
    for change in changes:
        assert encoders_after(change) == str(then)
        if change.function == "encoder":
            pods = then
        else:
            admitted[change.function] = then
        # Where they grow, encoders come first; where they shrink, the work for them stops first.
        assert max(admitted.values()) <= pods


def test_encoders_with_gpus_are_counted_apart() -> None:
    env = {"KINORA_GPU_ENCODERS": "1", "KINORA_ENCODERS": "10"}
    services = [
        Service.of(samples.service("encoder-gpu", template={f"{SCALE}max-scale": "1"})),
        Service.of(samples.service("chunker", env=env)),
    ]
    own, other = scaling.changes(services, "encoder-gpu", Bounds(max=2))
    assert own.says == ("max-scale: 1 -> 2",)
    assert other.says == ("KINORA_GPU_ENCODERS: 1 -> 2",)
    written: Any = yaml.safe_load(scaling.overlay("encoder-gpu", Bounds(max=2)))
    assert written["configMapGenerator"][0]["literals"] == ["gpus=2"]


def test_nothing_else_is_touched() -> None:
    (change,) = scaling.changes(
        installation(), "notifier", Bounds(min=1, target=3.5, concurrency=4, window_s=30)
    )
    template = change.patch["spec"]["template"]
    assert template["metadata"]["annotations"] == {
        f"{SCALE}min-scale": "1",
        f"{SCALE}target": "3.5",
        f"{SCALE}window": "30s",
    }
    assert template["spec"] == {"containerConcurrency": 4}
    assert change.says == (
        "min-scale: default -> 1",
        "target: default -> 3.5",
        "window: default -> 30s",
        "concurrency: 1 -> 4",
    )


def test_whoever_is_changed_along_must_not_be_rolled_out_either() -> None:
    course = Course(
        old="chunker-00001",
        image="i",
        old_image="o",
        pace=Pace(canary=10, step=30, interval_s=60, answers=0, defects=0, patience_s=600),
        began_s=0,
        since_s=0,
    )
    services = installation()
    at = next(number for number, each in enumerate(services) if each.name == "chunker")
    begun = rollout.begin(services[at], course)["metadata"]["annotations"]
    services[at] = replace(services[at], annotations=begun)
    assert scaling.rolling(services, scaling.changes(services, "encoder", Bounds(max=3))) == (
        "chunker"
    )
    assert scaling.rolling(services, scaling.changes(services, "encoder", Bounds(min=1))) == ""


def test_what_is_so_already_makes_no_revision() -> None:
    assert scaling.changes(installation(4), "encoder", Bounds(max=4, concurrency=1)) == []


@pytest.mark.parametrize(
    ("bounds", "words"),
    [
        (Bounds(max=0), "needs a limit"),
        (Bounds(min=11), "at least 11 pods and at most 10"),
        (Bounds(min=3, max=2), "at least 3 pods and at most 2"),
        (Bounds(min=2, max=2), ""),
    ],
)
def test_bounds_that_contradict_are_refused(bounds: Bounds, words: str) -> None:
    why = scaling.wrong(installation()[0], bounds)
    assert words in why
    assert bool(why) == bool(words)


def test_an_overlay_says_the_encoders_number_as_a_setting_and_the_rest_as_a_patch() -> None:
    written: Any = yaml.safe_load(scaling.overlay("encoder", Bounds(max=7, min=1, concurrency=2)))
    (generator,) = written["configMapGenerator"]
    assert generator["literals"] == ["encoders=7"]
    (patch,) = written["patches"]
    service = yaml.safe_load(patch["patch"])
    assert service["spec"]["template"]["metadata"]["annotations"] == {f"{SCALE}min-scale": "1"}
    assert service["spec"]["template"]["spec"] == {"containerConcurrency": 2}
    assert "patches" not in yaml.safe_load(scaling.overlay("encoder", Bounds(max=7)))
    assert scaling.overlay("encoder", Bounds()) == ""
