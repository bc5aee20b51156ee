"""Names lead somewhere, and everything is called alike and in one place."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from knative.operating.deploying import keyring
from tests.kustomized import of_kind
from tests.policy import Objects, Rule, name_of, named
from tests.policy.workload import workloads

NAMESPACE: Final = "kinora"
OWNED: Final = {"kinora-state": {"password"}, "kinora-pull": {keyring.PULL_KEY}}
"""Secrets that only their owner can make, with their keys: components/README.md has them."""
PLATFORM: Final = ({"app": "minio"}, {"app": "redis"})
"""Labels of pods that infra/platform brings into the same namespace."""


def everything_is_in_one_namespace(found: Objects) -> Iterator[str]:
    for each in found:
        if each["metadata"].get("namespace") != NAMESPACE:
            yield f"{name_of(each)}: in {each['metadata'].get('namespace')}"


def everything_says_what_it_belongs_to(found: Objects) -> Iterator[str]:
    for each in found:
        if each["metadata"].get("labels", {}).get("app.kubernetes.io/part-of") != "kinora":
            yield f"{name_of(each)}: no part of anything"
    for workload in workloads(found):
        for label in ("app.kubernetes.io/part-of", "app.kubernetes.io/component"):
            if not workload.labels.get(label):
                yield f"{workload.name}: its pods have no {label}"
        own = workload.function or workload.found["metadata"]["name"]
        if workload.labels.get("app.kubernetes.io/component") != own:
            yield f"{workload.name}: its pods are not called {own}"


def events_go_to_somebody(found: Objects) -> Iterator[str]:
    for each in found:
        if each["kind"] == "Trigger" and not named(found, "Broker", each["spec"]["broker"]):
            yield f"{name_of(each)}: no Broker {each['spec']['broker']}"
        if each["kind"] in ("Trigger", "Broker", "PingSource", "DomainMapping"):
            for ref in _references(each["spec"]):
                group = ref["apiVersion"].partition("/")[0]
                if ref["kind"] in ("Service", "JobSink") and not named(
                    found, ref["kind"], ref["name"], group
                ):
                    yield f"{name_of(each)}: no {ref['kind']} {ref['name']}"


def sinks_are_the_broker(found: Objects) -> Iterator[str]:
    (broker,) = of_kind(found, "Broker")
    place = f"/{NAMESPACE}/{broker['metadata']['name']}"
    kafka = "Kafka" in broker["metadata"].get("annotations", {}).values()
    for workload in workloads(found):
        sink = workload.env.get("K_SINK")
        if workload.function and not (isinstance(sink, str) and sink.endswith(place)):
            yield f"{workload.name}: says events to {sink}"
        if isinstance(sink, str) and ("//kafka-" in sink) != kafka:
            yield f"{workload.name}: says events to a broker of another class, {sink}"


def config_maps_are_there(found: Objects) -> Iterator[str]:
    for each in workloads(found):
        for volume in each.pod.get("volumes", []):
            wanted = volume.get("configMap", {}).get("name")
            if wanted and not named(found, "ConfigMap", wanted):
                yield f"{each.name}: no ConfigMap {wanted}"
    for broker in of_kind(found, "Broker"):
        config = broker["spec"].get("config")
        if config and not named(found, config["kind"], config["name"]):
            yield f"{name_of(broker)}: no {config['kind']} {config['name']}"


def secrets_can_be_had(found: Objects) -> Iterator[str]:
    for each in keyring.references(found):
        keys = keyring.made(each.name)
        known = set(keys) if keys is not None else OWNED.get(each.name)
        if known is None:
            yield f"{each.by}: nobody makes a Secret {each.name}"
        elif not each.keys <= known:
            yield f"{each.by}: Secret {each.name} has no {', '.join(each.keys - known)}"
    for mapping in of_kind(found, "DomainMapping"):
        certificates = {each["spec"]["secretName"] for each in of_kind(found, "Certificate")}
        if mapping["spec"]["tls"]["secretName"] not in certificates:
            yield f"{name_of(mapping)}: nobody makes its certificate"


def domains_are_one(found: Objects) -> Iterator[str]:
    names = {
        *(each["metadata"]["name"] for each in of_kind(found, "DomainMapping")),
        *(each["metadata"]["name"] for each in of_kind(found, "ClusterDomainClaim")),
        *(name for each in of_kind(found, "Certificate") for name in each["spec"]["dnsNames"]),
    }
    if len(names) > 1 or any(name.endswith(".invalid") for name in names):
        yield f"the gateway is called {', '.join(sorted(names))}"


def selectors_select_somebody(found: Objects) -> Iterator[str]:
    pods = [*PLATFORM, *(workload.labels for workload in workloads(found))]
    for each in found:
        if each["kind"] in ("NetworkPolicy", "PodDisruptionBudget"):
            selector = each["spec"].get("selector", each["spec"].get("podSelector"))
            if not any(selects(selector, labels) for labels in pods):
                yield f"{name_of(each)}: selects no pod"


def selects(selector: Any, labels: dict[str, str]) -> bool:
    """A label selector of Kubernetes."""
    wanted = selector.get("matchLabels", {}).items()
    return all(labels.get(key) == value for key, value in wanted) and all(
        _expressed(each, labels.get(each["key"])) for each in selector.get("matchExpressions", [])
    )


def _expressed(expression: Any, value: str | None) -> bool:
    match expression["operator"]:
        case "In":
            return value in expression["values"]
        case "NotIn":
            return value not in expression["values"]
        case "Exists":
            return value is not None
        case operator:
            raise ValueError(f"no operator {operator} is used here")


def _references(value: Any) -> Iterator[Any]:
    if isinstance(value, dict):
        if "ref" in value:
            yield value["ref"]
        for inner in value.values():
            yield from _references(inner)


RULES: Final[tuple[Rule, ...]] = (
    everything_is_in_one_namespace,
    everything_says_what_it_belongs_to,
    events_go_to_somebody,
    sinks_are_the_broker,
    config_maps_are_there,
    secrets_can_be_had,
    domains_are_one,
    selectors_select_somebody,
)
