"""knative/base/triggers.yaml: the Broker, a Trigger for each consumption, the sweeper's tick."""

from __future__ import annotations

from eventing.contract import TICK
from eventing.topology import BROKER, FUNCTIONS, Consumption, Delivery, Function, trigger_name

_HEAD = """\
# Generated from eventing/topology.py by `make generate`: edit that.
#
# Every `delivery` is written out in full: what a Trigger leaves out is not taken from the Broker
# but is zero (a Trigger with only a `timeout` never retries). Filters are exact matches of
# attributes, which every class of broker has.
"""


def text() -> str:
    documents = [_broker()]
    for function in FUNCTIONS:
        for consumption in function.consumes:
            if consumption.type == TICK:
                documents.append(_ping_source(function))
            else:
                documents.append(_trigger(function, consumption))
    return _HEAD + "".join(f"---\n{document}" for document in documents)


def _broker() -> str:
    return f"""\
apiVersion: eventing.knative.dev/v1
kind: Broker
metadata:
  name: {BROKER}
spec:
{_delivery(Delivery())}"""


def _trigger(function: Function, consumption: Consumption) -> str:
    attributes = "".join(
        f"      {name}: {value}\n"
        for name, value in {"type": consumption.type, **consumption.attributes}.items()
    )
    return f"""\
apiVersion: eventing.knative.dev/v1
kind: Trigger
metadata:
  name: {trigger_name(function.name, consumption.type)}
spec:
  broker: {BROKER}
  filter:
    attributes:
{attributes}  subscriber:
    ref:
      apiVersion: serving.knative.dev/v1
      kind: Service
      name: {function.name}
{_delivery(function.delivery)}"""


def _ping_source(function: Function) -> str:
    return f"""\
# Straight to the Service: a tick that is lost is made up for by the next, and a broker's retries
# would only pile ticks up.
apiVersion: sources.knative.dev/v1
kind: PingSource
metadata:
  name: {function.name}-tick
spec:
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
