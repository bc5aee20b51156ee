"""The gateway of a runtime: one process on an address that stays the same, kept running."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Final

import aiohttp

from knative.local.port import ReservedPort
from knative.local.process import FunctionProcess, NotReady

_log = logging.getLogger(__name__)

_PAUSE_S: Final = 0.5
_LONGEST_PAUSE_S: Final = 15.0
_DRAIN_S: Final = 5.0
"""Streams of progress never end by themselves; whoever reads one comes back."""


class Door:
    """Starts the gateway again whenever it ends, until it is closed."""

    def __init__(
        self,
        port: ReservedPort,
        *,
        spawn: Callable[[ReservedPort, int], FunctionProcess],
        client: aiohttp.ClientSession,
    ) -> None:
        """`spawn` starts the n-th process, which listens on `port`."""
        self._port = port
        self._spawn = spawn
        self._client = client
        self._process: FunctionProcess | None = None
        self._closing = False
        self.url = port.url

    async def open(self) -> None:
        """Return once the first process answers. Raises NotReady."""
        await self._start(1)

    async def keep(self) -> None:
        """Start it again whenever it ends. Until cancelled."""
        count = 1
        pause_s = _PAUSE_S
        while True:
            process = self._process
            if process is not None:
                code = await asyncio.shield(process.ended)
                if self._closing:
                    return
                _log.error("the gateway ended with %d: it is started again", code)
            await asyncio.sleep(pause_s)
            count += 1
            try:
                await self._start(count)
                pause_s = _PAUSE_S
            except (NotReady, OSError) as error:
                _log.error("the gateway does not start: %s", error)
                pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)

    async def close(self, *, drain: bool) -> None:
        """End the process, and give the port back."""
        self._closing = True
        if self._process is not None:
            if not drain:
                self._process.kill()
            await self._process.drain(_DRAIN_S)
        self._port.release()

    async def _start(self, count: int) -> None:
        self._process = self._spawn(self._port, count)
        try:
            await self._process.ready(self._client)
        except NotReady:
            self._process.kill()
            await asyncio.shield(self._process.ended)
            raise
