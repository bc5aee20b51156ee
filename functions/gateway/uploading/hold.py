"""One request at a time writes to an upload; who is held off says so, and the holder lets go of a
client that has fallen silent."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Final

from eventing.errors import Unavailable
from functions.gateway.edge.problem import Problem
from functions.jobs import leases
from functions.ports import StateStore

_log = logging.getLogger(__name__)

TTL_S: Final = 12.0
"""How long an upload stays held by a process that died."""
_RENEW_S: Final = 2.0
_POLL_S: Final = 0.1
PATIENCE_S: Final = 4.0
"""How long a request waits for another to let go."""
_NEWCOMER: Final = "newcomer"


@dataclass(slots=True)
class Hold:
    """That this request writes. Correctness does not rest on it: parts are replaced by the same
    bytes, and the record by compare-and-swap."""

    lost: bool = False
    """Somebody else has it by now."""
    wanted: bool = False
    """Another request waits for it."""


@asynccontextmanager
async def holding(state: StateStore, upload: str, *, holder: str) -> AsyncIterator[Hold]:
    """Hold the upload. Raises Problem (conflict) while another request does."""
    lease = leases.uploading(upload)

    def acquire() -> bool:
        return state.acquire(lease, holder, ttl_s=TTL_S)

    for _ in range(round(PATIENCE_S / _POLL_S)):
        if await asyncio.to_thread(acquire):
            break
        await asyncio.to_thread(_want, state, upload)
        await asyncio.sleep(_POLL_S)
    else:
        raise Problem(
            "conflict", "Another request writes to this upload.", headers={"retry-after": "2"}
        )
    hold = Hold()
    renewing = asyncio.create_task(_renew(hold, state, upload, holder))
    try:
        yield hold
    finally:
        renewing.cancel()
        with suppress(asyncio.CancelledError):
            await renewing
        with suppress(Unavailable):  # it runs out by itself
            await asyncio.to_thread(state.release, lease, holder)


async def settled(state: StateStore, upload: str) -> None:
    """Wait a little while for whoever holds the upload to let go of it, or to go on."""
    for _ in range(round(PATIENCE_S / _POLL_S)):
        if not await asyncio.to_thread(state.held, leases.uploading(upload)):
            return
        await asyncio.to_thread(_want, state, upload)
        await asyncio.sleep(_POLL_S)


def _want(state: StateStore, upload: str) -> None:
    state.acquire(leases.upload_wanted(upload), _NEWCOMER, ttl_s=TTL_S)


async def _renew(hold: Hold, state: StateStore, upload: str, holder: str) -> None:
    lease, wanted = leases.uploading(upload), leases.upload_wanted(upload)

    def once() -> None:
        hold.lost = not (
            state.renew(lease, holder, ttl_s=TTL_S) or state.acquire(lease, holder, ttl_s=TTL_S)
        )
        hold.wanted = state.held(wanted)

    with suppress(Unavailable):
        await asyncio.to_thread(state.release, wanted, _NEWCOMER)
    while True:
        try:
            await asyncio.to_thread(once)
        except Unavailable as error:
            _log.warning("a lease is not renewed", extra={"facts": {"reason": error.reason}})
        await asyncio.sleep(_RENEW_S if not hold.wanted else _POLL_S)
