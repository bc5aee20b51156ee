"""`kinora doctor --cluster`: a cluster as it has to be, and each way of not being so."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from knative.operating.deploying import keyring
from knative.operating.diagnosis import features, versions
from knative.operating.diagnosis.examination import before_deploying, examine
from knative.operating.diagnosis.facts import Facts
from knative.operating.diagnosis.finding import Finding
from knative.operating.quantity import quantity
from tests import kustomized

READY = {"conditions": [{"type": "Ready", "status": "True"}]}
SINK = "http://broker-ingress.knative-eventing.svc.cluster.local/kinora/kinora"


def installed(*components: str) -> Facts:
    """The overlay `local` in a cluster that is as infra/platform makes it."""
    objects = copy.deepcopy(kustomized.objects("local", components))
    of_kind = kustomized.of_kind
    for each in objects:
        each["status"] = copy.deepcopy(READY)
    services = of_kind(objects, "Service", "serving.knative.dev")
    for each in services:
        each["status"]["url"] = f"http://{each['metadata']['name']}.kinora.kinora.example"
    (broker,) = of_kind(objects, "Broker")
    broker["metadata"]["annotations"] = {"eventing.knative.dev/broker.class": "Kafka"}
    broker["status"]["address"] = {"url": SINK}
    needed = keyring.references(objects)
    images = {c["image"] for s in services for c in s["spec"]["template"]["spec"]["containers"]}
    observed = {"metrics-protocol": "prometheus", "request-metrics-protocol": "prometheus"}
    return Facts(
        kubernetes="v1.34.4",
        serving="1.22.0",
        eventing="1.22.2",
        settings={
            "serving/config-features": {
                f"kubernetes.podspec-{flag}": "enabled"
                for flag in ("tolerations", "nodeselector", "runtimeclassname", "affinity")
            },
            "serving/config-autoscaler": {"allow-zero-initial-scale": "true"},
            "serving/config-observability": observed,
            "eventing/config-observability": observed,
        },
        namespace="kinora",
        services=services,
        brokers=[broker],
        triggers=of_kind(objects, "Trigger"),
        sources=of_kind(objects, "PingSource"),
        installation={"sink": SINK},
        secrets={each.name: each.keys for each in needed},
        needed=[(each.name, each.keys, each.by) for each in needed],
        nodes=[
            {
                "metadata": {"name": "one", "labels": {}},
                "spec": {},
                "status": {
                    "allocatable": {"cpu": "4", "memory": "16Gi"},
                    "images": [{"names": [image], "sizeBytes": 1000} for image in images],
                },
            }
        ],
    )


def found(facts: Facts, what: str) -> Finding:
    return next(each for each in examine(facts) if each.what == what)


@pytest.mark.parametrize(
    "components",
    # Each that asks nothing else of a cluster.
    [(), ("keda-encoder",), ("long-tasks", "kafka-broker"), ("spot-nodes", "tls", "tracing")],
)
def test_nothing_is_found_where_all_is_as_it_has_to_be(components: tuple[str, ...]) -> None:
    assert [each for each in examine(installed(*components)) if each.state != "ok"] == []


def changed(facts: Facts, config: str, **settings: str) -> Facts:
    given = {key.replace("_", "-"): value for key, value in settings.items()}
    whole = {**facts.settings, config: {**facts.settings.get(config, {}), **given}}
    return replace(facts, settings=whole)


def _broken_trigger(facts: Facts) -> Facts:
    said = {"type": "Ready", "status": "False", "reason": "SubscriberMissing"}
    facts.triggers[0]["status"]["conditions"] = [said]
    return facts


def _partial_delivery(facts: Facts) -> Facts:
    facts.triggers[0]["spec"]["delivery"] = {"timeout": "PT11M"}
    return facts


def _hasty_delivery(facts: Facts) -> Facts:
    for each in facts.triggers:
        each["spec"]["delivery"]["timeout"] = "PT5S"
    return facts


def _no_dead_letters(facts: Facts) -> Facts:
    for each in (*facts.brokers, *facts.triggers):
        each["spec"]["delivery"].pop("deadLetterSink")
    return facts


def _in_memory(facts: Facts) -> Facts:
    facts.brokers[0]["metadata"]["annotations"] = {}
    return facts


def _small_nodes(facts: Facts) -> Facts:
    facts.nodes[0]["status"]["allocatable"]["memory"] = "16Mi"
    return facts


def _few_cores(facts: Facts) -> Facts:
    facts.nodes[0]["status"]["allocatable"]["cpu"] = "50m"
    return facts


def _tainted(facts: Facts) -> Facts:
    facts.nodes[0]["spec"]["taints"] = [{"key": "mine", "effect": "NoSchedule"}]
    return facts


def _strange_address(facts: Facts) -> Facts:
    for each in facts.services:
        each["status"]["url"] = f"http://{each['metadata']['name']}.kinora.svc.cluster.local"
    return facts


def _without_images(facts: Facts) -> Facts:
    facts.nodes[0]["status"]["images"] = []
    return facts


def _unready(facts: Facts) -> Facts:
    said = {"type": "Ready", "status": "False", "reason": "RevisionFailed", "message": "No image."}
    facts.services[0]["status"]["conditions"] = [said]
    return facts


def _quota(hard: str) -> dict[str, Any]:
    return {"metadata": {"name": "all"}, "status": {"hard": {"requests.memory": hard}}}


def _limit(**more: Any) -> dict[str, Any]:
    return {"metadata": {"name": "all"}, "spec": {"limits": [{"type": "Container", **more}]}}


CHANGES: list[tuple[str, Callable[[Facts], Facts], str, str, str]] = [
    ("no Serving", lambda f: replace(f, serving=""), "Knative Serving", "missing", "not installed"),
    ("old Kubernetes", lambda f: replace(f, kubernetes="v1.29.1"), "Kubernetes", "missing", "1.29"),
    ("new Eventing", lambda f: replace(f, eventing="1.40.0"), "Knative Eventing", "poor", "1.40"),
    ("no number", lambda f: replace(f, serving="devel"), "Knative Serving", "poor", "devel"),
    (
        "a Secret gone",
        lambda f: replace(f, secrets={}),
        "secrets",
        "missing",
        "kinora-secrets",
    ),
    (
        "a key gone",
        lambda f: replace(f, secrets={**f.secrets, "kinora-secrets": frozenset({"master-key"})}),
        "secrets",
        "missing",
        "source-token of kinora-secrets",
    ),
    (
        "a short limit",
        lambda f: changed(f, "serving/config-defaults", max_revision_timeout_seconds="300"),
        "max-revision-timeout-seconds",
        "missing",
        "300 s",
    ),
    (
        "no zero",
        lambda f: changed(f, "serving/config-autoscaler", enable_scale_to_zero="false"),
        "autoscaler",
        "poor",
        "enable-scale-to-zero",
    ),
    (
        "pods kept",
        lambda f: changed(f, "serving/config-autoscaler", scale_to_zero_pod_retention_period="10m"),
        "autoscaler",
        "poor",
        "10m",
    ),
    (
        "a bound on scale",
        lambda f: changed(f, "serving/config-autoscaler", max_scale_limit="1"),
        "autoscaler",
        "missing",
        "1",
    ),
    (
        "no metrics",
        lambda f: changed(f, "serving/config-observability", metrics_protocol="none"),
        "metrics",
        "poor",
        "serving/config-observability",
    ),
    ("no domain", _strange_address, "domain", "missing", "svc.cluster.local"),
    ("a function that fails", _unready, "functions", "missing", "No image."),
    ("nothing installed", lambda f: replace(f, services=[]), "functions", "missing", "kinora"),
    ("no broker", lambda f: replace(f, brokers=[]), "broker", "missing", "no Broker"),
    ("a broker in memory", _in_memory, "durability", "poor", "in-memory"),
    (
        "another sink",
        lambda f: replace(f, installation={"sink": "http://elsewhere/"}),
        "sink",
        "missing",
        "elsewhere",
    ),
    ("no dead letters", _no_dead_letters, "dead letters", "missing", "nobody"),
    ("a broken trigger", _broken_trigger, "triggers", "missing", "SubscriberMissing"),
    (
        "a trigger gone",
        lambda f: replace(f, triggers=f.triggers[1:]),
        "triggers",
        "missing",
        "none",
    ),
    ("a partial delivery", _partial_delivery, "deliveries", "missing", "in part"),
    ("a hasty delivery", _hasty_delivery, "deliveries", "poor", "sooner"),
    ("no tick", lambda f: replace(f, sources=[]), "tick", "missing", "no PingSource"),
    ("small nodes", _small_nodes, "capacity", "missing", "no node holds"),
    ("few cores", _few_cores, "capacity", "poor", "cores are free"),
    ("a taint", _tainted, "capacity", "missing", "no node holds"),
    (
        "a quota",
        lambda f: replace(f, quotas=[_quota("64Mi")]),
        "quotas",
        "poor",
        "requests.memory is 64Mi",
    ),
    (
        "a limit of CPU",
        lambda f: replace(f, limit_ranges=[_limit(default={"cpu": "500m"})]),
        "limit ranges",
        "poor",
        "500m",
    ),
    (
        "a limit below ours",
        lambda f: replace(f, limit_ranges=[_limit(max={"memory": "1Gi"})]),
        "limit ranges",
        "missing",
        "encoder",
    ),
    ("images to fetch", _without_images, "images", "poor", "kinora-media"),
]


@pytest.mark.parametrize(
    ("change", "what", "state", "said"),
    [each[1:] for each in CHANGES],
    ids=[each[0] for each in CHANGES],
)
def test_what_is_amiss_is_told_with_why_and_what_to_do(
    change: Callable[[Facts], Facts], what: str, state: str, said: str
) -> None:
    told = found(change(installed()), what)
    assert told.state == state
    assert said in told.found
    assert told.why.endswith(".") and told.advice


def test_flags_are_those_that_the_installed_components_need() -> None:
    facts = installed("gpu-encoder")
    gpu = next(each for each in facts.services if "gpu" in each["metadata"]["name"])
    assert {"nodeselector", "tolerations"} <= features.flags_of(gpu)
    off = replace(facts, settings={**facts.settings, "serving/config-features": {}})
    told = next(each for each in before_deploying(off) if each.what == "feature flags")
    assert told.state == "missing"
    assert gpu["metadata"]["name"] in told.why
    assert '"kubernetes.podspec-tolerations": "enabled"' in told.advice
    flagless = replace(installed(), settings={})
    assert (
        next(each for each in before_deploying(flagless) if each.what == "feature flags").state
        == "ok"
    )


def test_a_gpu_encoder_wants_a_node_that_has_one_and_lets_it_in() -> None:
    facts = installed("gpu-encoder")
    gpu = next(each for each in facts.services if "gpu" in each["metadata"]["name"])
    pod = gpu["spec"]["template"]["spec"]
    classes = frozenset({pod["runtimeClassName"]} if "runtimeClassName" in pod else ())
    facts = replace(facts, runtime_classes=classes)
    assert "no node has" in found(facts, "GPU").found
    facts.nodes[0]["status"]["allocatable"]["nvidia.com/gpu"] = "1"
    assert "may go to none" in found(facts, "GPU").found
    facts.nodes[0]["metadata"]["labels"].update(pod["nodeSelector"])
    assert found(facts, "GPU").state == "ok"
    facts.nodes[0]["spec"]["taints"] = [{"key": "nvidia.com/gpu", "effect": "NoSchedule"}]
    assert found(facts, "GPU").state == "ok"


def test_versions_are_read_however_they_are_written() -> None:
    assert versions.number("v1.34.4+k3s1") == (1, 34)
    assert versions.number("knative-v1.22.2") == (1, 22)
    assert versions.number("devel") is None
    said = versions.of_module("dev.local/serving/controller:v0.49.0")
    assert (said, versions.number(said)) == ("1.22 (module v0.49.0)", (1, 22))
    assert versions.of_module("host:5000/controller@sha256:0") == ""


def test_the_page_says_which_versions_are_supported() -> None:
    page = (Path(__file__).parents[2] / "docs/knative.md").read_text()
    for each in versions.SUPPORTED:
        row = f"| {each.what} | {versions.text(each.oldest)} | {versions.text(each.tested)} |"
        assert row in page


@pytest.mark.parametrize(
    ("said", "expected"),
    [("100m", 0.1), ("2", 2), (3, 3), ("1Gi", 2**30), ("500k", 5e5), ("1.5", 1.5)],
)
def test_amounts_are_read_as_kubernetes_writes_them(said: str | int, expected: float) -> None:
    assert quantity(said) == pytest.approx(expected)
