"""Brokers and Triggers as they are written for a cluster."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from knative.duration import seconds
from knative.local.broker.manifest import (
    DEFAULT_DELIVERY,
    Broker,
    Delivery,
    Destination,
    Invalid,
    Trigger,
)

BROKER = """
apiVersion: eventing.knative.dev/v1
kind: Broker
metadata:
  name: kinora
  namespace: media
  annotations: {eventing.knative.dev/broker.class: MTChannelBasedBroker}
spec:
  config: {apiVersion: v1, kind: ConfigMap, name: config-br-default-channel}
  delivery:
    retry: 8
    backoffPolicy: exponential
    backoffDelay: PT0.5S
    timeout: PT1M
    deadLetterSink:
      ref: {apiVersion: serving.knative.dev/v1, kind: Service, name: deadletter}
"""
TRIGGER = """
apiVersion: eventing.knative.dev/v1
kind: Trigger
metadata: {name: encoder, namespace: media}
spec:
  broker: kinora
  filter:
    attributes: {type: dev.kinora.task.ready.v1, accelerator: cpu}
  subscriber:
    ref: {apiVersion: serving.knative.dev/v1, kind: Service, name: encoder}
    uri: /events
  delivery: {retry: 3, backoffPolicy: linear, backoffDelay: PT1S, timeout: PT11M}
"""
SINK = Destination(kind="Service", namespace="media", name="deadletter")


def a_broker() -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load(BROKER)
    return document


def a_trigger() -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load(TRIGGER)
    return document


def test_a_broker_is_read_from_its_manifest() -> None:
    broker = Broker.parse(a_broker())
    assert broker == Broker(
        namespace="media",
        name="kinora",
        delivery=Delivery(
            retry=8,
            backoff_policy="exponential",
            backoff_delay_s=0.5,
            timeout_s=60.0,
            dead_letter_sink=SINK,
        ),
    )
    assert broker.key == "media/kinora"


def test_a_broker_without_delivery_gets_the_default_one() -> None:
    document = a_broker()
    del document["spec"]
    del document["metadata"]["namespace"]
    broker = Broker.parse(document)
    assert broker.delivery == DEFAULT_DELIVERY
    assert broker.namespace == "default"


def test_a_trigger_is_read_from_its_manifest() -> None:
    trigger = Trigger.parse(a_trigger())
    assert (trigger.key, trigger.broker) == ("media/encoder", "kinora")
    assert trigger.subscriber.url == "http://encoder.media.svc.cluster.local/events"
    assert trigger.delivery == Delivery(
        retry=3, backoff_policy="linear", backoff_delay_s=1.0, timeout_s=660.0
    )


def test_a_triggers_delivery_replaces_the_brokers_but_for_the_dead_letter_sink() -> None:
    broker = Broker.parse(a_broker())
    document = a_trigger()
    document["spec"]["delivery"] = {"timeout": "PT5S"}
    delivery = Trigger.parse(document).delivery_under(broker)
    assert delivery == Delivery(retry=0, timeout_s=5.0, dead_letter_sink=SINK)


def test_a_trigger_without_delivery_has_the_brokers() -> None:
    broker = Broker.parse(a_broker())
    document = a_trigger()
    del document["spec"]["delivery"]
    assert Trigger.parse(document).delivery_under(broker) == broker.delivery


def test_a_triggers_own_dead_letter_sink_comes_first() -> None:
    document = a_trigger()
    document["spec"]["delivery"]["deadLetterSink"] = {"uri": "http://graves.test/"}
    delivery = Trigger.parse(document).delivery_under(Broker.parse(a_broker()))
    assert delivery.dead_letter_sink == Destination(namespace="media", uri="http://graves.test/")


def test_a_broker_as_destination_has_its_ingress_as_address() -> None:
    sink = Destination(kind="Broker", namespace="media", name="kinora")
    assert sink.url == "http://broker-ingress.knative-eventing.svc.cluster.local/media/kinora"


@pytest.mark.parametrize(
    ("path", "value", "field"),
    [
        ("apiVersion", "eventing.knative.dev/v1beta1", "Trigger encoder.apiVersion"),
        ("kind", "Broker", "Trigger encoder.kind"),
        ("metadata.name", None, "Trigger None.metadata.name"),
        ("metadata.namespace", "a/b", "Trigger encoder.metadata"),
        ("spec.broker", None, "Trigger encoder.spec.broker"),
        ("spec.brokr", "kinora", "Trigger encoder.spec.brokr"),
        ("spec.subscriber", None, "Trigger encoder.spec.subscriber"),
        ("spec.subscriber", {"uri": "encoder"}, "Trigger encoder.spec.subscriber.uri"),
        ("spec.subscriber.uri", "events", "Trigger encoder.spec.subscriber.uri"),
        ("spec.subscriber.ref.kind", "Deployment", "Trigger encoder.spec.subscriber.ref.kind"),
        ("spec.subscriber.ref.name", "", "Trigger encoder.spec.subscriber.ref.name"),
        ("spec.delivery.retry", -1, "Trigger encoder.spec.delivery.retry"),
        ("spec.delivery.retry", True, "Trigger encoder.spec.delivery.retry"),
        ("spec.delivery.retry", "3", "Trigger encoder.spec.delivery.retry"),
        ("spec.delivery.retries", 3, "Trigger encoder.spec.delivery.retries"),
        ("spec.delivery.retryAfterMax", "PT1S", "Trigger encoder.spec.delivery.retryAfterMax"),
        ("spec.delivery.backoffPolicy", "random", "Trigger encoder.spec.delivery.backoffPolicy"),
        ("spec.delivery.backoffDelay", "1s", "Trigger encoder.spec.delivery.backoffDelay"),
        ("spec.delivery.backoffDelay", 1, "Trigger encoder.spec.delivery.backoffDelay"),
        ("spec.delivery.timeout", "PT0S", "Trigger encoder.spec.delivery.timeout"),
        ("spec.delivery.format", "avro", "Trigger encoder.spec.delivery.format"),
        ("spec.delivery.deadLetterSink", {}, "Trigger encoder.spec.delivery.deadLetterSink"),
        ("spec.delivery", [], "Trigger encoder.spec.delivery"),
    ],
)
def test_a_wrong_field_is_named(path: str, value: object, field: str) -> None:
    document = a_trigger()
    node = document
    *parents, last = path.split(".")
    for parent in parents:
        node = node[parent]
    node[last] = value
    with pytest.raises(Invalid) as raised:
        Trigger.parse(document)
    assert raised.value.field == field


@pytest.mark.parametrize(
    ("text", "expected_s"),
    [
        ("PT0.2S", 0.2),
        ("PT0,5S", 0.5),
        ("PT11M", 660.0),
        ("PT1H30M", 5400.0),
        ("P1DT2H", 93_600.0),
        ("P2W", 1_209_600.0),
        ("PT0S", 0.0),
    ],
)
def test_a_duration_is_read_in_seconds(text: str, expected_s: float) -> None:
    assert seconds(text) == expected_s


@pytest.mark.parametrize("text", ["", "P", "PT", "5", "5S", "PT5", "P1Y", "P1M", "PT-1S", "P1DT"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="no ISO 8601 duration"):
        seconds(text)
