"""A small ASGI application around a Host, and uvicorn made to end as Knative needs it to.

Functions Framework's own server cuts requests off 30 s after SIGTERM; here they finish.
"""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Awaitable, Callable, Iterator, MutableMapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from types import FrameType
from typing import Any, Final

import uvicorn

from eventing.codec import ATTRIBUTES_LIMIT_BYTES
from eventing.host import Host, Response, trouble

BODY_DEADLINE_S: Final = 30.0
"""How long a sender may take to send a body."""

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]


class Application:
    """ASGI 3. Handlers block, so each event gets a thread; whatever else comes does not."""

    def __init__(self, host: Host, *, concurrency: int) -> None:
        self._host = host
        self._threads = ThreadPoolExecutor(concurrency, thread_name_prefix="handler")
        self._running: set[Future[Response]] = set()

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        headers = [
            (name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"]
        ]
        if scope["method"] != "POST":
            response = self._host.answer(scope["method"], scope["path"], headers, b"")
        else:
            answered = await self._posted(scope["path"], headers, receive)
            if answered is None:
                return
            response = answered
        await send(
            {
                "type": "http.response.start",
                "status": response.status,
                "headers": [
                    (name.encode("latin-1"), value.encode("latin-1"))
                    for name, value in (*response.headers.items(), *_length(response))
                ],
            }
        )
        await send({"type": "http.response.body", "body": response.body})

    @property
    def idle(self) -> bool:
        """Whether no handler is at work."""
        # A copy: threads that end take their own out meanwhile.
        return all(future.done() for future in tuple(self._running))

    async def _posted(
        self, path: str, headers: list[tuple[str, str]], receive: Receive
    ) -> Response | None:
        """The answer, None for a sender that hung up before it had sent all."""
        try:
            async with asyncio.timeout(BODY_DEADLINE_S):
                body = await _body(receive, limit_bytes=self._host.body_limit_bytes)
        except TimeoutError:
            return trouble(503, "the body did not arrive in time", connection="close")
        if body is None:
            return None
        future = self._threads.submit(self._host.answer, "POST", path, headers, body)
        self._running.add(future)
        future.add_done_callback(self._running.discard)
        # The sender may hang up; what was begun is finished.
        response = await asyncio.wrap_future(future)
        if len(body) > self._host.body_limit_bytes:
            # What is still on its way is not read, so the connection cannot be used again.
            response.headers["connection"] = "close"
        return response


async def _body(receive: Receive, *, limit_bytes: int) -> bytes | None:
    """The body, or the beginning of one that is too large; None if the sender hung up."""
    body = bytearray()
    more = True
    while more and len(body) <= limit_bytes:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        body += message.get("body", b"")
        more = message.get("more_body", False)
    return bytes(body)


def _length(response: Response) -> Iterator[tuple[str, str]]:
    if response.status != 204:
        yield "content-length", str(len(response.body))


class Server:
    """Serves `host` in this process. After SIGTERM or SIGINT it accepts nothing new and finishes
    what was begun, for at most `timeout_s`; a second SIGINT ends it at once."""

    def __init__(
        self, host: Host, *, address: str, port: int, concurrency: int, timeout_s: int
    ) -> None:
        self._application = Application(host, concurrency=concurrency)
        self._uvicorn = _Uvicorn(
            uvicorn.Config(
                self._application,
                host=address,
                port=port,
                http="h11",
                ws="none",
                lifespan="off",
                interface="asgi3",
                # Logging is set up already, and each event logs one line of its own.
                log_config=None,
                access_log=False,
                server_header=False,
                proxy_headers=False,
                # Longer than brokers keep connections: who closes first should be the sender.
                timeout_keep_alive=620,
                timeout_graceful_shutdown=timeout_s,
                workers=1,
                # Every attribute that the codec takes, with each byte percent-encoded.
                h11_max_incomplete_event_size=4 * ATTRIBUTES_LIMIT_BYTES,
            )
        )

    def run(self) -> None:
        self._uvicorn.run()

    @property
    def drained(self) -> bool:
        """After `run`: whether everything that was begun was finished."""
        return self._application.idle


class _Uvicorn(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        # The original raises what it caught again at the end, and the exit code is not 0 then.
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._stop)
        yield

    def _stop(self, number: int, frame: FrameType | None) -> None:
        self.force_exit = self.should_exit and number == signal.SIGINT
        self.should_exit = True
