"""Group commit: changes that come up together become durable together.

A transaction costs about the same for one change as for fifty. Whatever is handed in during one
turn of the event loop goes into one transaction at its end, so a lonely event waits for nobody and
a burst shares the cost. The transaction runs on the loop itself: it takes a fraction of a
millisecond, less than handing it to a thread and back.
"""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections.abc import Callable, Sequence
from typing import Final

from knative.local.broker.log import Log
from knative.local.broker.record import Change

LAZY_S: Final = 0.01
"""How long a change may wait that nobody waits for."""

Done = Callable[[sqlite3.Error | None], None]
"""Told that its changes are durable, or why they never will be."""

_logger = logging.getLogger(__name__)


class Commits:
    """Batches changes on their way into a log. Belongs to the running event loop."""

    def __init__(self, log: Log) -> None:
        self._log = log
        self._loop = asyncio.get_running_loop()
        self._changes: list[Change] = []
        self._noted: list[Change] = []
        self._waiting: list[Done] = []
        self._soon = False
        self._later: asyncio.TimerHandle | None = None
        self.written = 0
        """Transactions made so far."""

    def note(self, *changes: Change) -> None:
        """Make `changes` durable within moments. Losing them must only cost doing work again."""
        self._noted += changes
        if self._later is None and not self._soon:
            self._later = self._loop.call_later(LAZY_S, self.flush)

    def commit(self, changes: Sequence[Change], done: Done) -> None:
        """Make `changes` durable at the end of this turn of the loop, all of them or none."""
        self._changes += changes
        self._waiting.append(done)
        if not self._soon:
            self._soon = True
            self._loop.call_soon(self.flush)

    def flush(self) -> None:
        """Write what was handed in. When that fails, whoever waits is told; notes stay noted."""
        if self._later is not None:
            self._later.cancel()
            self._later = None
        self._soon = False
        changes, noted, waiting = self._changes, self._noted, self._waiting
        self._changes, self._noted, self._waiting = [], [], []
        if not changes and not noted:
            return
        failure: sqlite3.Error | None = None
        try:
            # Notes speak of events and deliveries that are durable already.
            self._log.write([*noted, *changes])
            self.written += 1
        except sqlite3.Error as error:
            _logger.error("the event log cannot be written: %s", error)
            failure = error
            if isinstance(error, sqlite3.OperationalError):
                self._noted = noted
        for done in waiting:
            done(failure)
