"""Fields of pods that Knative Serving refuses until its operator allows them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from knative.operating.diagnosis.facts import Facts, Object, annotation, pod_of
from knative.operating.diagnosis.finding import Finding, fine, missing

FEATURES: Final = "serving/config-features"
_ON: Final = ("enabled", "allowed")

_FLAGS: Final[Mapping[str, str]] = {
    "affinity": "affinity",
    "dnsConfig": "dnsconfig",
    "dnsPolicy": "dnspolicy",
    "hostAliases": "hostaliases",
    "initContainers": "init-containers",
    "nodeSelector": "nodeselector",
    "priorityClassName": "priorityclassname",
    "runtimeClassName": "runtimeclassname",
    "schedulerName": "schedulername",
    "securityContext": "securitycontext",
    "tolerations": "tolerations",
    "topologySpreadConstraints": "topologyspreadconstraints",
}
"""Flags, without their prefix, by the field of the pod that they allow."""
_VOLUMES: Final[Mapping[str, str]] = {
    "csi": "volumes-csi",
    "emptyDir": "volumes-emptydir",
    "ephemeral": "volumes-ephemeral",
    "hostPath": "volumes-hostpath",
    "image": "volumes-image",
    "persistentVolumeClaim": "persistent-volume-claim",
}
_BY_DEFAULT: Final = frozenset({"volumes-emptydir"})
"""Those that are on where nothing is said."""


def flags_of(service: Object) -> set[str]:
    """What a Service's pod needs: flags without their prefix `kubernetes.podspec-`."""
    pod = pod_of(service)
    needed = {flag for field, flag in _FLAGS.items() if pod.get(field)}
    for volume in pod.get("volumes", ()):
        needed |= {flag for field, flag in _VOLUMES.items() if field in volume}
    if any(_by_field(each) for container in pod["containers"] for each in container.get("env", ())):
        needed.add("fieldref")
    return needed


def findings(facts: Facts) -> Iterator[Finding]:
    yield _flags(facts)
    yield _zero(facts)


def _flags(facts: Facts) -> Finding:
    what = "feature flags"
    needed: dict[str, list[str]] = {}
    for service in facts.services:
        for flag in flags_of(service):
            needed.setdefault(flag, []).append(service["metadata"]["name"])
    lacking = sorted(flag for flag in needed if not _on(facts, flag))
    if not lacking:
        return fine(what, f"the {len(needed)} that are needed are on")
    by = sorted({name for flag in lacking for name in needed[flag]})
    data = ", ".join(f'"kubernetes.podspec-{flag}": "enabled"' for flag in lacking)
    return missing(
        what,
        f"off: {', '.join(lacking)}",
        f"Serving refuses the Services that use them: {', '.join(by)}.",
        "kubectl patch configmap config-features --namespace knative-serving "
        f"--patch '{{\"data\": {{{data}}}}}'",
    )


def _zero(facts: Facts) -> Finding:
    what = "initial scale"
    config = "serving/config-autoscaler"
    wanting = [each for each in facts.services if annotation(each, "initial-scale") == "0"]
    allowed = facts.setting(config, "allow-zero-initial-scale", "false") == "true"
    if allowed or not wanting:
        return fine(what, "zero is allowed" if allowed else "no Service asks for zero")
    return missing(
        what,
        "zero is not allowed",
        f"{_these(wanting)} asks for it, and cannot be made.",
        "kubectl patch configmap config-autoscaler --namespace knative-serving "
        '--patch \'{"data": {"allow-zero-initial-scale": "true"}}\'',
    )


def _on(facts: Facts, flag: str) -> bool:
    default = "enabled" if flag in _BY_DEFAULT else "disabled"
    return facts.setting(FEATURES, f"kubernetes.podspec-{flag}", default).lower() in _ON


def _by_field(variable: Mapping[str, Any]) -> bool:
    return bool({"fieldRef", "resourceFieldRef"} & (variable.get("valueFrom") or {}).keys())


def _these(services: Sequence[Object]) -> str:
    return ", ".join(sorted(each["metadata"]["name"] for each in services))
