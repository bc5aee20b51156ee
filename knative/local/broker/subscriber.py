"""What the broker delivers to, and how an address on the network is one."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Protocol

import aiohttp

from eventing.codec import Message

REPLY_LIMIT_BYTES: Final = 64 * 1024
"""Of an answer no more than this, and one byte to tell that there was more, is read."""


class Unreachable(ConnectionError):
    """Nobody answered: refused, reset, cut off in the middle. The attempt may be repeated."""


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer over HTTP, whatever its status."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    """By lower-case name."""
    body: bytes = b""


class Subscriber(Protocol):
    async def __call__(self, message: Message, *, timeout_s: float) -> Reply:
        """POST `message` once and return the answer.

        `timeout_s` (may be infinite) is what the broker will wait; it cancels the call then.
        Raises Unreachable when there is no answer. Follows no redirect, repeats nothing.
        """


def session() -> aiohttp.ClientSession:
    """A client for `http_subscriber`s: no cap on connections, no cookies, no proxies.

    Idle connections are closed before the shortest keep-alive of common servers (5 s) can close
    them under a request.
    """
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=3.0),
        cookie_jar=aiohttp.DummyCookieJar(),
        timeout=aiohttp.ClientTimeout(total=None, connect=None),
        auto_decompress=False,
        skip_auto_headers=("User-Agent", "Accept", "Accept-Encoding", "Content-Type"),
    )


def http_subscriber(client: aiohttp.ClientSession, url: str) -> Subscriber:
    """A subscriber behind `url`. `client` is shared and stays its owner's to close."""

    async def post(message: Message, *, timeout_s: float) -> Reply:
        total = None if math.isinf(timeout_s) else timeout_s
        try:
            async with client.post(
                url,
                data=message.body,
                headers=message.headers,
                allow_redirects=False,
                timeout=aiohttp.ClientTimeout(total=total),
            ) as answer:
                body = await _read(answer.content)
                headers = {name.lower(): value for name, value in answer.headers.items()}
                return Reply(answer.status, headers, body)
        except TimeoutError:
            raise
        except (aiohttp.ClientError, OSError) as error:
            raise Unreachable(f"{type(error).__name__}: {error}") from error

    return post


async def _read(content: aiohttp.StreamReader) -> bytes:
    """The body, cut one byte above the limit. Cutting it costs the connection."""
    body = await content.read(REPLY_LIMIT_BYTES + 1)
    while len(body) <= REPLY_LIMIT_BYTES and (more := await content.read(REPLY_LIMIT_BYTES + 1)):
        body += more
    return body[: REPLY_LIMIT_BYTES + 1]
