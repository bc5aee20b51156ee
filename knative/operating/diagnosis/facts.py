"""What is known of a cluster and the installation in it, as objects of the API server."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

Object = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    kubernetes: str
    """Versions as each says its own, "" where it is not there, `devel` where it was not stamped."""
    serving: str
    eventing: str
    settings: Mapping[str, Mapping[str, str]]
    """ConfigMaps of Knative by `serving/config-features`, without their examples."""
    namespace: str
    services: Sequence[Object] = ()
    """Knative Services, those of the overlay where none was installed yet."""
    brokers: Sequence[Object] = ()
    triggers: Sequence[Object] = ()
    sources: Sequence[Object] = ()
    """PingSources."""
    installation: Mapping[str, str] = field(default_factory=dict)
    """kinora-settings."""
    secrets: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """Keys of the namespace's Secrets, never what is in them."""
    needed: Sequence[tuple[str, frozenset[str], str]] = ()
    """Secrets that are referred to: name, keys, by whom."""
    nodes: Sequence[Object] = ()
    pods: Sequence[Object] = ()
    """Of the whole cluster, or only of the namespace where more may not be seen."""
    runtime_classes: frozenset[str] = frozenset()
    quotas: Sequence[Object] = ()
    limit_ranges: Sequence[Object] = ()

    def setting(self, config: str, key: str, default: str = "") -> str:
        """One setting of Knative, with its own default where nothing is set."""
        return self.settings.get(config, {}).get(key, default)


def pod_of(service: Object) -> Object:
    """The pod's spec in a Service's template."""
    found: Object = service["spec"]["template"]["spec"]
    return found


def annotation(service: Object, name: str, default: str = "") -> str:
    """An autoscaling annotation of a Service's template, without its prefix."""
    meta = service["spec"]["template"].get("metadata", {})
    found = meta.get("annotations", {}).get(f"autoscaling.knative.dev/{name}", default)
    return str(found)


def names(objects: Sequence[Object]) -> str:
    return ", ".join(sorted(each["metadata"]["name"] for each in objects))


def false_conditions(found: Object) -> Iterator[str]:
    """The words of each condition that is not true, the whole before its parts."""
    conditions = (found.get("status") or {}).get("conditions", ())
    for each in sorted(conditions, key=lambda each: each["type"] != "Ready"):
        if each["status"] != "True" and (each.get("reason") or each.get("message")):
            yield ": ".join(filter(None, (each.get("reason"), each.get("message"))))
