"""Where a storage posts its notifications: an address before the Service `source`."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Final

from aiohttp import web

from eventing.codec import Message
from eventing.listener import Listener
from knative.local.broker.ingress import Handler
from knative.local.broker.subscriber import Subscriber, Unreachable

SOURCE: Final = "source"
_LIMIT_BYTES: Final = Listener.body_limit_bytes
TIMEOUT_S: Final = 55.0
"""Less than MinIO waits for an answer (60 s)."""
_KEPT: Final = ("authorization", "content-type", "x-amz-sns-message-type")


def intake(source: Subscriber) -> Handler:
    """A handler for any path that hands posts on to `source`, which decides about them."""

    async def handle(request: web.BaseRequest) -> web.StreamResponse:
        if request.method in ("GET", "HEAD", "OPTIONS"):
            # Some servers look whether anybody is there before they send.
            return web.Response(headers={"Allow": "POST"})
        if request.method != "POST":
            return web.Response(status=405, headers={"Allow": "POST"})
        body = bytearray()
        async for chunk in request.content.iter_any():
            body += chunk
            if len(body) > _LIMIT_BYTES:
                # A storage would send it again for ever: the source drops it by its beginning.
                del body[_LIMIT_BYTES + 1 :]
                break
        message = Message(_headers(request.headers.items()), bytes(body))
        try:
            async with asyncio.timeout(TIMEOUT_S):
                reply = await source(message, timeout_s=TIMEOUT_S)
        except (TimeoutError, Unreachable):
            return web.Response(status=503, headers={"Retry-After": "1"})
        # What the source says to people; the headers of another connection stay behind.
        return web.Response(status=reply.status, body=reply.body)

    return handle


def _headers(given: Iterable[tuple[str, str]]) -> dict[str, str]:
    """What a dialect is told by; the rest belongs to the connection."""
    return {
        name.lower(): value
        for name, value in given
        if name.lower() in _KEPT or name.lower().startswith("ce-")
    }
