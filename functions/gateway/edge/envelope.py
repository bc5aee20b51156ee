"""Around every request: its id, its limits, its line in the log, and headers that protect pages.

Pure ASGI, so that a stream passes through as it is written.
"""

from __future__ import annotations

import asyncio
import logging
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from eventing import log
from functions.gateway.access.caller import SAFE, is_same_origin
from functions.gateway.edge import answer
from functions.gateway.edge.exhausted import is_exhausted
from functions.gateway.edge.meters import Meters
from functions.gateway.edge.problem import Problem
from functions.gateway.settings import Settings, is_loopback

_log = logging.getLogger(__name__)

BODY_BYTES: Final = 64 * 1024
"""Of a body that a route did not say it streams."""
BODY_DEADLINE_S: Final = 30.0
"""How long a client may take to send such a body."""
REQUEST_ID: Final = "x-request-id"
_REQUEST_ID: Final = re.compile(r"[A-Za-z0-9._-]{1,64}")
_BODY: Final = "kinora.body"
_GONE_AWAY: Final = 499
"""For the log: nobody is there to be answered."""
_SIGNED: Final = "/media/"
_NOT_LOGGED: Final = ("/health", "/ready", "/metrics")
"""Asked every few seconds: their lines would hide all others."""


@dataclass(slots=True)
class _Allowance:
    """How much of a body is taken, and until when."""

    limit_bytes: int | None
    deadline_s: float | None
    taken_bytes: int = 0


def streams(request: Request, *, limit_bytes: int | None = None) -> None:
    """Let this request's body be as long as `limit_bytes` (None: any length) and take its time.

    For routes that read `request.stream()` themselves; call it before.
    """
    allowance = request.scope[_BODY]
    allowance.limit_bytes = limit_bytes
    allowance.deadline_s = None


class Edge:
    """Middleware. Whatever happens inside, a whole answer goes out."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        settings: Settings,
        bucket: str,
        meters: Meters,
        random: Callable[[int], bytes],
    ) -> None:
        self._app = app
        self._settings = settings
        self._meters = meters
        self._random = random
        self._headers = tuple(_protection(bucket).items())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        asked = Headers(scope=scope)
        given = asked.get(REQUEST_ID, "")
        # Whoever passed it on may have believed the other: nothing after it is read as a request
        # (RFC 9112, section 6.1).
        two_lengths = "transfer-encoding" in asked and "content-length" in asked
        request_id = given if _REQUEST_ID.fullmatch(given) else self._random(8).hex()
        allowance = _Allowance(BODY_BYTES, time.monotonic() + BODY_DEADLINE_S)
        scope[_BODY] = allowance
        status = 0
        started_s = time.monotonic()

        async def receive_within() -> Message:
            return await _receive_within(allowance, scope, receive)

        async def send_protected(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                self._protect(headers, request_id)
                if two_lengths:
                    headers["connection"] = "close"
            await send(message)

        with log.bound(request=request_id), self._meters.open_request():
            try:
                if (problem := self._forbidden(scope)) is not None:
                    await answer.problem(problem, scope["path"])(scope, receive, send_protected)
                else:
                    await self._app(scope, receive_within, send_protected)
            except ClientDisconnect:
                status = status or _GONE_AWAY
            except Exception as error:
                if is_exhausted(error) and not status:
                    _log.warning("no room: %s", error)
                    response = answer.problem(answer.NO_ROOM, scope["path"])
                    await response(scope, receive, send_protected)
                    return
                _log.exception("a defect", extra={"facts": {"path": _path_to_log(scope)}})
                if not status:
                    response = answer.problem(answer.DEFECT, scope["path"])
                    await response(scope, receive, send_protected)
                # Tests and servers see it as well.
                raise
            finally:
                self._note(scope, status, time.monotonic() - started_s)

    def _forbidden(self, scope: Scope) -> Problem | None:
        """Of an open gateway: a page elsewhere must not use what anybody here may do."""
        if not self._settings.open_to:
            return None
        request = Request(scope)
        host = _host(request.headers.get("host", ""))
        ours = urlsplit(self._settings.public_url).hostname
        if not is_loopback(host) and host != ours:
            # A name of somebody else's that was made to mean this machine (DNS rebinding).
            return Problem(
                "forbidden",
                "This gateway is open to this machine, without a key: call it 127.0.0.1 or"
                " localhost. Behind a proxy tell it by KINORA_PUBLIC_URL where clients reach it.",
            )
        if request.method not in SAFE and not is_same_origin(request, self._settings.public_url):
            return Problem("forbidden", "A page of another origin may not do this.")
        return None

    def _protect(self, headers: MutableHeaders, request_id: str) -> None:
        headers[REQUEST_ID] = request_id
        for name, value in self._headers:
            headers.setdefault(name, value)

    def _note(self, scope: Scope, status: int, took_s: float) -> None:
        template = template_of(scope)
        self._meters.request(scope["method"], template, status, took_s)
        if scope["path"] in _NOT_LOGGED and status < 400:
            return
        state = scope.get("state", {})
        facts = {
            "method": scope["method"],
            "path": _path_to_log(scope),
            "route": template,
            "status": status,
            "ms": round(took_s * 1000, 1),
            "bytes_in": scope[_BODY].taken_bytes,
            **{name: state[name] for name in ("tenant", "subject") if name in state},
        }
        _log.info("answered", extra={"facts": facts})


def _host(header: str) -> str:
    """The name in a header `Host`, "" where there is none."""
    try:
        return urlsplit(f"//{header}").hostname or ""
    except ValueError:  # half an address of IPv6
        return ""


def _path_to_log(scope: Scope) -> str:
    """The path that was asked for, but for those that are themselves the permission to see
    something: those are not told, also where they led nowhere."""
    path: str = scope["path"]
    return (template_of(scope) or _SIGNED) if path.startswith(_SIGNED) else path


def template_of(scope: Scope) -> str:
    """The route's path with names for what varies, "" where none was found."""
    context = scope.get("fastapi", {}).get("effective_route_context")
    path = getattr(context, "path_format", None) or getattr(scope.get("route"), "path", None)
    return path if isinstance(path, str) else ""


async def _receive_within(allowance: _Allowance, scope: Scope, receive: Receive) -> Message:
    """Raises HTTPException: 413 for a body that is too large, 408 for one that is too slow."""
    limit_bytes = allowance.limit_bytes
    if limit_bytes is not None:
        length = Headers(scope=scope).get("content-length", "")
        if length.isascii() and length.isdigit() and int(length) > limit_bytes:
            raise HTTPException(413)
    if allowance.deadline_s is None:
        message = await receive()
    else:
        message = await _receive_before(allowance.deadline_s, receive)
    if message["type"] == "http.request":
        allowance.taken_bytes += len(message.get("body", b""))
        if not message.get("more_body", False):
            allowance.deadline_s = None  # what follows is only that the client has gone
        if limit_bytes is not None and allowance.taken_bytes > limit_bytes:
            raise HTTPException(413)
    return message


async def _receive_before(deadline_s: float, receive: Receive) -> Message:
    try:
        async with asyncio.timeout(max(0.0, deadline_s - time.monotonic())):
            return await receive()
    except TimeoutError:
        raise HTTPException(408) from None


def _protection(bucket: str) -> dict[str, str]:
    """Headers of every answer; a route that sets one itself keeps its own. Pages may send files
    to the origin `bucket`, where there is one."""
    elsewhere = f" {bucket}" if bucket else ""
    policy = {
        "default-src": "'none'",
        "script-src": "'self'",
        "style-src": "'self'",
        "img-src": "'self' data: blob:",
        "font-src": "'self'",
        "media-src": "'self' blob:",
        # hls.js demuxes in a worker that it makes from a blob.
        "worker-src": "'self' blob:",
        "connect-src": f"'self'{elsewhere}",
        "form-action": f"'self'{elsewhere}",
        "base-uri": "'none'",
        "frame-ancestors": "'none'",
    }
    return {
        "content-security-policy": "; ".join(f"{name} {what}" for name, what in policy.items()),
        "x-content-type-options": "nosniff",
        "referrer-policy": "no-referrer",
        "cross-origin-opener-policy": "same-origin",
    }
