"""One look-out for each thing that streams are open on, shared by all of them.

A process keeps nothing that another one would need: whoever is asked looks for itself, and as
long as somebody reads. All of it happens on the event loop; only the looks themselves, which wait
for the stores, are made in threads.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

from eventing.errors import Unavailable
from functions.gateway.live.board import Board, Note

_log = logging.getLogger(__name__)

EVERY_S: Final = 1.0
"""Between two looks at one thing, while there are few."""
JOBS_PER_S: Final = 20
"""Looked at in all by one process: where more are watched, each is looked at less often."""
RESTS: Final = 3
"""A look that takes long is followed by a pause of so many times its length."""
BEAT_S: Final = 1.0
HEARTBEATS: Final = 15
"""Beats between two heartbeats: proxies close what has been silent for a minute."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What one look found."""

    notes: list[Note]
    """What may be new."""
    end: bytes | None = None
    """The last event of the stream, once nothing can come any more."""
    jobs: int = 1
    """How many were looked at."""


Look = Callable[[], Seen]
"""Looks at the same thing, each time anew; in a thread, never twice at once. May raise
Unavailable."""


@dataclass(slots=True)
class Watch:
    """What is known of one thing, for all who read of it."""

    look: Look
    board: Board = field(default_factory=Board)
    readers: int = 0
    jobs: int = 1
    looked: bool = False
    """False before the first look."""
    end: bytes | None = None
    broken: bool = False
    """True after a defect: nothing more will come."""
    moved: asyncio.Event = field(default_factory=asyncio.Event)
    """Set, and replaced by another one, when there may be something to tell."""
    task: asyncio.Task[None] | None = None

    def wake(self) -> None:
        moved, self.moved = self.moved, asyncio.Event()
        moved.set()


class Watches:
    """The watches of one process."""

    def __init__(
        self,
        ending: asyncio.Event,
        *,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
        now: Callable[[], float] = time.monotonic,
        looking: Callable[[Look], Awaitable[Seen]] = asyncio.to_thread,
    ) -> None:
        """`ending` is set when the process shall end; `pause` and `now` are the clock, and
        `looking` makes a look without holding everybody else up."""
        self.ending = ending
        self.now = now
        self._pause = pause
        self._looking = looking
        self._watches: dict[str, Watch] = {}
        self._streams: Counter[str] = Counter()
        self._heart: asyncio.Task[None] | None = None

    def streams(self, tenant: str) -> int:
        """How many are open."""
        return self._streams[tenant]

    @property
    def watched(self) -> int:
        """How many things are looked at."""
        return len(self._watches)

    @contextmanager
    def open(self, name: str, look: Callable[[], Look], *, tenant: str) -> Iterator[Watch]:
        """A reader of the watch called `name`, which begins with the first reader and ends with
        the last. `look` makes what looks."""
        watch = self._watches.get(name)
        if watch is None or watch.broken:
            watch = self._watches[name] = Watch(look=look())
            watch.task = asyncio.create_task(self._keep_looking(watch))
        if self._heart is None:
            self._heart = asyncio.create_task(self._beat())
        watch.readers += 1
        self._streams[tenant] += 1
        try:
            yield watch
        finally:
            self._streams[tenant] -= 1
            if not self._streams[tenant]:
                del self._streams[tenant]
            watch.readers -= 1
            if not watch.readers:
                self._close(name, watch)

    def _close(self, name: str, watch: Watch) -> None:
        if watch.task is not None:
            watch.task.cancel()
        if self._watches.get(name) is watch:
            del self._watches[name]
        if not self._watches and self._heart is not None:
            self._heart.cancel()
            self._heart = None

    async def _keep_looking(self, watch: Watch) -> None:
        while watch.end is None and not watch.broken:
            began_s = self.now()
            pause_s = EVERY_S
            try:
                seen = await self._looking(watch.look)
            except Unavailable as error:
                _log.warning("cannot be looked at", extra={"facts": {"reason": error.reason}})
                pause_s = error.retry_after_s
            except Exception:
                _log.exception("a defect")
                watch.broken = True
                watch.wake()
            else:
                watch.looked, watch.end, watch.jobs = True, seen.end, seen.jobs
                if watch.board.put(seen.notes) or seen.end is not None:
                    watch.wake()
            took_s = self.now() - began_s
            jobs = sum(each.jobs for each in self._watches.values())
            await self._pause(max(pause_s, jobs / JOBS_PER_S, took_s * RESTS))

    async def _beat(self) -> None:
        """Wake everybody now and then, so that readers show signs of life and see their end."""
        beats = 0
        while True:
            await self._pause(BEAT_S)
            beats = (beats + 1) % HEARTBEATS
            if not beats or self.ending.is_set():
                for watch in self._watches.values():
                    watch.wake()
