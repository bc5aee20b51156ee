"""One event to one function of an installation: the same way that the broker's events take."""

from __future__ import annotations

from typing import Any, Final

from eventing.cloudevent import CloudEvent
from eventing.codec import encode
from eventing.errors import Unavailable
from knative.operating import kinds
from knative.operating.cluster import Cluster

_SERVING: Final = "knative-serving"
_ACTIVATOR: Final = "activator-service"
_PORT: Final = "80"


def target(cluster: Cluster, namespace: str, function: str) -> dict[str, Any]:
    """The Service of a function. Raises Unavailable where none is there or none is ready."""
    found = cluster.get(kinds.SERVICE, function, namespace)
    if found is None:
        raise Unavailable(f"there is no Service {function} in the namespace {namespace}")
    if not _revision(found):
        raise Unavailable(f"no revision of {function} is ready")
    return found


def send(
    cluster: Cluster, service: dict[str, Any], event: CloudEvent, *, timeout_s: float
) -> tuple[int, str]:
    """Status and body of the function's answer; it is started where no pod of it runs.

    Through the activator, who takes requests for any revision and holds them until it has a pod. It
    is reached through the API server: Services that are cluster-local have no other door.
    """
    message = encode(event)
    status, body = cluster.post_to(
        _SERVING,
        _ACTIVATOR,
        _PORT,
        "/",
        message.body,
        {
            **message.headers,
            "Knative-Serving-Namespace": service["metadata"]["namespace"],
            "Knative-Serving-Revision": _revision(service),
        },
        timeout_s=timeout_s,
    )
    return status, body.decode(errors="replace")


def _revision(service: dict[str, Any]) -> str:
    """The one with the most traffic."""
    traffic = (service.get("status") or {}).get("traffic", ())
    shares = {each.get("revisionName", ""): each.get("percent") or 0 for each in traffic}
    return max(shares, key=lambda name: shares[name], default="")
