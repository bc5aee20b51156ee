"""Changing a function in a cluster, where its status changes all the time.

A change is made of what was read and refused if that is not the latest any more; then it is read
again, and the change made anew.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from knative.operating import kinds
from knative.operating.cluster import Cluster
from knative.operating.refused import Refused
from knative.operating.revision import Service

CONFLICT: Final = 409
_TRIES: Final = 10


def change(
    cluster: Cluster,
    namespace: str,
    function: str,
    to: Callable[[Service], Mapping[str, Any] | None],
) -> Service | None:
    """Merge what `to` makes of the function into it; None changes nothing. What it was before, or
    None where there is no such function. Raises Unavailable and Refused."""
    for left in reversed(range(_TRIES)):
        found = cluster.get(kinds.SERVICE, function, namespace)
        if found is None:
            return None
        service = Service.of(found)
        if (wanted := to(service)) is None:
            return service
        try:
            cluster.patch(kinds.SERVICE, function, wanted, namespace)
        except Refused as refused:
            if refused.status != CONFLICT or not left:
                raise
        else:
            return service
    raise AssertionError("the last try returns or raises")
