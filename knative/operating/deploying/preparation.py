"""What has to be there before an overlay can be brought into a cluster."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

from knative.operating import kinds
from knative.operating.cluster import Cluster
from knative.operating.deploying import keyring
from knative.operating.diagnosis import reading
from knative.operating.diagnosis.examination import before_deploying

Object = dict[str, Any]

_BRINGERS: Final = {
    "serving.knative.dev": "Knative Serving",
    "eventing.knative.dev": "Knative Eventing",
    "sources.knative.dev": "Knative Eventing",
    "sinks.knative.dev": "Knative Eventing",
    "keda.sh": "KEDA",
    "cert-manager.io": "cert-manager",
}
"""Who brings the kinds of a group."""


def missing(
    cluster: Cluster, objects: Sequence[Object], references: Sequence[keyring.Reference]
) -> Iterator[str]:
    """Each as a sentence with what to do. Raises Unavailable, Refused."""
    lacking = [*_kinds(cluster, objects), *_secrets(cluster, references)]
    yield from lacking
    if lacking:
        return
    for finding in before_deploying(reading.facts(cluster, "", objects)):
        if finding.state == "missing":
            yield f"{finding.what}: {finding.found}. {finding.why} {finding.advice}"


def _kinds(cluster: Cluster, objects: Sequence[Object]) -> Iterator[str]:
    brought = {_defined(each) for each in objects if each["kind"] == "CustomResourceDefinition"}
    lacking: dict[str, set[str]] = {}
    for each in objects:
        group = each["apiVersion"].rpartition("/")[0]
        if (group, each["kind"]) not in brought and cluster.kind_of(each) is None:
            lacking.setdefault(group, set()).add(each["kind"])
    for group, names in lacking.items():
        known = f"The cluster knows no {' and no '.join(sorted(names))}"
        if not group:
            yield f"{known}, which is Kubernetes' own. Look at the kind and its apiVersion."
            continue
        who = _BRINGERS.get(group, f"what brings {group}")
        yield (
            f"{known} ({group}). Install {who} first: infra/platform has what this project was "
            "tested with."
        )


def _defined(definition: Object) -> tuple[str, str]:
    """Group and kind of what it defines; of a broken one nothing, the cluster will say why."""
    try:
        return definition["spec"]["group"], definition["spec"]["names"]["kind"]
    except (KeyError, TypeError):
        return "", ""


def _secrets(cluster: Cluster, references: Sequence[keyring.Reference]) -> Iterator[str]:
    for each in references:
        there = cluster.get(kinds.SECRET, each.name, each.namespace)
        if there is None and keyring.made(each.name) is None:
            kind, keys = "generic", "".join(f" --from-literal={key}=…" for key in sorted(each.keys))
            if keyring.PULL_KEY in each.keys:
                kind, keys = "docker-registry", " --docker-server=… --docker-username=…"
            yield (
                f"{each.by} needs a Secret {each.name} in the namespace {each.namespace}, which "
                f"only you can make: kubectl create secret {kind} {each.name} "
                f"--namespace {each.namespace}{keys}."
            )
        elif there is not None and (lacking := keyring.lacking(each, there)):
            # Never to be deleted: what was sealed with a master key opens with no other.
            yield (
                f"The Secret {each.name} in the namespace {each.namespace} has no key "
                f"{' and no '.join(lacking)}, which {each.by} needs. Add it: kubectl edit secret "
                f"{each.name} --namespace {each.namespace}."
            )
