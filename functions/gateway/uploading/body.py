"""The body of a request that is an upload, piece by piece, and how it ends."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Final

from starlette.requests import Request
from starlette.types import Message

from functions.gateway.edge import envelope as edge
from functions.gateway.uploading.hold import Hold

IDLE_S: Final = 60.0
LEAST_BYTES: Final = 16 * 1024
"""A client that is waited for during `IDLE_S` and sends less has gone, or only keeps the place."""
_LOOK_S: Final = 1.0


class Dropped(Exception):
    """The body ended before its end; whatever came before counts."""


async def pieces(request: Request, hold: Hold, *, idle_s: float = IDLE_S) -> AsyncIterator[bytes]:
    """What comes, as it comes.

    Raises Dropped when the connection breaks, when less than `LEAST_BYTES` come while it is waited
    for `idle_s`, when nothing comes and another request waits, and when this process is to end.
    """
    edge.streams(request)
    now_s = asyncio.get_running_loop().time
    waited_s, taken_bytes = 0.0, 0
    more = True
    while more:
        if hold.lost or request.app.state.ending.is_set():
            raise Dropped
        began_s = now_s()
        message: Message | None = None
        with suppress(TimeoutError):
            async with asyncio.timeout(_LOOK_S):
                message = await request.receive()
        waited_s += now_s() - began_s
        if message is None:
            if hold.wanted:
                raise Dropped
            piece = b""
        elif message["type"] == "http.disconnect":
            raise Dropped
        else:
            more = message.get("more_body", False)
            piece = message.get("body", b"")
        taken_bytes += len(piece)
        if waited_s >= idle_s and more:
            if taken_bytes < LEAST_BYTES:
                raise Dropped
            waited_s, taken_bytes = 0.0, 0
        if piece:
            yield piece
