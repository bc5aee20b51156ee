"""What happened to the events of a job, read from the log while a broker runs or when none does."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from eventing.cloudevent import CloudEvent
from knative.local.broker.log import thaw


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One request to a subscriber."""

    number: int
    started_s: float
    """POSIX time."""
    ended_s: float | None
    """None while it runs, and for ever when its process died under it."""
    code: int | None
    """None when nobody answered."""
    error: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """An event on its way to one trigger's subscriber or dead-letter sink."""

    trigger: str
    """`<namespace>/<name>`."""
    destination: str
    dead: bool
    """True for the delivery to the dead-letter sink."""
    state: str
    """"pending", "delivered", "dead-lettered" or "dropped"."""
    due_s: float
    """When the next attempt is due, while pending."""
    attempts: tuple[Attempt, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """An event that the broker took, with what became of it."""

    seq: int
    broker: str
    accepted_s: float
    """POSIX time."""
    event: CloudEvent
    deliveries: tuple[Delivery, ...]

    @property
    def causationid(self) -> str:
        """The id of the event that this one follows from, or ""."""
        return self.event.extensions.get("causationid", "")

    @property
    def producer(self) -> str:
        """The function that emitted it, or ""."""
        return self.event.extensions.get("producer", "")


class History:
    """Read access to a broker's log."""

    def __init__(self, path: Path) -> None:
        """Raises FileNotFoundError when there is no log."""
        if not path.is_file():
            raise FileNotFoundError(f"no event log at {path}")
        self._path = path

    def of(self, partitionkey: str) -> list[Accepted]:
        """Every event of one job, in the order of acceptance; resends appear again."""
        return self._select("partitionkey = ? AND partitionkey <> ''", partitionkey)

    def latest(self, count: int) -> list[Accepted]:
        """The `count` newest events of all jobs, the oldest of them first."""
        return self._select("seq IN (SELECT seq FROM event ORDER BY seq DESC LIMIT ?)", count)

    def since(self, seq: int) -> list[Accepted]:
        """Every event that was accepted after the one numbered `seq`."""
        return self._select("seq > ?", seq)

    def pending(self) -> list[Accepted]:
        """The events with a delivery that is not settled."""
        return self._select("seq IN (SELECT event FROM delivery WHERE state = ?)", "pending")

    def _select(self, which: str, value: str | int) -> list[Accepted]:
        with self._reading() as database:
            rows = database.execute(
                "SELECT seq, broker, accepted_s, attributes, data FROM event"
                f" WHERE {which} ORDER BY seq",
                (value,),
            ).fetchall()
            return [
                Accepted(
                    seq=seq,
                    broker=broker,
                    accepted_s=accepted_s,
                    event=thaw(attributes, data),
                    deliveries=tuple(_deliveries(database, seq)),
                )
                for seq, broker, accepted_s, attributes, data in rows
            ]

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        """A connection on one consistent state.

        Opened for writing because a reader of a log whose process died must be able to recover
        it; nothing is ever written.
        """
        database = sqlite3.connect(
            f"file:{quote(str(self._path))}?mode=rw", uri=True, isolation_level=None
        )
        try:
            database.execute("PRAGMA busy_timeout = 5000")
            database.execute("PRAGMA query_only = 1")
            database.execute("BEGIN")
            yield database
        finally:
            database.close()


def _deliveries(database: sqlite3.Connection, seq: int) -> Iterator[Delivery]:
    rows = database.execute(
        "SELECT trigger, destination, dead, state, due_s FROM delivery"
        " WHERE event = ? ORDER BY trigger, dead",
        (seq,),
    ).fetchall()
    for trigger, destination, dead, state, due_s in rows:
        yield Delivery(
            trigger=trigger,
            destination=destination,
            dead=bool(dead),
            state=state,
            due_s=due_s,
            attempts=tuple(
                Attempt(number=number, started_s=started_s, ended_s=ended_s, code=code, error=error)
                for number, started_s, ended_s, code, error in database.execute(
                    "SELECT number, started_s, ended_s, code, error FROM attempt"
                    " WHERE event = ? AND trigger = ? AND dead = ? ORDER BY number",
                    (seq, trigger, dead),
                )
            ),
        )
