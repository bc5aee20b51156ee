"""Every overlay, each with any one component more, and all together: what holds of each object."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from tests import kustomized
from tests.policy import Objects, Rule, delivery, names, pods, variables, workload
from tests.policy.workload import WITHOUT_PODS, services, workloads

pytestmark = kustomized.needs_kubectl

COMBINATIONS = tuple(kustomized.combinations())
ALL = max(COMBINATIONS, key=lambda each: len(each[1]))


RULES: dict[str, Rule] = {
    rule.__name__: rule
    for module in (workload, pods, delivery, names, variables)
    for rule in module.RULES
}


@pytest.fixture(scope="module", autouse=True)
def built() -> None:
    kustomized.prepare(COMBINATIONS)


def spelled(combination: kustomized.Combination) -> str:
    return "+".join((combination[0], *combination[1]))


@pytest.mark.parametrize("combination", COMBINATIONS, ids=spelled)
def test_every_rule_holds(combination: kustomized.Combination) -> None:
    found = kustomized.objects(*combination)
    assert [wrong for rule in RULES.values() for wrong in rule(found)] == []


def test_no_object_is_there_twice() -> None:
    for combination in COMBINATIONS:
        ids = [
            (each["apiVersion"].partition("/")[0], each["kind"], each["metadata"]["name"])
            for each in kustomized.objects(*combination)
        ]
        assert len(ids) == len(set(ids)), combination


def test_production_names_images_by_what_they_are() -> None:
    for overlay in ("production", "staging"):
        for each in workloads(kustomized.objects(overlay)):
            assert "@sha256:" in each.container["image"], each.name


def test_each_component_changes_something() -> None:
    for overlay, components in COMBINATIONS:
        if components:
            assert kustomized.objects(overlay, components) != kustomized.objects(overlay)


def test_overlays_list_components_in_the_order_of_the_table_and_settings_last() -> None:
    for overlay in kustomized.OVERLAYS:
        listed = kustomized.listed(overlay)
        assert list(listed) == sorted(listed, key=kustomized.COMPONENTS.index)
        assert listed[-1] == kustomized.LAST


def test_the_table_has_every_component() -> None:
    folders = {path.name for path in (kustomized.KNATIVE / "components").iterdir() if path.is_dir()}
    assert folders == set(kustomized.COMPONENTS)


def test_staging_is_production_but_for_numbers_and_addresses() -> None:
    staging, production = (
        {
            (each["kind"], each["metadata"]["name"].removeprefix("staging."))
            for each in kustomized.objects(overlay)
        }
        for overlay in ("staging", "production")
    )
    assert staging == production


def service_of(found: Objects, name: str) -> Any:
    (service,) = (each for each in services(found) if each.found["metadata"]["name"] == name)
    return service


def of(found: Objects, kind: str) -> Any:
    return kustomized.of_kind(found, kind)[0]


def spoil(name: str, change: Callable[[Any], object]) -> Callable[[Objects], Objects]:
    """Spoils the Service of that name."""

    def spoilt(found: Objects) -> Objects:
        change(service_of(found, name))
        return found

    return spoilt


def annotate(service: Any, /, **values: str) -> None:
    service.template["metadata"]["annotations"].update(
        {f"autoscaling.knative.dev/{key.replace('_', '-')}": text for key, text in values.items()}
    )


def env(service: Any, name: str) -> Any:
    (entry,) = (each for each in service.container["env"] if each["name"] == name)
    return entry


def put(target: Any, /, **members: Any) -> None:
    target.update(members)


# One defect for each rule: a rule that lets its own pass is none.
DEFECTS: dict[str, Callable[[Objects], object]] = {
    "nothing_is_of_a_kind_that_nobody_looks_at": lambda found: put(
        of(found, "ConfigMap"), kind="DaemonSet"
    ),
    "containers_are_bounded": spoil("ingest", lambda s: s.container["resources"].pop("limits")),
    "pods_have_no_rights": spoil("encoder-gpu", lambda s: s.container.pop("securityContext")),
    "pods_have_no_account": spoil("ingest", lambda s: s.pod.pop("automountServiceAccountToken")),
    "volumes_are_known_and_mounted": spoil(
        "ingest", lambda s: s.pod["volumes"].append({"name": "all", "hostPath": {"path": "/"}})
    ),
    "images_are_exact": spoil("ingest", lambda s: put(s.container, image="a.example/b:latest")),
    "services_are_probed": spoil("gateway", lambda s: s.container.pop("livenessProbe")),
    "jobs_end": lambda found: of(found, "Job")["spec"].pop("activeDeadlineSeconds"),
    "programs_get_signals_themselves": spoil(
        "gateway", lambda s: put(s.container, command=["sh", "-c", "python -m x"])
    ),
    "both_timeouts_are_given_and_equal": spoil(
        "encoder", lambda s: s.pod.pop("responseStartTimeoutSeconds")
    ),
    "deliveries_are_written_out": lambda found: of(found, "Trigger")["spec"]["delivery"].pop(
        "retry"
    ),
    "brokers_outwait_whom_they_call": spoil("ingest", lambda s: put(s.pod, timeoutSeconds=70)),
    "only_the_gateway_is_reached_from_outside": spoil(
        "sweeper", lambda s: s.found["metadata"].pop("labels")
    ),
    "services_are_bounded": spoil("ingest", lambda s: annotate(s, max_scale="0")),
    "encoders_take_one_task_at_a_time": spoil(
        "encoder-gpu", lambda s: annotate(s, target_burst_capacity="211")
    ),
    "the_gateway_has_no_hard_limit": spoil("gateway", lambda s: put(s.pod, containerConcurrency=9)),
    "gpus_are_waited_for_by_no_rollout": spoil(
        "encoder-gpu", lambda s: annotate(s, initial_scale="1")
    ),
    "tasks_go_where_their_accelerator_is": spoil(
        "encoder-gpu", lambda s: s.container["resources"]["limits"].pop("nvidia.com/gpu")
    ),
    "everything_is_in_one_namespace": lambda found: of(found, "Broker")["metadata"].pop(
        "namespace"
    ),
    "everything_says_what_it_belongs_to": spoil(
        "encoder", lambda s: s.template["metadata"].pop("labels")
    ),
    "events_go_to_somebody": spoil("notifier", lambda s: put(s.found["metadata"], name="teller")),
    "sinks_are_the_broker": spoil(
        "ingest", lambda s: put(env(s, "K_SINK"), value="http://x/default/kinora")
    ),
    "config_maps_are_there": lambda found: put(
        of(found, "Broker")["spec"]["config"], name="nowhere"
    ),
    "secrets_can_be_had": spoil(
        "gateway",
        lambda s: put(env(s, "KINORA_MASTER_KEY")["valueFrom"]["secretKeyRef"], key="mster-key"),
    ),
    "domains_are_one": lambda found: put(
        of(found, "Certificate")["spec"], dnsNames=["kinora.invalid"]
    ),
    "selectors_select_somebody": lambda found: put(
        of(found, "PodDisruptionBudget")["spec"], selector={"matchLabels": {"app": "gateway"}}
    ),
    "nothing_secret_is_written_down": spoil(
        "ingest", lambda s: put(env(s, "KINORA_STATE"), value="redis://:word@redis/0")
    ),
    "keys_are_those_of_the_function": spoil(
        "ingest",
        lambda s: put(
            env(s, "AWS_ACCESS_KEY_ID")["valueFrom"]["secretKeyRef"], name="kinora-store-gateway"
        ),
    ),
    "functions_can_read_their_settings": spoil(
        "notifier", lambda s: s.container["env"].remove(env(s, "KINORA_STORE"))
    ),
    "whoever_counts_encoders_counts_those_with_gpus": spoil(
        "sweeper", lambda s: s.container["env"].remove(env(s, "KINORA_GPU_ENCODERS"))
    ),
    "what_settings_say_has_arrived": spoil(
        "sweeper", lambda s: put(env(s, "KINORA_ENCODERS"), value="9")
    ),
}


@pytest.mark.parametrize("rule", RULES)
def test_every_rule_finds_the_defect_that_it_is_about(rule: str) -> None:
    found = copy.deepcopy(kustomized.objects(*ALL))
    DEFECTS[rule](found)
    assert list(RULES[rule](found))


def test_every_kind_that_a_rule_knows_is_somewhere() -> None:
    used = {
        each["kind"] for combination in COMBINATIONS for each in kustomized.objects(*combination)
    }
    assert used >= WITHOUT_PODS
