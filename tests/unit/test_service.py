from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from knative.autoscaling.scaling import Scaling
from knative.field import Invalid
from knative.local.manifests import BASE, load
from knative.local.overlay import Overlay
from knative.local.service import Service


def document(
    annotations: dict[str, str] | None = None, container: Any = None, **spec: Any
) -> dict[str, object]:
    return {
        "apiVersion": "serving.knative.dev/v1",
        "kind": "Service",
        "metadata": {"name": "sample"},
        "spec": {
            "template": {
                "metadata": {"annotations": annotations},
                "spec": {
                    "containers": [{"command": ["python", "-m", "x"], **(container or {})}],
                    **spec,
                },
            }
        },
    }


def scaling(**annotations: str) -> Scaling:
    named = {
        "autoscaling.knative.dev/" + name.replace("_", "-"): value
        for name, value in annotations.items()
    }
    return Service.parse(document(named)).scaling


def test_what_a_manifest_does_not_say_is_knatives_default() -> None:
    service = Service.parse(document())
    assert service == Service(
        namespace="default", name="sample", command=("python", "-m", "x"), timeout_s=300
    )
    assert service.scaling.target_value == 70.0
    assert (service.scaling.window_ms, service.scaling.panic_window_ms) == (60_000, 6_000)


@pytest.mark.parametrize(
    ("given", "field", "value"),
    [
        ({"target": "5"}, "target", 5.0),
        ({"target_utilization_percentage": "100"}, "target_utilization_percent", 100.0),
        ({"min_scale": "2"}, "min_scale", 2),
        ({"max_scale": "7"}, "max_scale", 7),
        ({"maxScale": "7"}, "max_scale", 7),
        ({"initial_scale": "0"}, "initial_scale", 0),
        ({"activation_scale": "3"}, "activation_scale", 3),
        ({"window": "1m30s"}, "window_ms", 90_000),
        ({"panic_window_percentage": "20"}, "panic_window_percent", 20.0),
        ({"panic_threshold_percentage": "150"}, "panic_threshold_percent", 150.0),
        ({"target_burst_capacity": "-1"}, "target_burst_capacity", -1.0),
        ({"scale_down_delay": "15m"}, "scale_down_delay_ms", 900_000),
        ({"scale_to_zero_pod_retention_period": "1.5s"}, "retention_ms", 1_500),
        ({"class": "kpa.autoscaling.knative.dev"}, "target", None),
        ({"metric": "concurrency"}, "target", None),
    ],
)
def test_annotations_are_read(given: dict[str, str], field: str, value: object) -> None:
    assert getattr(scaling(**given), field) == value


@pytest.mark.parametrize(
    ("given", "complaint"),
    [
        ({"taget": "5"}, "taget: is no autoscaling annotation"),
        ({"target": "0"}, "target: 0 is not between 0.01"),
        ({"target_utilization_percentage": "101"}, "is not between 1 and 100"),
        ({"target_utilization_percentage": "nan"}, "is not between"),
        ({"min_scale": "-1"}, "min-scale: -1 is not between 0"),
        ({"min_scale": "1.5"}, "min-scale: '1.5' is no count"),
        ({"min_scale": "3", "max_scale": "2"}, "min-scale 3 is above max-scale 2"),
        ({"activation_scale": "1"}, "activation-scale: 1 is not between 2"),
        ({"activation_scale": "4", "max_scale": "2"}, "must be between min-scale and max-scale"),
        ({"window": "5s"}, "window: 5s is not between"),
        ({"window": "6500ms"}, "not a whole number of seconds"),
        ({"window": "2h"}, "window: 2h is not between"),
        ({"window": "60"}, "'60' is no duration"),
        ({"panic_threshold_percentage": "100"}, "is not between 110 and 1000"),
        ({"target_burst_capacity": "-2"}, "is not between -1"),
        ({"target_burst_capacity": "-0.5"}, "neither -1 nor at least 0"),
        ({"class": "hpa.autoscaling.knative.dev"}, "only kpa.autoscaling.knative.dev is done"),
        ({"metric": "rps"}, "metric: only concurrency"),
    ],
)
def test_annotations_that_cannot_be_are_refused_by_name(
    given: dict[str, str], complaint: str
) -> None:
    with pytest.raises(Invalid, match=complaint):
        scaling(**given)


def test_a_value_from_elsewhere_is_left_to_whoever_runs_the_function() -> None:
    secret = {"name": "A", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}}
    container = {"env": [secret, {"name": "B", "value": "b"}]}
    service = Service.parse(document({}, container))
    assert (service.env, service.secrets) == ({"B": "b"}, ("A",))


def test_other_annotations_are_nobodys_business_here() -> None:
    Service.parse(document({"client.knative.dev/user-image": "x"}))


@pytest.mark.parametrize(
    ("container", "spec", "complaint"),
    [
        ({"command": []}, {}, r"command: is required"),
        ({"env": [{"name": "A", "value": 1}]}, {}, r"env\[0\].value: must be text"),
        ({"resources": {"requests": {"cpu": "lots"}}}, {}, r"cpu: 'lots' is no amount of CPU"),
        ({}, {"containerConcurrency": 1001}, r"containerConcurrency: must be at most 1000"),
        ({}, {"timeoutSeconds": 601}, r"timeoutSeconds: must be 1 to 600"),
        ({}, {"timeoutSeconds": 10, "responseStartTimeoutSeconds": 11}, r"must not be above"),
        ({}, {"containers": []}, r"a function is exactly one container"),
    ],
)
def test_what_cannot_be_run_is_refused_by_field(
    container: dict[str, object], spec: dict[str, Any], complaint: str
) -> None:
    with pytest.raises(Invalid, match=complaint):
        Service.parse(document(container=container, **spec))


def test_without_a_timeout_for_the_first_byte_knative_cuts_at_300_s() -> None:
    assert Service.parse(document(timeoutSeconds=600)).timeout_s == 300
    both = document(timeoutSeconds=600, responseStartTimeoutSeconds=600)
    assert Service.parse(both).timeout_s == 600


@pytest.mark.parametrize(("cpu", "cores"), [("500m", 0.5), ("2", 2.0), (1, 1.0), ("0.1", 0.1)])
def test_cpu_is_read_as_kubernetes_writes_it(cpu: object, cores: float) -> None:
    container = {"resources": {"requests": {"cpu": cpu}}}
    assert Service.parse(document(container=container)).cpu_request == cores


def test_on_one_machine_encoders_are_as_many_as_asked_and_others_as_many_as_cores() -> None:
    overlay = Overlay(cores=4, encoders=3)
    applied = {service.name: overlay.apply(service).scaling for service in load(BASE).services}
    assert applied["encoder"].max_scale == 3
    assert applied["ingest"].max_scale == 4
    assert applied["sweeper"].max_scale == 1
    assert all(scaling.initial_scale == 0 for scaling in applied.values())


def test_a_runtime_for_one_job_starts_what_it_begins_with_and_keeps_what_it_needs_throughout() -> (
    None
):
    overlay = Overlay(cores=4, encoders=64, for_one_job=True)
    applied = {service.name: overlay.apply(service).scaling for service in load(BASE).services}
    begun = {name: scaling.initial_scale for name, scaling in applied.items()}
    kept = {name: scaling.min_scale for name, scaling in applied.items()}
    throughout = {"encoder": 2, "assembler": 1}
    assert {name: count for name, count in kept.items() if count} == throughout
    assert {name: count for name, count in begun.items() if count} == {
        "ingest": 1,
        "chunker": 1,
        **throughout,
    }


BROKER = "apiVersion: eventing.knative.dev/v1\nkind: Broker\nmetadata: {name: kinora}\n"
TRIGGER = """---
apiVersion: eventing.knative.dev/v1
kind: Trigger
metadata: {name: t}
spec:
  broker: %s
  subscriber: {ref: {apiVersion: serving.knative.dev/v1, kind: Service, name: nobody}}
"""

PING = """---
apiVersion: sources.knative.dev/v1
kind: PingSource
metadata: {name: p}
spec:
  sink: {ref: {apiVersion: serving.knative.dev/v1, kind: Service, name: nobody}}
"""


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (None, r"has no \*.yaml"),
        ("- 1", "no mapping"),
        ("a: [", "is no YAML"),
        ("kind: Service\napiVersion: serving.knative.dev/v2", "nothing here runs"),
        ("", "needs exactly one Broker, and has 0"),
        (BROKER + TRIGGER % "other", "no Broker other"),
        (BROKER + TRIGGER % "kinora", "no Service nobody"),
        (BROKER + PING, "PingSource p.spec.sink: no Service nobody"),
    ],
)
def test_a_folder_that_cannot_be_run_is_refused(
    tmp_path: Path, text: str | None, complaint: str
) -> None:
    if text is not None:
        (tmp_path / "all.yaml").write_text(text)
    with pytest.raises(Invalid, match=complaint):
        load(tmp_path)
