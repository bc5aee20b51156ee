"""Work that nobody awaits: held until it ends, and loud where it fails."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any

_log = logging.getLogger(__name__)


class Background:
    """Tasks of one owner, on the running event loop."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()

    def begin(self, work: Coroutine[Any, Any, None]) -> None:
        """Start `work`. What it raises is logged with a traceback, and ends nothing else."""
        task = asyncio.get_running_loop().create_task(work)
        # The event loop itself holds tasks only weakly.
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    async def cancel(self) -> None:
        """Call everything off, and wait until it has ended."""
        for task in self._tasks:
            task.cancel()
        await self.finished()

    async def finished(self) -> None:
        """Wait until everything has ended, also what is begun meanwhile."""
        while self._tasks:
            await asyncio.wait(self._tasks)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            _log.error("a defect ended work in the background", exc_info=error)
