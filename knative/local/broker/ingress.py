"""Where events enter over HTTP: `POST /<namespace>/<broker>`.

Codes are those of Knative's broker ingress, and of the CloudEvents binding where it is silent:
202 durable, 400 no event or too many passes, 404 no such broker, 405 other methods, 413 more than
64 KiB, 415 a batch, 429 too much is waiting, 503 it cannot be kept now.
"""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Final

from aiohttp import web

from eventing.cloudevent import CloudEvent
from eventing.codec import BODY_LIMIT_BYTES, Malformed, decode
from knative.local.broker.dispatch import Refused

ALLOW: Final = "POST, OPTIONS"
_CONSENT: Final = {"Allow": ALLOW, "WebHook-Allowed-Origin": "*", "WebHook-Allowed-Rate": "*"}

Accept = Callable[[str, CloudEvent], Awaitable[None]]
"""Take an event into the broker with this key; returns once it is durable. Raises Refused or
sqlite3.Error."""
Handler = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]


def ingress(accept: Accept) -> Handler:
    """A handler for any path: for `web.Server`, or for a catch-all route of an application."""

    async def handle(request: web.BaseRequest) -> web.StreamResponse:
        if request.method == "OPTIONS":
            return web.Response(headers=_CONSENT)
        if request.method != "POST":
            return _refusal(405, "events are posted", headers={"Allow": ALLOW})
        parts = request.path.removesuffix("/").split("/")
        if parts == [""]:
            return _refusal(404, "post to /<namespace>/<broker>")
        if len(parts) != 3 or not all(parts[1:]):
            return _refusal(400, "the path is not /<namespace>/<broker>")
        try:
            body = await _body(request)
            event = decode(
                (
                    (name.decode("latin-1"), value.decode("latin-1"))
                    for name, value in request.raw_headers
                ),
                body,
            )
            await accept(f"{parts[1]}/{parts[2]}", event)
        except (Malformed, Refused) as error:
            return _refusal(error.status, error.reason)
        except sqlite3.Error:
            return _refusal(503, "the event cannot be stored now", headers={"Retry-After": "1"})
        return web.Response(status=202)

    return handle


@asynccontextmanager
async def serve(handler: Handler, *, host: str = "127.0.0.1", port: int = 0) -> AsyncIterator[str]:
    """Serve `handler` and nothing else; gives the address, without a slash at its end."""
    runner = web.ServerRunner(web.Server(handler, access_log=None), shutdown_timeout=1.0)
    await runner.setup()
    try:
        site = web.TCPSite(runner, host, port)
        await site.start()
        host, port = runner.addresses[0][:2]
        yield f"http://{host}:{port}"
    finally:
        await runner.cleanup()


async def _body(request: web.BaseRequest) -> bytes:
    """The body, read no further than shows that it is too large. Raises Malformed."""
    if (request.content_length or 0) > BODY_LIMIT_BYTES:
        raise Malformed(413, f"the body is larger than {BODY_LIMIT_BYTES} bytes")
    body = bytearray()
    async for chunk in request.content.iter_any():
        body += chunk
        if len(body) > BODY_LIMIT_BYTES:
            raise Malformed(413, f"the body is larger than {BODY_LIMIT_BYTES} bytes")
    return bytes(body)


def _refusal(status: int, reason: str, *, headers: dict[str, str] | None = None) -> web.Response:
    return web.Response(status=status, text=f"{reason}\n", headers=headers)
