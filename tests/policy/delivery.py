"""How events come to functions, how long everybody waits, and how many there may be."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from functions.jobs.admission import SPARE_SLOTS
from functions.media.cutting.chunks import MAX_TASK_MS
from knative.duration import seconds
from tests.kustomized import of_kind
from tests.policy import Objects, Rule, name_of
from tests.policy.workload import SERVICE, Workload, services

GATEWAY: Final = "gateway"
LONGEST_REQUEST_S: Final = 600
"""`max-revision-timeout-seconds` of an untouched Serving."""
_PREFIX: Final = "autoscaling.knative.dev/"


def annotation(service: Workload, name: str) -> str:
    found = service.template["metadata"].get("annotations", {})
    return str(found.get(f"{_PREFIX}{name}", ""))


def both_timeouts_are_given_and_equal(found: Objects) -> Iterator[str]:
    for each in services(found):
        timeout_s = each.pod.get("timeoutSeconds", 0)
        # Knative fills in 300 s for the second one.
        start_s = each.pod.get("responseStartTimeoutSeconds", min(timeout_s, 300))
        if not 30 < timeout_s <= LONGEST_REQUEST_S or start_s != timeout_s:
            yield f"{each.name}: timeouts {timeout_s} and {start_s}"
        if each.function in ("encoder", GATEWAY) and timeout_s != LONGEST_REQUEST_S:
            yield f"{each.name}: does not use the time that there is"


def deliveries_are_written_out(found: Objects) -> Iterator[str]:
    for each in (*of_kind(found, "Broker"), *of_kind(found, "Trigger")):
        delivery = each["spec"].get("delivery", {})
        wanted = {"retry", "backoffPolicy", "backoffDelay", "timeout", "deadLetterSink"}
        for field in sorted(wanted - set(delivery)):
            yield f"{name_of(each)}: no {field}; it is not taken from the Broker"


def brokers_outwait_whom_they_call(found: Objects) -> Iterator[str]:
    limits_s = {
        each.found["metadata"]["name"]: each.pod["timeoutSeconds"] for each in services(found)
    }
    for each in of_kind(found, "Trigger"):
        delivery = each["spec"]["delivery"]
        for target in (each["spec"]["subscriber"], delivery["deadLetterSink"]):
            limit_s = limits_s.get(target["ref"]["name"], 0)
            if target["ref"]["apiVersion"] == SERVICE and (seconds(delivery["timeout"]) <= limit_s):
                yield f"{name_of(each)}: gives up before {target['ref']['name']} does"


def only_the_gateway_is_reached_from_outside(found: Objects) -> Iterator[str]:
    for each in services(found):
        labels = each.found["metadata"].get("labels", {})
        inside = labels.get("networking.knative.dev/visibility") == "cluster-local"
        if inside == (each.found["metadata"]["name"] == GATEWAY):
            yield f"{each.name}: visibility"
    for mapping in of_kind(found, "DomainMapping"):
        if mapping["spec"]["ref"]["name"] != GATEWAY:
            yield f"{name_of(mapping)}: leads to {mapping['spec']['ref']['name']}"


def services_are_bounded(found: Objects) -> Iterator[str]:
    for each in services(found):
        most = int(annotation(each, "max-scale") or 0)
        least = int(annotation(each, "min-scale") or 0)
        if most < 1 or least > most:
            yield f"{each.name}: scales from {least} to {most}"


def encoders_take_one_task_at_a_time(found: Objects) -> Iterator[str]:
    for each in services(found):
        if each.function != "encoder":
            continue
        if each.pod.get("containerConcurrency") != 1:
            yield f"{each.name}: more than one encode at a time"
        if annotation(each, "target-utilization-percentage") != "100":
            yield f"{each.name}: wants an idle pod beside each that works"
        if annotation(each, "target-burst-capacity") != "-1":
            yield f"{each.name}: tasks may wait at a pod while another one is idle"
        most = int(annotation(each, "max-scale") or 1)
        rounds = -(-(most + SPARE_SLOTS) // most) + 1
        if rounds * MAX_TASK_MS >= 1_000 * each.pod["timeoutSeconds"]:
            yield f"{each.name}: the last task admitted may wait too long"


def the_gateway_has_no_hard_limit(found: Objects) -> Iterator[str]:
    for each in services(found):
        if each.function == GATEWAY and each.pod.get("containerConcurrency") != 0:
            yield f"{each.name}: streams would keep others out"


def gpus_are_waited_for_by_no_rollout(found: Objects) -> Iterator[str]:
    for each in services(found):
        if _gpus(each) and annotation(each, "initial-scale") != "0":
            yield f"{each.name}: a new revision waits for a GPU that the old one holds"


def tasks_go_where_their_accelerator_is(found: Objects) -> Iterator[str]:
    gpus = {each.found["metadata"]["name"]: _gpus(each) for each in services(found)}
    for trigger in of_kind(found, "Trigger"):
        attributes = trigger["spec"]["filter"]["attributes"]
        to = trigger["spec"]["subscriber"]["ref"]["name"]
        if to.startswith("encoder") and attributes.get("accelerator") != (
            "gpu" if gpus.get(to) else "cpu"
        ):
            yield f"{name_of(trigger)}: {to} is not for {attributes.get('accelerator')}"


def _gpus(service: Any) -> int:
    limits = service.container["resources"]["limits"]
    return int(limits.get("nvidia.com/gpu", 0))


RULES: Final[tuple[Rule, ...]] = (
    both_timeouts_are_given_and_equal,
    deliveries_are_written_out,
    brokers_outwait_whom_they_call,
    only_the_gateway_is_reached_from_outside,
    services_are_bounded,
    encoders_take_one_task_at_a_time,
    the_gateway_has_no_hard_limit,
    gpus_are_waited_for_by_no_rollout,
    tasks_go_where_their_accelerator_is,
)
