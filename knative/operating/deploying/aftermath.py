"""What a deploy leaves as it is, and somebody should know of."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

from knative.operating import kinds
from knative.operating.cluster import Cluster
from knative.operating.revision import Service

Object = dict[str, Any]

_OURS: Final = "app.kubernetes.io/part-of=kinora"
_ACTIVE: Final = (kinds.SERVICE, kinds.TRIGGER, kinds.PING_SOURCE, kinds.JOB_SINK)
"""Kinds that go on doing something when nobody speaks of them any more."""
_PASSING: Final = "kinora-listener-"
"""What names of things begin with that remove themselves."""


def notes(cluster: Cluster, objects: Sequence[Object]) -> Iterator[str]:
    """Each as a sentence with what to do. Raises Unavailable, Refused."""
    wanted = {
        (each["kind"], each["metadata"].get("namespace", ""), each["metadata"]["name"])
        for each in objects
    }
    for namespace in sorted({where for _, where, _ in wanted if where}):
        for kind in _ACTIVE:
            for found in cluster.list(kind, namespace, labels=_OURS):
                name = found["metadata"]["name"]
                if (kind.name, namespace, name) not in wanted and not name.startswith(_PASSING):
                    yield (
                        f"{kind.name} {name} is there and not in this overlay: kubectl delete "
                        f"{kind.plural}.{kind.api.partition('/')[0]} {name} --namespace {namespace}"
                    )
                elif kind is kinds.SERVICE and not Service.of(found).follows_latest:
                    yield (
                        f"Service {name} stays with an older revision, to which it was rolled "
                        f"back: kinora knative rollback {name} --to latest"
                    )
