"""Messages whose time has come, from the due index: what lies in the future is not even listed."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import zip_longest
from typing import Final

from eventing.contract import WebhookDue
from functions.ports import ObjectStore
from functions.webhooks.outbox import reminders

_LOOK: Final = 4
"""How many times as many entries are looked at as are published, so that a tenant with a great
many does not keep the others waiting."""


def due(store: ObjectStore, *, now_s: float, limit: int) -> Iterator[WebhookDue]:
    """At most `limit` of them, the tenants in turn, the longest overdue of each first.

    An entry stays until the notifier has handled it: what is lost on the way comes with the next
    tick, as the same event.
    """
    by_tenant: dict[str, list[WebhookDue]] = {}
    for number, found in enumerate(reminders(store)):
        if found.due_ms > now_s * 1000 or number == _LOOK * limit:
            break
        by_tenant.setdefault(found.tenant, []).append(found)
    turns = zip_longest(*by_tenant.values())
    in_turn = [each for turn in turns for each in turn if each is not None]
    yield from in_turn[:limit]
