"""Asking a cluster for what findings are made of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from knative.operating import kinds
from knative.operating.cluster import Cluster
from knative.operating.deploying import keyring
from knative.operating.diagnosis import versions
from knative.operating.diagnosis.facts import Facts
from knative.operating.kinds import Kind
from knative.operating.refused import Refused

SERVING: Final = "knative-serving"
EVENTING: Final = "knative-eventing"
_VERSION: Final = "app.kubernetes.io/version"
_FORBIDDEN: Final = 403


def facts(cluster: Cluster, namespace: str, overlay: Sequence[Mapping[str, Any]] = ()) -> Facts:
    """Everything that can be seen; what may not be seen is left out.

    The Services are those of `overlay` where there are any. Raises Unavailable, and Refused where
    not even the namespace may be seen.
    """
    installed = [
        *cluster.list(kinds.SERVICE, namespace),
        *cluster.list(kinds.JOB_SINK, namespace),
    ]
    objects = overlay or installed
    services = [each for each in objects if each["apiVersion"] == kinds.SERVICE.api]
    in_place = {each["metadata"]["name"]: each for each in installed}
    return Facts(
        kubernetes=cluster.version(),
        serving=_version(cluster, SERVING, "controller"),
        eventing=_version(cluster, EVENTING, "eventing-controller"),
        settings={
            **_settings(cluster, "serving", SERVING),
            **_settings(cluster, "eventing", EVENTING),
        },
        namespace=namespace,
        services=[
            {**each, "status": in_place.get(each["metadata"]["name"], {}).get("status", {})}
            for each in services
        ],
        brokers=cluster.list(kinds.BROKER, namespace),
        triggers=cluster.list(kinds.TRIGGER, namespace),
        sources=cluster.list(kinds.PING_SOURCE, namespace),
        installation=(cluster.get(kinds.CONFIG_MAP, "kinora-settings", namespace) or {}).get(
            "data", {}
        ),
        secrets={
            each["metadata"]["name"]: frozenset(each.get("data") or ())
            for each in _seen(cluster, kinds.SECRET, namespace)
        },
        needed=[
            (each.name, each.keys, each.by)
            for each in keyring.references(objects)
            if each.namespace == namespace
        ],
        nodes=_seen(cluster, kinds.NODE, ""),
        pods=_seen(cluster, kinds.POD, "") or _seen(cluster, kinds.POD, namespace),
        runtime_classes=frozenset(
            each["metadata"]["name"] for each in _seen(cluster, kinds.RUNTIME_CLASS, "")
        ),
        quotas=_seen(cluster, kinds.QUOTA, namespace),
        limit_ranges=_seen(cluster, kinds.LIMIT_RANGE, namespace),
    )


def _seen(cluster: Cluster, kind: Kind, namespace: str) -> list[dict[str, Any]]:
    try:
        return cluster.list(kind, namespace)
    except Refused as refused:
        if refused.status == _FORBIDDEN:
            return []
        raise


def _version(cluster: Cluster, namespace: str, deployment: str) -> str:
    found = cluster.get(kinds.DEPLOYMENT, deployment, namespace)
    if found is None:
        return ""
    said = str(found["metadata"].get("labels", {}).get(_VERSION, ""))
    if versions.number(said):
        return said
    # Built from the module, not from a release.
    image = str(found["spec"]["template"]["spec"]["containers"][0]["image"])
    return versions.of_module(image) or said or "devel"


def _settings(cluster: Cluster, part: str, namespace: str) -> dict[str, dict[str, str]]:
    return {
        f"{part}/{each['metadata']['name']}": {
            key: value for key, value in (each.get("data") or {}).items() if key != "_example"
        }
        for each in cluster.list(kinds.CONFIG_MAP, namespace)
        if each["metadata"]["name"].startswith("config-")
    }
