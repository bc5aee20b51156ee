"""Letting an endpoint go on: what waits for it is due at once."""

from __future__ import annotations

import logging
from itertools import islice, takewhile
from typing import Final

from eventing.errors import Unavailable
from functions.gateway.jobs import submit
from functions.gateway.world import World
from functions.webhooks.endpoint import Endpoint
from functions.webhooks.outbox import Outbox, reminders

_log = logging.getLogger(__name__)

AHEAD_S: Final = 12 * 3600.0
"""How far ahead an attempt may lie: the longest delay between two, and the jitter, are less."""
MOST_LISTED: Final = 5_000
"""Entries of the due index, everybody's, that one request looks at: five requests on S3."""
MOST_READ: Final = 300
"""The tenant's messages among them that it reads, the soonest first."""


def resume(world: World, endpoint: Endpoint) -> None:
    """Make deliveries that wait for this endpoint due now, and say so.

    What is beyond the limits, or under way in this moment, comes when it would have come anyway.
    """
    outbox, now_s = Outbox(store=world.store), world.clock()
    try:
        until_ms = (now_s + AHEAD_S) * 1000
        listed = takewhile(
            lambda each: each.due_ms <= until_ms,
            islice(reminders(world.store, from_ms=round(now_s * 1000)), MOST_LISTED),
        )
        # Listed to the end before anything is written: what is due now stands before all of it.
        messages = dict.fromkeys(each.message for each in listed if each.tenant == endpoint.tenant)
        for message in islice(messages, MOST_READ):
            found = outbox.read(endpoint.tenant, message)
            if found is None or found.hurried(endpoint.id, now_s) == found:
                continue
            changed = outbox.change(
                endpoint.tenant, message, lambda each: each.hurried(endpoint.id, now_s)
            )
            if changed is not None:
                submit.tell(world, [changed.reminder])
    except Unavailable as error:
        _log.warning("told at their own time", extra={"facts": {"reason": error.reason}})
