"""The Broker, a Trigger for each consumption, the sweeper's tick; the Triggers of components."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from eventing.contract import TICK
from eventing.topology import (
    BROKER,
    DETOURS,
    FUNCTIONS,
    Consumption,
    Delivery,
    Function,
    trigger_name,
)

_HEAD: Final = """\
# Generated from eventing/topology.py by `make generate`: edit that.
#
# Every `delivery` is written out in full: what a Trigger leaves out is not taken from the Broker
# but is zero (a Trigger with only a `timeout` never retries). Filters are exact matches of
# attributes, which every class of broker has.
"""
_SHORT_HEAD: Final = """\
# Generated from eventing/topology.py by `make generate`: edit that.
"""
_SERVICE: Final = ("serving.knative.dev/v1", "Service")
_JOB_SINK: Final = ("sinks.knative.dev/v1alpha1", "JobSink")


def files() -> dict[str, str]:
    """By path: the Triggers of the base, and those that a component brings."""
    return {
        "knative/base/triggers.yaml": _HEAD + "".join(f"---\n{each}" for each in _documents()),
        **{
            f"knative/components/{detour.component}/trigger.yaml": _SHORT_HEAD
            + _trigger(
                detour.name,
                detour.consumes,
                detour.delivery,
                subscriber=_JOB_SINK if detour.job else _SERVICE,
            )
            for detour in DETOURS
        },
    }


def _documents() -> Iterator[str]:
    yield _broker()
    for function in FUNCTIONS:
        for consumption in function.consumes:
            if consumption.type == TICK:
                yield _ping_source(function)
            else:
                yield _trigger(function.name, consumption, function.delivery, subscriber=_SERVICE)


def _broker() -> str:
    return f"""\
apiVersion: eventing.knative.dev/v1
kind: Broker
metadata:
  name: {BROKER}
  annotations:
    # Handed on to the in-memory channel, which else answers whoever publishes only when every
    # subscriber is done, retries included: a chunker would wait for each encode, and give up.
    messaging.knative.dev/async-handler: "true"
spec:
{_delivery(Delivery())}"""


def _trigger(
    name: str, consumption: Consumption, delivery: Delivery, *, subscriber: tuple[str, str]
) -> str:
    version, kind = subscriber
    attributes = "".join(
        f"      {name}: {value}\n"
        for name, value in {"type": consumption.type, **consumption.attributes}.items()
    )
    return f"""\
apiVersion: eventing.knative.dev/v1
kind: Trigger
metadata:
  name: {trigger_name(name, consumption.type)}
spec:
  broker: {BROKER}
  filter:
    attributes:
{attributes}  subscriber:
    ref:
      apiVersion: {version}
      kind: {kind}
      name: {name}
{_delivery(delivery)}"""


def _ping_source(function: Function) -> str:
    return f"""\
# Straight to the Service: a tick that is lost is made up for by the next, and a broker's retries
# would only pile ticks up.
apiVersion: sources.knative.dev/v1
kind: PingSource
metadata:
  name: {function.name}-tick
spec:
  # As often as cron can say. What stood still is found within two minutes.
  schedule: "* * * * *"
  contentType: application/json
  data: "{{}}"
  sink:
    ref:
      apiVersion: serving.knative.dev/v1
      kind: Service
      name: {function.name}
"""


def _delivery(delivery: Delivery) -> str:
    reason = "".join(f"    # {line}\n" for line in delivery.reason.splitlines())
    return f"""\
  delivery:
    retry: {delivery.retry}
    backoffPolicy: {delivery.backoff_policy}
    backoffDelay: {delivery.backoff_delay}
{reason}    timeout: {delivery.timeout}
    deadLetterSink:
      ref:
        apiVersion: serving.knative.dev/v1
        kind: Service
        name: {_dead_letter_service()}
"""


def _dead_letter_service() -> str:
    (function,) = (function for function in FUNCTIONS if function.any_event)
    return function.name
