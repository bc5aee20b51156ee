"""With the component network-policies: who reaches whom, by what functions say and may do."""

from __future__ import annotations

from functools import cache

import pytest

from eventing.topology import FUNCTIONS
from knative.buckets.access import GRANTS
from tests import kustomized
from tests.policy import Objects
from tests.policy.reach import Party, allowed
from tests.policy.workload import Workload, workloads

pytestmark = kustomized.needs_kubectl

NAMES = [function.name for function in FUNCTIONS]
BROKER = Party(namespace="knative-eventing", labels={"eventing.knative.dev/brokerRole": "ingress"})
KAFKA = Party(namespace="knative-eventing", labels={"app": "kafka-broker-receiver"})
MINIO = Party(labels={"app": "minio"})
REDIS = Party(labels={"app": "redis"})
DNS = Party(namespace="kube-system", labels={"k8s-app": "kube-dns"})
ACTIVATOR = Party(namespace="knative-serving", labels={"app": "activator"})
INGRESS = Party(namespace="kourier-system", labels={"app": "3scale-kourier-gateway"})
COLLECTOR = Party(namespace="observability")
STRANGER = Party(namespace="default")
OUTSIDE = Party(address="203.0.113.7")
NEARBY = [Party(address=address) for address in ("10.0.0.7", "169.254.169.254", "192.168.1.1")]


@cache
def found() -> Objects:
    return kustomized.objects("production", ("gpu-encoder", "long-tasks", "tracing"))


@cache
def pods() -> dict[str, Party]:
    """By the name of what starts them."""
    return {
        each.found["metadata"]["name"]: Party(labels=each.labels) for each in workloads(found())
    }


def functions() -> dict[str, Workload]:
    """By name, whatever runs a function."""
    return {each.found["metadata"]["name"]: each for each in workloads(found()) if each.function}


def reach(to: Party, port: int, protocol: str = "TCP") -> set[str]:
    """What of ours may connect there."""
    return {name for name, own in pods().items() if allowed(found(), own, to, port, protocol)}


def test_whoever_says_events_reaches_the_broker_and_nobody_else() -> None:
    emitting = {function.name for function in FUNCTIONS if function.emits}
    expected = {name for name, each in functions().items() if each.function in emitting}
    assert reach(BROKER, 8080) == reach(KAFKA, 8080) == expected
    assert reach(BROKER, 22) == set()


def test_whoever_has_rights_at_the_buckets_reaches_the_store_and_nobody_else() -> None:
    expected = {name for name, each in functions().items() if each.function in GRANTS}
    assert reach(MINIO, 9000) == expected | {"buckets"}


def test_whoever_is_told_of_the_state_reaches_it_and_nobody_else() -> None:
    expected = {name for name, each in functions().items() if "KINORA_STATE" in each.env}
    assert reach(REDIS, 6379) == expected


def test_everybody_may_ask_for_names() -> None:
    for protocol in ("UDP", "TCP"):
        assert reach(DNS, 53, protocol) == set(pods())


def test_only_the_notifier_and_the_gateway_go_outside_and_nowhere_near() -> None:
    for port in (443, 8443):
        assert reach(OUTSIDE, port) == {"notifier", "gateway"}
        for address in NEARBY:
            assert reach(address, port) == set()


@pytest.mark.parametrize("name", ["encoder", "encoder-gpu", "encoder-long"])
def test_an_encoder_has_no_way_out_but_to_what_it_works_with(name: str) -> None:
    own = pods()[name]
    others = [*pods().values(), OUTSIDE, *NEARBY, ACTIVATOR, INGRESS, STRANGER]
    for other in others:
        for port in (80, 443, 8012, 8080, 9000, 6379):
            assert not allowed(found(), own, other, port)


def test_functions_are_called_by_knative_alone() -> None:
    for name, own in pods().items():
        called = name in NAMES or name == "encoder-gpu"
        assert allowed(found(), ACTIVATOR, own, 8012) is called
        assert allowed(found(), INGRESS, own, 8012) is called
        # Past the container that counts requests and holds them back.
        assert not allowed(found(), ACTIVATOR, own, 8080)
        for other in (STRANGER, OUTSIDE, *pods().values(), MINIO, REDIS):
            assert not allowed(found(), other, own, 8012)


def test_stores_are_reached_by_nobody_else_and_only_minio_calls_and_only_the_ingress() -> None:
    for other in (STRANGER, OUTSIDE, ACTIVATOR):
        assert not allowed(found(), other, MINIO, 9000)
        assert not allowed(found(), other, REDIS, 6379)
    assert allowed(found(), MINIO, INGRESS, 8081)
    assert not allowed(found(), MINIO, OUTSIDE, 443)
    for other in (DNS, INGRESS, OUTSIDE, MINIO):
        assert not allowed(found(), REDIS, other, 53)


def test_traces_reach_the_collector_and_nothing_else_there() -> None:
    assert all("OTEL_EXPORTER_OTLP_ENDPOINT" in each.env for each in functions().values())
    assert reach(COLLECTOR, 4318) == set(pods())
    assert reach(COLLECTOR, 9200) == set()


def test_without_the_component_everybody_reaches_everything() -> None:
    bare = kustomized.objects("local")
    assert allowed(bare, pods()["encoder"], OUTSIDE, 443)
