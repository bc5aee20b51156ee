"""The broker's memory: events, what is still to be delivered, and every attempt at it.

One SQLite file in WAL mode with `synchronous=NORMAL`: what `write` returned from survives the
death of any process, not a loss of power (the sweeper repairs that). One process at a time writes;
`history.py` reads beside it.
"""

from __future__ import annotations

import contextlib
import fcntl
import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, Final

import msgspec

from eventing.cloudevent import CONTEXT, CloudEvent
from knative.local.broker.record import (
    PENDING,
    Accepted,
    Begun,
    Buried,
    Change,
    Ended,
    Entry,
    Key,
    Postponed,
    Settled,
    Unfinished,
)

SCHEMA_VERSION: Final = 1
LARGE_BYTES: Final = 64 * 1024 * 1024
SCHEMA: Final = """
CREATE TABLE event (
  seq INTEGER PRIMARY KEY,
  broker TEXT NOT NULL,
  partitionkey TEXT NOT NULL,
  accepted_s REAL NOT NULL,
  ttl INTEGER NOT NULL,
  attributes BLOB NOT NULL,
  data BLOB
);
CREATE INDEX event_by_partition ON event (partitionkey) WHERE partitionkey <> '';
CREATE TABLE delivery (
  event INTEGER NOT NULL,
  trigger TEXT NOT NULL,
  dead INTEGER NOT NULL,
  destination TEXT NOT NULL,
  state TEXT NOT NULL,
  due_s REAL NOT NULL,
  errors BLOB NOT NULL,
  PRIMARY KEY (event, trigger, dead)
) WITHOUT ROWID;
CREATE INDEX delivery_pending ON delivery (event) WHERE state = 'pending';
CREATE TABLE attempt (
  event INTEGER NOT NULL,
  trigger TEXT NOT NULL,
  dead INTEGER NOT NULL,
  number INTEGER NOT NULL,
  started_s REAL NOT NULL,
  ended_s REAL,
  code INTEGER,
  error TEXT NOT NULL,
  PRIMARY KEY (event, trigger, dead, number)
) WITHOUT ROWID;
"""


class InUse(RuntimeError):
    """Another process has this log open for writing."""


class Log:
    """The open log. All methods block; a transaction of a hundred changes takes about 1 ms."""

    def __init__(self, path: Path) -> None:
        """Open or create. Raises InUse, or sqlite3.Error when this is no log of ours."""
        self._lock = _lock(path.with_name(f"{path.name}.lock"))
        try:
            self._database = _open(path)
        except BaseException:
            self._lock.close()
            raise
        self.path = path
        (self.last_seq,) = self._database.execute(
            "SELECT coalesce(max(seq), 0) FROM event"
        ).fetchone()
        """Of the events that were there when it was opened."""

    def close(self) -> None:
        """Close; whoever comes next may open it."""
        self._database.close()
        self._lock.close()

    def write(self, changes: Sequence[Change]) -> None:
        """Make all of `changes` durable, or none: raises sqlite3.Error then."""
        execute = self._database.execute
        execute("BEGIN IMMEDIATE")
        try:
            for change in changes:
                for statement, values in _statements(change):
                    execute(statement, values)
            execute("COMMIT")
        except BaseException:
            # A failed COMMIT (disk full) may have rolled back by itself already.
            with contextlib.suppress(sqlite3.Error):
                execute("ROLLBACK")
            raise

    def entry(self, seq: int) -> Entry:
        """The event `seq`. Raises KeyError when it is not there any more."""
        row = self._database.execute(
            "SELECT broker, ttl, attributes, data FROM event WHERE seq = ?", (seq,)
        ).fetchone()
        if row is None:
            raise KeyError(seq)
        broker, ttl, attributes, data = row
        return Entry(seq=seq, broker=broker, ttl=ttl, event=thaw(attributes, data))

    def unfinished(self) -> Iterator[Unfinished]:
        """Every delivery that is still to be made, oldest event first."""
        rows = self._database.execute(
            "SELECT event, trigger, dead, due_s, errors,"
            " (SELECT coalesce(max(number), 0) FROM attempt a WHERE a.event = d.event"
            "   AND a.trigger = d.trigger AND a.dead = d.dead),"
            " (SELECT count(*) FROM attempt a WHERE a.event = d.event"
            "   AND a.trigger = d.trigger AND a.dead = d.dead AND ended_s IS NOT NULL)"
            f" FROM delivery d WHERE state = '{PENDING}' ORDER BY event"
        )
        for seq, trigger, dead, due_s, errors, attempts, failures in rows:
            yield Unfinished(
                key=Key(seq, trigger, bool(dead)),
                due_s=due_s,
                errors=msgspec.json.decode(errors),
                attempts=attempts,
                failures=failures,
            )

    def reclaim(self) -> None:
        """End a write-ahead log that has grown large under load that never paused.

        `checkpoint` must have run just before: what is left for here is little.
        """
        ahead = self.path.with_name(f"{self.path.name}-wal")
        if ahead.stat().st_size > LARGE_BYTES:
            self._database.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()

    def forget(self, *, before_s: float, keep: int, among: int) -> int:
        """Remove finished events accepted before `before_s`, or not among the `keep` newest.

        Looks at the `among` oldest events only; returns how many it removed.
        """
        rows = self._database.execute(
            "SELECT seq FROM (SELECT seq, accepted_s FROM event ORDER BY seq LIMIT ?)"
            " WHERE (accepted_s < ? OR seq <= (SELECT max(seq) FROM event) - ?) AND NOT EXISTS"
            f" (SELECT 1 FROM delivery WHERE event = seq AND state = '{PENDING}')",
            (among, before_s, keep),
        ).fetchall()
        if not rows:
            return 0
        execute = self._database.executemany
        self._database.execute("BEGIN IMMEDIATE")
        execute("DELETE FROM attempt WHERE event = ?", rows)
        execute("DELETE FROM delivery WHERE event = ?", rows)
        execute("DELETE FROM event WHERE seq = ?", rows)
        self._database.execute("COMMIT")
        return len(rows)


def checkpoint(path: Path) -> None:
    """Move what the write-ahead log holds into the database, beside a writer, without stopping it.

    Waits for the disk: call it on a thread. A database in use elsewhere is left for later.
    """
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as database:
        database.execute("PRAGMA wal_checkpoint(PASSIVE)")


def freeze(event: CloudEvent) -> bytes:
    """The context attributes as JSON; absent ones are left out."""
    context = {name: value for name in CONTEXT if (value := getattr(event, name)) is not None}
    return msgspec.json.encode([context, dict(event.extensions)])


def thaw(attributes: bytes, data: bytes | None) -> CloudEvent:
    """The event that `freeze` was given."""
    context, extensions = msgspec.json.decode(attributes)
    return CloudEvent(**context, extensions=extensions, data=data)


def _lock(path: Path) -> IO[bytes]:
    """A lock that ends with its holder, however that ends."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle = path.open("ab")
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        handle.close()
        raise InUse(f"{path} is held: another broker runs on this log") from None
    return handle


def _open(path: Path) -> sqlite3.Connection:
    database = sqlite3.connect(path, isolation_level=None)
    try:
        # Checkpoints wait for the disk; `checkpoint` makes them where nobody waits for it.
        for pragma in (
            "busy_timeout = 1000",
            "journal_mode = WAL",
            "synchronous = NORMAL",
            "wal_autocheckpoint = 0",
            f"journal_size_limit = {16 * 1024 * 1024}",
        ):
            database.execute(f"PRAGMA {pragma}")
        (version,) = database.execute("PRAGMA user_version").fetchone()
        if version == 0:
            database.executescript(
                f"BEGIN; {SCHEMA} PRAGMA user_version = {SCHEMA_VERSION}; COMMIT;"
            )
        elif version != SCHEMA_VERSION:
            raise sqlite3.DatabaseError(f"{path} has format {version}, not {SCHEMA_VERSION}")
        path.chmod(0o600)
    except BaseException:
        database.close()
        raise
    return database


Values = tuple[str | int | float | bytes | None, ...]


def _statements(change: Change) -> Iterator[tuple[str, Values]]:
    match change:
        case Accepted(entry=entry, at_s=at_s, to=to):
            yield (
                "INSERT INTO event VALUES (?, ?, ?, ?, ?, ?, ?)",
                (
                    entry.seq,
                    entry.broker,
                    entry.event.extensions.get("partitionkey", ""),
                    at_s,
                    entry.ttl,
                    freeze(entry.event),
                    entry.event.data,
                ),
            )
            for trigger, address in to:
                yield (_INSERT_DELIVERY, (entry.seq, trigger, 0, address, at_s, b"{}"))
        case Begun(key=key, number=number, at_s=at_s):
            yield (
                "INSERT OR REPLACE INTO attempt VALUES (?, ?, ?, ?, ?, NULL, NULL, '')",
                (key.seq, key.trigger, key.dead, number, at_s),
            )
        case Ended(key=key, number=number, at_s=at_s, code=code, error=error):
            yield (
                "UPDATE attempt SET ended_s = ?, code = ?, error = ?"
                " WHERE event = ? AND trigger = ? AND dead = ? AND number = ?",
                (at_s, code, error, key.seq, key.trigger, key.dead, number),
            )
        case Postponed(key=key, due_s=due_s):
            yield (
                "UPDATE delivery SET due_s = ? WHERE event = ? AND trigger = ? AND dead = ?",
                (due_s, key.seq, key.trigger, key.dead),
            )
        case Settled(key=key, state=state):
            yield (
                "UPDATE delivery SET state = ? WHERE event = ? AND trigger = ? AND dead = ?",
                (state, key.seq, key.trigger, key.dead),
            )
        case Buried(key=key, address=address, errors=errors, at_s=at_s):
            yield (
                _INSERT_DELIVERY,
                (key.seq, key.trigger, 1, address, at_s, msgspec.json.encode(errors)),
            )


_INSERT_DELIVERY: Final = f"INSERT OR REPLACE INTO delivery VALUES (?, ?, ?, ?, '{PENDING}', ?, ?)"
