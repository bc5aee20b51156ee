"""Records of jobs, for commands that work on a cluster."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from knative.cli.complaint import Complaint

if TYPE_CHECKING:
    from functions.ports import ObjectStore


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
