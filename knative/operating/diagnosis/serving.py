"""How Knative Serving is set, against what the Services ask of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final
from urllib.parse import urlsplit

from knative.operating.diagnosis.facts import Facts, annotation, false_conditions, names, pod_of
from knative.operating.diagnosis.finding import Finding, fine, missing, poor

_AUTOSCALER: Final = "serving/config-autoscaler"
_DEFAULTS: Final = "serving/config-defaults"
_OBSERVED: Final = ("serving/config-observability", "eventing/config-observability")
_MAX_TIMEOUT_S: Final = 600
GATEWAY: Final = "gateway"


def findings(facts: Facts) -> Iterator[Finding]:
    yield _services(facts)
    yield _timeouts(facts)
    yield _scaling(facts)
    yield _domain(facts)
    yield _metrics(facts)


def _services(facts: Facts) -> Finding:
    what = "functions"
    unready = []
    for service in facts.services:
        conditions = (service.get("status") or {}).get("conditions", ())
        if not any(each["type"] == "Ready" and each["status"] == "True" for each in conditions):
            unready.append((service["metadata"]["name"], next(false_conditions(service), "")))
    if not facts.services:
        return missing(
            what,
            f"none in the namespace {facts.namespace}",
            "Nothing is installed there.",
            "`kinora deploy --overlay …` installs it; --namespace names another.",
        )
    if not unready:
        return fine(what, f"{len(facts.services)} are ready")
    return missing(
        what,
        "; ".join(f"{name}: {why or 'not looked at yet'}" for name, why in unready),
        "What they are to do waits at the broker, is parked in the end, and done once they are "
        "ready.",
        "`kinora knative status` has their errors, `kinora evidence` everything.",
    )


def _timeouts(facts: Facts) -> Finding:
    what = "max-revision-timeout-seconds"
    most = int(facts.setting(_DEFAULTS, what, str(_MAX_TIMEOUT_S)))
    asked = {
        each["metadata"]["name"]: int(pod_of(each).get("timeoutSeconds") or 300)
        for each in facts.services
    }
    over = sorted(name for name, timeout_s in asked.items() if timeout_s > most)
    if over:
        longest = max(asked.values())
        return missing(
            what,
            f"{most} s",
            f"{', '.join(over)} asks for up to {longest} s, and is refused.",
            f"Set it to {longest} in config-defaults, and terminationGracePeriodSeconds of the "
            "activator to as much.",
        )
    unpaired = sorted(
        each["metadata"]["name"]
        for each in facts.services
        if int(pod_of(each).get("timeoutSeconds") or 300)
        > int(pod_of(each).get("responseStartTimeoutSeconds") or 300)
    )
    if unpaired:
        return poor(
            what,
            f"{most} s, and {', '.join(unpaired)} without responseStartTimeoutSeconds as long",
            "A function that answers only when it is done is cut off at 300 s.",
            "Set responseStartTimeoutSeconds to timeoutSeconds, as the base does.",
        )
    return fine(what, f"{most} s; no Service asks for more")


def _scaling(facts: Facts) -> Finding:
    what = "autoscaler"
    if facts.setting(_AUTOSCALER, "enable-scale-to-zero", "true") != "true":
        return poor(
            what,
            "enable-scale-to-zero is false",
            "A pod of each function runs all the time.",
            'Set it to "true" in config-autoscaler, namespace knative-serving.',
        )
    kept = facts.setting(_AUTOSCALER, "scale-to-zero-pod-retention-period", "0s")
    if kept not in ("0", "0s"):
        return poor(
            what,
            f"scale-to-zero-pod-retention-period is {kept}",
            "The last pod of each function stays that much longer after its work.",
            "Set it to 0s in config-autoscaler; where it is wanted there is an annotation.",
        )
    limit = int(facts.setting(_AUTOSCALER, "max-scale-limit", "0"))
    over = [
        each
        for each in facts.services
        if limit and int(annotation(each, "max-scale", "0") or 0) not in range(1, limit + 1)
    ]
    if over:
        return missing(
            what,
            f"max-scale-limit is {limit}",
            f"{names(over)} asks for more, and is refused.",
            "Raise the limit in config-autoscaler, or lower max-scale in your overlay.",
        )
    window = facts.setting(_AUTOSCALER, "stable-window", "60s")
    return fine(what, f"scales to zero, window {window} where a Service names none")


def _domain(facts: Facts) -> Finding:
    what = "domain"
    url = next(
        (
            (each.get("status") or {}).get("url", "")
            for each in facts.services
            if each["metadata"]["name"] == GATEWAY
        ),
        "",
    )
    host = urlsplit(url).hostname or ""
    public = facts.installation.get("public-url", "")
    if not host:
        return poor(
            what,
            "the gateway has no address yet",
            "People and applications reach Kinora by it.",
            "See why the gateway is not ready.",
        )
    if host.endswith((".svc.cluster.local", ".svc")):
        return missing(
            what,
            host,
            "The gateway can only be reached inside the cluster: Knative has no domain.",
            'Name one in config-domain, namespace knative-serving, like kinora.example: "".',
        )
    if host.endswith(".example.com"):
        return poor(
            what,
            host,
            "example.com is what Knative takes where no domain is set: no DNS leads here.",
            "Name yours in config-domain, namespace knative-serving.",
        )
    return fine(what, f"{host}; clients use {public}" if public else host)


def _metrics(facts: Facts) -> Finding:
    what = "metrics"
    off = [
        f"{config} {key}"
        for config in _OBSERVED
        for key in ("metrics-protocol", "request-metrics-protocol")
        if not (config.startswith("eventing") and key.startswith("request"))
        and facts.setting(config, key, "none") == "none"
    ]
    if not off:
        return fine(what, "Serving and Eventing expose theirs")
    return poor(
        what,
        f"none: {', '.join(off)}",
        "`kinora knative status` and `tune` cannot tell what is in flight and queued.",
        "Set each to prometheus, as infra/platform does.",
    )
