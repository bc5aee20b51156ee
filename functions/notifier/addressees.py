"""Whom a message goes to: the endpoints of its tenant that want it."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from functions.jobs import layout, record
from functions.ports import ObjectStore
from functions.webhooks.endpoint import Endpoint

_log = logging.getLogger(__name__)


def read(store: ObjectStore, key: str) -> Endpoint | None:
    """The endpoint, None also where its record cannot be read: it must not hold up the others."""
    try:
        return record.read(store, key, Endpoint)
    except ValueError:
        _log.exception("an endpoint cannot be read", extra={"facts": {"key": key}})
        return None


def wanting(store: ObjectStore, tenant: str, event_type: str) -> Sequence[str]:
    """The ids of the tenant's endpoints that want to be told of events of this type."""
    listed = list(store.list(layout.endpoints_prefix(tenant)))
    found = (read(store, info.key) for info in listed)
    return [each.id for each in found if each is not None and each.wants(event_type)]
