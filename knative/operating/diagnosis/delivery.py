"""Whether events arrive: the broker, its Triggers, and what becomes of the undeliverable."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from eventing.contract import TICK
from eventing.topology import BROKER, FUNCTIONS
from knative.duration import seconds
from knative.operating.diagnosis.facts import Facts, Object, false_conditions, names, pod_of
from knative.operating.diagnosis.finding import Finding, fine, missing, poor

_CLASS: Final = "eventing.knative.dev/broker.class"
_CHANNELS: Final = "eventing/config-br-default-channel"
_WHOLE: Final = ("retry", "backoffPolicy", "backoffDelay", "timeout")


def findings(facts: Facts) -> Iterator[Finding]:
    broker = next((each for each in facts.brokers if each["metadata"]["name"] == BROKER), None)
    yield _broker(facts, broker)
    if broker is not None:
        yield _durable(facts, broker)
        yield _sink(facts, broker)
    yield _dead_letters(facts, broker)
    yield _triggers(facts)
    yield _deliveries(facts)
    yield _ticks(facts)


def _broker(facts: Facts, broker: Object | None) -> Finding:
    what, why = "broker", "Every event goes through it: without it no job goes on."
    if broker is None:
        return missing(what, f"no Broker {BROKER}", why, "`kinora deploy --overlay …` makes it.")
    if said := next(false_conditions(broker), ""):
        return missing(what, said, why, f"kubectl describe broker {BROKER} says more.")
    return fine(what, "ready")


def _durable(facts: Facts, broker: Object) -> Finding:
    what = "durability"
    kind = broker["metadata"].get("annotations", {}).get(_CLASS, "MTChannelBasedBroker")
    channel = facts.setting(_CHANNELS, "channel-template-spec", "InMemoryChannel")
    if kind != "MTChannelBasedBroker" or "InMemoryChannel" not in channel:
        return fine(what, kind)
    return poor(
        what,
        f"{kind} on the in-memory channel",
        "Events that wait are lost with its pod. No job is lost: the sweeper finds what stands "
        "still, which takes minutes.",
        "Use a class that keeps events, like Kafka: knative/components/kafka-broker.",
    )


def _sink(facts: Facts, broker: Object) -> Finding:
    what = "sink"
    address = (broker.get("status") or {}).get("address", {}).get("url", "")
    sink = facts.installation.get("sink", "")
    if not sink or not address or sink.rstrip("/") == address.rstrip("/"):
        return fine(what, sink or "not set in kinora-settings")
    return missing(
        what,
        sink,
        f"Functions publish there, and the broker is at {address}.",
        "Set `sink` of kinora-settings in your overlay to the broker's address.",
    )


def _dead_letters(facts: Facts, broker: Object | None) -> Finding:
    what = "dead letters"
    spec = (broker or {}).get("spec") or {}
    whole = bool(spec.get("delivery", {}).get("deadLetterSink"))
    without = [
        each
        for each in facts.triggers
        if not whole and not each["spec"].get("delivery", {}).get("deadLetterSink")
    ]
    if not without:
        return fine(what, "parked, and sent again by the sweeper")
    return missing(
        what,
        f"nobody takes those of {names(without)}",
        "An event that cannot be delivered is dropped with a line in a log.",
        "Give the Broker or the Triggers a deadLetterSink, as the base does.",
    )


def _triggers(facts: Facts) -> Finding:
    what = "triggers"
    unready = [
        f"{each['metadata']['name']}: {said}"
        for each in facts.triggers
        if (said := next(false_conditions(each), ""))
    ]
    heard = {
        (each["spec"].get("filter", {}).get("attributes", {}).get("type"), _subscriber(each))
        for each in facts.triggers
    }
    # One that is no Service here pulls (components/keda-encoder), or is what `functions` tells of.
    served = {each["metadata"]["name"] for each in facts.services}
    absent = [
        f"{function.name} for {consumed.type}"
        for function in FUNCTIONS
        if function.name in served or not served
        for consumed in function.consumes
        if consumed.type != TICK and (consumed.type, function.name) not in heard
    ]
    if not unready and not absent:
        return fine(what, f"{len(facts.triggers)} are ready, for every function")
    return missing(
        what,
        "; ".join([*unready, *(f"none brings {each}" for each in absent)]),
        "The functions behind them hear of nothing.",
        "`kinora deploy` makes them; kubectl describe trigger says more of those that are there.",
    )


def _deliveries(facts: Facts) -> Finding:
    what = "deliveries"
    partial = [
        each
        for each in facts.triggers
        if 0 < sum(key in each["spec"].get("delivery", {}) for key in _WHOLE) < len(_WHOLE)
    ]
    if partial:
        return missing(
            what,
            f"in part: {names(partial)}",
            "What a Trigger leaves out is zero, not the Broker's: it may never try again.",
            f"Write all of {', '.join(_WHOLE)}.",
        )
    timeouts_s = {
        each["metadata"]["name"]: int(pod_of(each).get("timeoutSeconds") or 300)
        for each in facts.services
    }
    early = [
        each
        for each in facts.triggers
        if (said := each["spec"].get("delivery", {}).get("timeout"))
        and _seconds(said) <= timeouts_s.get(_subscriber(each), 0)
    ]
    if early:
        return poor(
            what,
            f"sooner than the function gives up: {names(early)}",
            "The broker delivers again what still runs, and the work is done twice.",
            "Let each `timeout` be longer than timeoutSeconds of the function.",
        )
    return fine(what, "written out in full, and longer than the functions' own timeouts")


def _ticks(facts: Facts) -> Finding:
    what, why = "tick", "The sweeper finds what was lost or stands still, when it is woken."
    if not facts.sources:
        return missing(what, "no PingSource", why, "`kinora deploy` makes it.")
    for each in facts.sources:
        if said := next(false_conditions(each), ""):
            return missing(what, said, why, "kubectl describe pingsource says more.")
    return fine(what, ", ".join(each["spec"].get("schedule", "") for each in facts.sources))


def _seconds(duration: str) -> float:
    """0 for what is none: Knative would not have taken it."""
    try:
        return seconds(duration)
    except ValueError:
        return 0.0


def _subscriber(trigger: Object) -> str:
    ref = trigger["spec"].get("subscriber", {}).get("ref") or {}
    return str(ref.get("name", ""))
