"""Everything that a cluster has to say of an installation, piece by piece, for who looks later."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import yaml

from eventing.errors import Unavailable
from knative.evidence.exhibit import Exhibit, Gap, Piece
from knative.operating import kinds
from knative.operating.cluster import Cluster
from knative.operating.diagnosis import reading
from knative.operating.diagnosis.examination import examine
from knative.operating.kinds import Kind
from knative.operating.refused import Refused

Object = Mapping[str, Any]

_OURS: Final = (
    kinds.SERVICE,
    kinds.REVISION,
    kinds.AUTOSCALER,
    kinds.BROKER,
    kinds.TRIGGER,
    kinds.PING_SOURCE,
    kinds.JOB_SINK,
    kinds.POD,
    kinds.DEPLOYMENT,
    kinds.STATEFUL_SET,
    kinds.JOB,
    kinds.CORE_SERVICE,
    kinds.CONFIG_MAP,
    kinds.QUOTA,
    kinds.LIMIT_RANGE,
)
_KNATIVE: Final = (reading.SERVING, reading.EVENTING, "kourier-system")
_THEIRS: Final = (kinds.POD, kinds.DEPLOYMENT, kinds.CONFIG_MAP)
_EVENT: Final = "event"
"""The key under which a JobSink hands a Job its event, which is no secret."""
_DUMPER: Final = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
_OUR_LINES: Final = 20_000
_THEIR_LINES: Final = 2_000


def everything(cluster: Cluster, namespace: str) -> Iterator[Piece]:
    """What is refused or cannot be reached is a gap; the rest is there."""
    yield from _seen("findings.json", lambda: _findings(cluster, namespace))
    yield from _seen("nodes.yaml", lambda: [_listed("nodes.yaml", cluster.list(kinds.NODE))])
    yield from _seen("secrets.json", lambda: [_secrets(cluster, namespace)])
    for kind in _OURS:
        yield from _objects(cluster, namespace, kind, "objects")
    yield from _happenings(cluster, namespace, "happenings.txt")
    yield from _logs(cluster, namespace, "logs", _OUR_LINES)
    for each in _KNATIVE:
        for kind in _THEIRS:
            yield from _objects(cluster, each, kind, f"knative/{each}")
        yield from _happenings(cluster, each, f"knative/{each}/happenings.txt")
        yield from _logs(cluster, each, f"knative/{each}/logs", _THEIR_LINES)


def secrets(cluster: Cluster, namespace: str) -> set[str]:
    """What is in the Secrets of the namespace, so that it can be taken out of everything else.

    Raises Refused where that may not be read.
    """
    return {
        base64.b64decode(value).decode(errors="replace")
        for each in cluster.list(kinds.SECRET, namespace)
        for key, value in (each.get("data") or {}).items()
        if key != _EVENT
    }


def _findings(cluster: Cluster, namespace: str) -> list[Piece]:
    found = examine(reading.facts(cluster, namespace))
    return [Exhibit.of_json("findings.json", [each.as_json() for each in found])]


def _secrets(cluster: Cluster, namespace: str) -> Piece:
    """Their names and keys, and nothing of what is in them."""
    found = {
        each["metadata"]["name"]: sorted(each.get("data") or ())
        for each in cluster.list(kinds.SECRET, namespace)
    }
    return Exhibit.of_json("secrets.json", found)


def _objects(cluster: Cluster, namespace: str, kind: Kind, folder: str) -> Iterator[Piece]:
    path = f"{folder}/{kind.plural}.{kind.api.partition('/')[0]}.yaml"
    yield from _seen(path, lambda: [_listed(path, cluster.list(kind, namespace))])


def _listed(path: str, objects: Sequence[Object]) -> Piece:
    for each in objects:
        # Who set which field is long and tells nothing here.
        each["metadata"].pop("managedFields", None)
        notes = each["metadata"].get("annotations", {})
        notes.pop("kubectl.kubernetes.io/last-applied-configuration", None)
    return Exhibit(path, yaml.dump_all(list(objects), Dumper=_DUMPER, sort_keys=False))


def _happenings(cluster: Cluster, namespace: str, path: str) -> Iterator[Piece]:
    def told() -> list[Piece]:
        found = sorted(cluster.list(kinds.HAPPENING, namespace), key=_at)
        lines = (
            f"{_at(each)} {each.get('type')} x{each.get('count') or 1} "
            f"{each['involvedObject'].get('kind')}/{each['involvedObject'].get('name')} "
            f"{each.get('reason')}: {' '.join((each.get('message') or '').split())}\n"
            for each in found
        )
        return [Exhibit(path, "".join(lines))]

    yield from _seen(path, told)


def _at(happening: Object) -> str:
    meta = happening["metadata"]
    return str(
        happening.get("lastTimestamp")
        or happening.get("eventTime")
        or meta.get("creationTimestamp")
        or ""
    )


def _logs(cluster: Cluster, namespace: str, folder: str, lines: int) -> Iterator[Piece]:
    try:
        pods = cluster.list(kinds.POD, namespace)
    except (Refused, Unavailable) as error:
        yield Gap(folder, str(error))
        return
    for pod in pods:
        name = pod["metadata"]["name"]
        spec = pod["spec"]
        for container in (*spec.get("initContainers", ()), *spec["containers"]):
            for previous in (False, True):
                if previous and not _restarted(pod, container["name"]):
                    continue
                path = f"{folder}/{name}/{container['name']}{'.previous' if previous else ''}.log"
                yield from _log(cluster, namespace, name, container["name"], path, lines, previous)


def _log(
    cluster: Cluster,
    namespace: str,
    pod: str,
    container: str,
    path: str,
    lines: int,
    previous: bool,
) -> Iterator[Piece]:
    def told() -> list[Piece]:
        text = cluster.log(namespace, pod, container, previous=previous, lines=lines)
        return [Exhibit(path, text)] if text else []

    yield from _seen(path, told)


def _restarted(pod: Object, container: str) -> bool:
    status = pod.get("status") or {}
    states = (*status.get("initContainerStatuses", ()), *status.get("containerStatuses", ()))
    return any(each["name"] == container and each.get("restartCount") for each in states)


def _seen(path: str, ask: Any) -> list[Piece]:
    try:
        found: list[Piece] = ask()
        return found
    except (Refused, Unavailable) as error:
        return [Gap(path, str(error))]
