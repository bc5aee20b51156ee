"""Serves the gateway, and ends as Knative needs it to: what was begun is finished.

Streams never end by themselves: they are told, and whoever reads one comes back to another
process with `Last-Event-ID`.
"""

from __future__ import annotations

import asyncio
import logging
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Any, Final

import uvicorn
from fastapi import FastAPI
from starlette.concurrency import run_in_threadpool
from starlette.types import Message, Receive, Scope, Send

from functions.gateway.edge.connection import SPARE, Connection
from functions.gateway.edge.exhausted import is_exhausted

DRAIN_S: Final = 25
"""How long requests that were begun may take to end. Kubernetes kills after 30 s."""
KEEP_ALIVE_S: Final = 75
MAX_HEADER_BYTES: Final = 32 * 1024
MAX_CONNECTIONS: Final = 4000
"""Beyond this many, streams among them, a process says 503 at once."""
MAX_DESCRIPTORS: Final = 2 * (MAX_CONNECTIONS + SPARE)
"""Connections, and for each of them one to a store or a file in it."""
_SILENT_S: Final = 60.0

_log = logging.getLogger(__name__)


class Server:
    """After SIGTERM or SIGINT nothing new is accepted; `app.state.ending` is set, for streams."""

    def __init__(self, app: FastAPI, *, address: str, port: int, descriptors: int) -> None:
        """`descriptors`: how many files and sockets there may be; what cannot be had is not
        promised to connections."""
        self._uvicorn = _Uvicorn(
            uvicorn.Config(
                _Quiet(app),
                host=address,
                port=port,
                http=Connection,
                ws="none",
                lifespan="off",
                interface="asgi3",
                log_config=None,
                access_log=False,
                server_header=False,
                # Who asked stands in a proxy's word: only of one that FORWARDED_ALLOW_IPS names.
                proxy_headers=True,
                timeout_keep_alive=KEEP_ALIVE_S,
                timeout_graceful_shutdown=DRAIN_S,
                limit_concurrency=min(MAX_CONNECTIONS, max(1, descriptors // 2 - SPARE)),
                workers=1,
                h11_max_incomplete_event_size=MAX_HEADER_BYTES,
            ),
            ending=app.state.ending,
        )

    def run(self) -> None:
        """Until a signal, and until what was begun has ended."""
        self._uvicorn.run()


class _Quiet:
    """Defects were logged and answered inside: uvicorn need not say so again."""

    def __init__(self, app: FastAPI) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = False

        async def noted(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        with suppress(Exception):
            await self._app(scope, receive, noted)
            return
        if started:
            # Half an answer: cut the connection, so that nobody takes it for a whole one.
            raise ConnectionAbortedError("a defect in the middle of an answer")


class _Uvicorn(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, *, ending: asyncio.Event) -> None:
        super().__init__(config)
        self._ending = ending
        self._said_s = float("-inf")

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        asyncio.get_running_loop().set_exception_handler(self._trouble)
        # What threads need is imported with the first of them: not when no file can be opened.
        await run_in_threadpool(int)
        await super().startup(sockets)

    def _trouble(self, loop: asyncio.AbstractEventLoop, told: dict[str, Any]) -> None:
        """The loop tells of a socket that cannot be had a thousand times a second, as long as
        somebody waits for one: once a minute is enough."""
        error = told.get("exception")
        if not is_exhausted(error):
            loop.default_exception_handler(told)
        elif loop.time() - self._said_s >= _SILENT_S:
            self._said_s = loop.time()
            _log.error("connections cannot be taken: %s", error)

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        # The original raises what it caught again at the end, and the exit code is not 0 then.
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda number, frame: self._stop(loop, number, frame))
        yield

    def _stop(self, loop: asyncio.AbstractEventLoop, number: int, frame: FrameType | None) -> None:
        self.force_exit = self.should_exit and number == signal.SIGINT
        self.should_exit = True
        loop.call_soon_threadsafe(self._ending.set)
