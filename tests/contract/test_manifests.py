"""The manifests of the base: they fit together, and an untouched Knative takes them."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from eventing import serve
from eventing.topology import FUNCTIONS
from knative.local.manifests import BASE, documents, load
from knative.local.overlay import Overlay

LONGEST_PLANNED_TASK_S = 120
KUSTOMIZATION: Any = yaml.safe_load((BASE / "kustomization.yaml").read_text())
OBJECTS: list[Any] = list(documents(BASE))
SERVICES: list[Any] = [found for found in OBJECTS if "serving.knative.dev" in found["apiVersion"]]
FOUND = load(BASE)
NAMES = [service.name for service in FOUND.services]


def pod_of(service: Any) -> Any:
    return service["spec"]["template"]["spec"]


def container_of(service: Any) -> Any:
    (container,) = pod_of(service)["containers"]
    return container


def test_every_function_of_the_topology_has_its_service() -> None:
    assert set(NAMES) == {function.name for function in FUNCTIONS}
    for service in FOUND.services:
        assert service.command == (
            "python",
            "-m",
            "eventing.host",
            f"functions.{service.name}.main",
        )


def test_the_broker_waits_longer_than_the_revision_whoever_it_delivers_to() -> None:
    timeouts_s = {service.name: service.timeout_s for service in FOUND.services}
    for trigger in FOUND.triggers:
        delivery = trigger.delivery_under(FOUND.broker)
        assert delivery.timeout_s is not None and delivery.dead_letter_sink is not None
        assert delivery.timeout_s > timeouts_s[trigger.subscriber.name]
        assert delivery.timeout_s > timeouts_s[delivery.dead_letter_sink.name]


# Knative fills in 300 s where the second is missing, and refuses it above the first.
@pytest.mark.parametrize("service", SERVICES, ids=NAMES)
def test_whoever_may_take_long_may_also_take_long_to_begin_an_answer(service: Any) -> None:
    pod = pod_of(service)
    assert pod["timeoutSeconds"] == pod.get("responseStartTimeoutSeconds", pod["timeoutSeconds"])
    assert pod["timeoutSeconds"] < 300 or "responseStartTimeoutSeconds" in pod
    # A pod that is ended waits 30 s for stragglers, within this time.
    assert pod["timeoutSeconds"] > 30


@pytest.mark.parametrize("encoders", [1, 2, 3, 4, 7, 16, None])
def test_the_last_task_admitted_is_answered_before_the_timeout(encoders: int | None) -> None:
    service = next(service for service in FOUND.services if service.name == "encoder")
    if encoders is not None:
        service = Overlay(cores=2, encoders=encoders).apply(service)
    parallel = service.scaling.max_scale * service.container_concurrency
    admitted = parallel + 2
    rounds = -(-admitted // parallel) + 1
    assert rounds * LONGEST_PLANNED_TASK_S < service.timeout_s


def test_no_process_is_sent_more_at_once_than_it_handles_at_once() -> None:
    handled = serve.Settings.read({}).concurrency
    for service in FOUND.services:
        assert 0 < service.container_concurrency <= handled


def test_the_sweeper_can_be_gone_between_two_ticks() -> None:
    (sweeper,) = (service for service in FOUND.services if service.name == "sweeper")
    assert sweeper.scaling.window_ms < 60_000


@pytest.mark.parametrize("service", SERVICES, ids=NAMES)
def test_no_service_can_be_reached_from_outside_or_runs_as_root(service: Any) -> None:
    security = container_of(service)["securityContext"]
    assert (
        service["metadata"]["labels"]["networking.knative.dev/visibility"]  # of the Route
        == "cluster-local"
    )
    assert security["runAsNonRoot"] and security["readOnlyRootFilesystem"]
    assert security["allowPrivilegeEscalation"] is False
    assert security["capabilities"] == {"drop": ["ALL"]}
    assert security["seccompProfile"] == {"type": "RuntimeDefault"}
    assert pod_of(service)["automountServiceAccountToken"] is False


# Everything else is refused by Serving's webhook, or needs a feature flag that is off by default.
POD = {
    "containerConcurrency",
    "timeoutSeconds",
    "responseStartTimeoutSeconds",
    "enableServiceLinks",
    "automountServiceAccountToken",
    "containers",
    "volumes",
}
CONTAINER = {
    "name",
    "image",
    "command",
    "env",
    "readinessProbe",
    "livenessProbe",
    "resources",
    "securityContext",
    "volumeMounts",
}


@pytest.mark.parametrize("service", SERVICES, ids=NAMES)
def test_an_untouched_installation_allows_every_field(service: Any) -> None:
    assert set(service["spec"]["template"]) == {"metadata", "spec"}
    assert set(pod_of(service)) <= POD
    assert set(container_of(service)) <= CONTAINER
    assert all(set(volume) == {"name", "emptyDir"} for volume in pod_of(service)["volumes"])
    mounted = {mount["name"] for mount in container_of(service)["volumeMounts"]}
    assert mounted == {volume["name"] for volume in pod_of(service)["volumes"]}


def selected(select: dict[str, str]) -> list[Any]:
    """As kustomize does it for replacements: by equality, not by pattern."""
    return [
        found
        for found in OBJECTS
        if select.get("kind") in (None, found["kind"])
        and select.get("group") in (None, found["apiVersion"].partition("/")[0])
        and select.get("name") in (None, found["metadata"].get("name"))
    ]


def steps(path: str) -> Iterator[str]:
    """The members of a field path; a member in brackets may hold dots."""
    while path:
        if path.startswith("["):
            step, _, path = path[1:].partition("]")
            path = path.removeprefix(".")
        else:
            step, _, path = path.partition(".")
        yield step


def at(value: Any, path: str) -> Any:
    """What a field path leads to; fails where it leads nowhere."""
    for step in steps(path):
        if isinstance(value, list):
            name, _, wanted = step.partition("=")
            (value,) = (item for item in value if item[name] == wanted)
        else:
            value = value[step]
    return value


@pytest.mark.parametrize("replacement", KUSTOMIZATION["replacements"])
def test_every_replacement_leads_from_a_value_to_places_that_wait_for_one(replacement: Any) -> None:
    source = dict(replacement["source"])
    path = source.pop("fieldPath")
    (origin,) = selected(source)
    assert at(origin, path)
    for target in replacement["targets"]:
        reached = selected(target["select"])
        assert reached, target["select"]
        for place in target["fieldPaths"]:
            assert [at(found, place) for found in reached] == [""] * len(reached)


def test_no_setting_is_left_empty_that_no_replacement_fills() -> None:
    filled = {
        (found["metadata"]["name"], place)
        for replacement in KUSTOMIZATION["replacements"]
        for target in replacement["targets"]
        for found in selected(target["select"])
        for place in target["fieldPaths"]
    }
    for service in SERVICES:
        for entry in container_of(service)["env"]:
            place = (
                f"spec.template.spec.containers.[name=function].env.[name={entry['name']}].value"
            )
            assert entry["value"] or (service["metadata"]["name"], place) in filled


@pytest.mark.skipif(shutil.which("kubectl") is None, reason="kubectl is not here")
def test_kustomize_fills_in_every_setting() -> None:
    ran = subprocess.run(["kubectl", "kustomize", str(BASE)], capture_output=True, timeout=120)
    assert ran.returncode == 0, ran.stderr
    built = [found for found in yaml.safe_load_all(ran.stdout) if found]
    most = {}
    for service in built:
        if "serving.knative.dev" in service["apiVersion"]:
            env = {entry["name"]: entry["value"] for entry in container_of(service)["env"]}
            assert all(env.values()), (service["metadata"]["name"], env)
            most[service["metadata"]["name"]] = env.get("KINORA_ENCODERS")
    (encoder,) = (found for found in SERVICES if found["metadata"]["name"] == "encoder")
    annotations = encoder["spec"]["template"]["metadata"]["annotations"]
    assert {number for number in most.values() if number} == {
        annotations["autoscaling.knative.dev/max-scale"]
    }
