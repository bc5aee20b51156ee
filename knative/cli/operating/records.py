"""Records of jobs, for commands that work on a cluster: read here, or by a pod of it."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from knative.cli.complaint import FAILED, Complaint

if TYPE_CHECKING:
    from functions.ports import ObjectStore
    from knative.operating.cluster import Cluster

ADVICE = (
    "Set KINORA_STORE and the account's variables where the store can be reached, or see "
    "`kinora doctor --cluster` for why a pod cannot run."
)


def objects_here() -> ObjectStore | None:
    """The store that KINORA_STORE names, None where it names none.

    Raises Complaint for an address that is of no use.
    """
    from functions.adapters.connect import object_store

    if not (location := os.environ.get("KINORA_STORE")):
        return None
    try:
        return object_store(location)
    except ValueError as error:
        raise Complaint(f"KINORA_STORE: {error}.") from None


def from_inside(
    cluster: Cluster,
    namespace: str,
    function: str,
    arguments: Sequence[str],
    *,
    empty: bool = False,
) -> list[Any]:
    """The JSON that `kinora <arguments>` prints in a pod with what `function` may do.

    Raises Complaint where it does not come to that, `empty` where it may have nothing to print.
    """
    from knative.cli import output
    from knative.operating import inside

    output.tell("KINORA_STORE is not set here: a pod of the cluster looks.")
    try:
        text = inside.run(cluster, namespace, function, arguments)
    except inside.NotRun as error:
        raise Complaint(
            f"The records of jobs cannot be read: {str(error).rstrip('.')}. {ADVICE}",
            exit_code=FAILED,
            code="no_records",
        ) from None
    found = list(inside.values(text))
    if not found and (text.strip() or not empty):
        said = next(reversed(text.strip().splitlines()), "it wrote nothing")
        raise Complaint(
            f"The records of jobs cannot be read; the pod said: {said.rstrip('.')}. {ADVICE}",
            exit_code=FAILED,
            code="no_records",
        )
    if found and isinstance(found[0], dict) and found[0].keys() == {"code", "reason"}:
        raise Complaint(found[0]["reason"], exit_code=FAILED, code=found[0]["code"])
    return found
