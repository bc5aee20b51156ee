"""A client that breaks off where a test wants it to: requests as ASGI messages, no server."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from starlette.types import ASGIApp


@dataclass(frozen=True, slots=True)
class Answer:
    """`status` 0: nothing was answered, as nobody was there any more."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class RawClient:
    app: ASGIApp
    headers: Mapping[str, str] = field(default_factory=dict)

    def send(
        self,
        method: str,
        path: str,
        headers: Mapping[str, str],
        pieces: Sequence[bytes] = (),
        *,
        drop: bool = False,
    ) -> Answer:
        """A request whose body comes in these pieces; with `drop` the connection breaks then."""
        return asyncio.run(self._send(method, path, headers, pieces, drop=drop))

    async def _send(
        self,
        method: str,
        path: str,
        headers: Mapping[str, str],
        pieces: Sequence[bytes],
        *,
        drop: bool,
    ) -> Answer:
        given = {"host": "127.0.0.1:8080", **self.headers, **headers}
        scope: dict[str, Any] = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "path": path,
            "raw_path": path.encode(),
            "query_string": b"",
            "root_path": "",
            "headers": [(name.lower().encode(), text.encode()) for name, text in given.items()],
            "client": ("127.0.0.1", 50000),
            "server": ("127.0.0.1", 8080),
            "state": {},
        }
        messages: list[dict[str, Any]] = [
            {"type": "http.request", "body": piece, "more_body": True} for piece in pieces
        ]
        if not drop:
            messages.append({"type": "http.request", "body": b"", "more_body": False})
        messages.append({"type": "http.disconnect"})
        sent: list[Mapping[str, Any]] = []

        async def receive() -> dict[str, Any]:
            return messages.pop(0) if len(messages) > 1 else messages[0]

        async def send(message: Any) -> None:
            sent.append(message)

        await self.app(scope, receive, send)
        start = next((each for each in sent if each["type"] == "http.response.start"), None)
        if start is None:
            return Answer(0, {}, b"")
        return Answer(
            start["status"],
            {name.decode().lower(): text.decode() for name, text in start["headers"]},
            b"".join(each.get("body", b"") for each in sent),
        )
