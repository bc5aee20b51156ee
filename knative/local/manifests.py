"""The manifests of a folder as typed values: the same files that a cluster gets."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import yaml

from knative.field import Invalid
from knative.local.broker.manifest import Broker, Destination, Trigger
from knative.local.broker.ping import PingSource
from knative.local.service import GROUP as SERVING
from knative.local.service import Service

BASE: Final = Path(__file__).resolve().parent.parent / "base"
"""The manifests that this package brings."""

_IGNORED_GROUPS: Final = ("kustomize.config.k8s.io/", "v1", "rbac.authorization.k8s.io/", "apps/")
"""Documents that mean something to a cluster only."""

# libyaml reads the folder in a tenth of the time that the pure reader takes.
_LOADER: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifests:
    """Everything that a runtime runs."""

    broker: Broker
    services: tuple[Service, ...]
    triggers: tuple[Trigger, ...]
    pings: tuple[PingSource, ...]


def load(folder: Path) -> Manifests:
    """Read every `*.yaml` in `folder`. Raises Invalid, also for references that lead nowhere."""
    brokers: list[Broker] = []
    services: list[Service] = []
    triggers: list[Trigger] = []
    pings: list[PingSource] = []
    for document in documents(folder):
        group, kind = str(document.get("apiVersion")), document.get("kind")
        if group == SERVING and kind == "Service":
            services.append(Service.parse(document))
        elif kind == "Broker":
            brokers.append(Broker.parse(document))
        elif kind == "Trigger":
            triggers.append(Trigger.parse(document))
        elif kind == "PingSource":
            pings.append(PingSource.parse(document))
        elif not group.startswith(_IGNORED_GROUPS):
            raise Invalid(f"{kind}.apiVersion", f"nothing here runs a {kind} of {group}")
    if len(brokers) != 1:
        raise Invalid(str(folder), f"needs exactly one Broker, and has {len(brokers)}")
    found = Manifests(
        broker=brokers[0],
        services=tuple(services),
        triggers=tuple(triggers),
        pings=tuple(pings),
    )
    _check(found)
    return found


def documents(folder: Path) -> Iterator[Mapping[str, object]]:
    """Every YAML document of the folder's files, by file name. Raises Invalid."""
    files = sorted(folder.glob("*.yaml"))
    if not files:
        raise Invalid(str(folder), "has no *.yaml")
    for file in files:
        try:
            parsed = list(yaml.load_all(file.read_text("utf-8"), Loader=_LOADER))
        except yaml.YAMLError as error:
            raise Invalid(file.name, f"is no YAML: {error}") from error
        for document in parsed:
            if document is None:
                continue
            if not isinstance(document, dict):
                raise Invalid(file.name, "has a document that is no mapping")
            yield document


def _check(found: Manifests) -> None:
    """References lead somewhere, and nothing is there twice."""
    keys = [service.key for service in found.services]
    keys += [f"trigger {trigger.key}" for trigger in found.triggers]
    for key in keys:
        if keys.count(key) > 1:
            raise Invalid(key, "is there twice")
    known = {service.key for service in found.services}

    def must_be_known(place: str, target: Destination | None) -> None:
        if target is None or target.kind != "Service":
            return
        if f"{target.namespace}/{target.name}" not in known:
            raise Invalid(place, f"no Service {target.name}")

    for ping in found.pings:
        must_be_known(f"PingSource {ping.name}.spec.sink", ping.sink)
    for trigger in found.triggers:
        if f"{trigger.namespace}/{trigger.broker}" != found.broker.key:
            raise Invalid(f"Trigger {trigger.name}.spec.broker", f"no Broker {trigger.broker}")
        must_be_known(f"Trigger {trigger.name}.subscriber", trigger.subscriber)
        sink = trigger.delivery_under(found.broker).dead_letter_sink
        must_be_known(f"Trigger {trigger.name}.deadLetterSink", sink)
