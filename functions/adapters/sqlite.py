"""StateStore in one SQLite file: the index of one machine, shared by its processes."""

from __future__ import annotations

import queue
import sqlite3
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from eventing.errors import Unavailable
from functions.ports import Clock, Slot, Waiting

_PATIENCE_S: Final = 20.0
"""How long a call waits for the other writers; one transaction takes well under a millisecond."""

_SCHEMA_VERSION: Final = 1
_SCHEMA: Final = """
CREATE TABLE lease (
  name TEXT PRIMARY KEY, holder TEXT NOT NULL, expires_s REAL NOT NULL
) WITHOUT ROWID;
CREATE INDEX lease_by_holder ON lease (holder);

CREATE TABLE done (
  job TEXT, generation INTEGER, task TEXT, PRIMARY KEY (job, generation, task)
) WITHOUT ROWID;

CREATE TABLE waiting (
  job TEXT, generation INTEGER, task TEXT, tenant TEXT NOT NULL, accelerator TEXT NOT NULL,
  rank INTEGER NOT NULL, PRIMARY KEY (job, generation, task)
) WITHOUT ROWID;
CREATE INDEX waiting_by_turn ON waiting (accelerator, tenant, job, rank, generation, task);

CREATE TABLE slot (
  job TEXT, generation INTEGER, task TEXT, tenant TEXT NOT NULL, accelerator TEXT NOT NULL,
  rank INTEGER NOT NULL, cause TEXT NOT NULL, granted_s REAL NOT NULL, expires_s REAL NOT NULL,
  turn INTEGER NOT NULL, PRIMARY KEY (job, generation, task)
) WITHOUT ROWID;
CREATE INDEX slot_by_expiry ON slot (accelerator, expires_s);
CREATE INDEX slot_by_cause ON slot (cause, accelerator);

-- Whose turn it is: the smallest `served` of those with waiting tasks. Tenants stay, so that who
-- comes back takes the place that is theirs; jobs go when they are forgotten.
CREATE TABLE tenant_turn (
  accelerator TEXT, tenant TEXT, waiting INTEGER NOT NULL DEFAULT 0,
  served INTEGER NOT NULL DEFAULT 0, PRIMARY KEY (accelerator, tenant)
) WITHOUT ROWID;
CREATE INDEX tenant_by_turn ON tenant_turn (accelerator, served, tenant) WHERE waiting > 0;
CREATE TABLE job_turn (
  accelerator TEXT, tenant TEXT, job TEXT, waiting INTEGER NOT NULL DEFAULT 0,
  served INTEGER NOT NULL DEFAULT 0, PRIMARY KEY (accelerator, tenant, job)
) WITHOUT ROWID;
CREATE INDEX job_by_turn ON job_turn (accelerator, tenant, served, job) WHERE waiting > 0;
CREATE INDEX job_turn_by_job ON job_turn (job);
CREATE TABLE turn (number INTEGER NOT NULL);
INSERT INTO turn VALUES (0);

CREATE TRIGGER task_waits AFTER INSERT ON waiting BEGIN
  INSERT INTO tenant_turn (accelerator, tenant, waiting) VALUES (new.accelerator, new.tenant, 1)
    ON CONFLICT DO UPDATE SET waiting = waiting + 1;
  INSERT INTO job_turn (accelerator, tenant, job, waiting)
    VALUES (new.accelerator, new.tenant, new.job, 1)
    ON CONFLICT DO UPDATE SET waiting = waiting + 1;
END;
CREATE TRIGGER task_waits_no_more AFTER DELETE ON waiting BEGIN
  UPDATE tenant_turn SET waiting = waiting - 1
    WHERE accelerator = old.accelerator AND tenant = old.tenant;
  UPDATE job_turn SET waiting = waiting - 1
    WHERE accelerator = old.accelerator AND tenant = old.tenant AND job = old.job;
END;

CREATE TABLE progress (
  job TEXT, generation INTEGER, task TEXT, frames INTEGER NOT NULL,
  PRIMARY KEY (job, generation, task)
) WITHOUT ROWID;
"""


class SqliteState:
    """See `functions.ports.StateStore`. Safe for many threads and processes of one machine.

    WAL with `synchronous=NORMAL`: what was written survives the death of every process; the loss
    of power may cost the last moments, which the sweeper repairs. Never on a network file system.
    """

    def __init__(self, path: Path, *, clock: Clock = time.time) -> None:
        self._path = path
        self._clock = clock
        self._idle: queue.LifoQueue[sqlite3.Connection] = queue.LifoQueue()
        path.parent.mkdir(parents=True, exist_ok=True)
        with self._writing() as db:
            (version,) = db.execute("PRAGMA user_version").fetchone()
            if version not in (0, _SCHEMA_VERSION):
                raise ValueError(f"{path.name} has schema {version}, not {_SCHEMA_VERSION}")
            if version == 0:
                for statement in _statements(_SCHEMA):
                    db.execute(statement)
                db.execute(f"PRAGMA user_version={_SCHEMA_VERSION}")

    def close(self) -> None:
        """Close the connections that no call uses. The store can still be used."""
        while True:
            try:
                self._idle.get_nowait().close()
            except queue.Empty:
                return

    def acquire(self, lease: str, holder: str, *, ttl_s: float) -> bool:
        with self._writing() as db:
            now = self._clock()
            return _changed(
                db,
                "INSERT INTO lease VALUES (?1, ?2, ?3) ON CONFLICT (name) DO UPDATE"
                " SET holder = ?2, expires_s = ?3 WHERE holder = ?2 OR expires_s <= ?4",
                (lease, holder, now + ttl_s, now),
            )

    def renew(self, lease: str, holder: str, *, ttl_s: float) -> bool:
        with self._writing() as db:
            now = self._clock()
            return _changed(
                db,
                "UPDATE lease SET expires_s = ? WHERE name = ? AND holder = ? AND expires_s > ?",
                (now + ttl_s, lease, holder, now),
            )

    def release(self, lease: str, holder: str) -> None:
        with self._writing() as db:
            db.execute("DELETE FROM lease WHERE name = ? AND holder = ?", (lease, holder))

    def release_all(self, holder: str) -> None:
        with self._writing() as db:
            db.execute("DELETE FROM lease WHERE holder = ?1 OR ?1 = ''", (holder,))

    def held(self, lease: str) -> bool:
        with self._connection() as db:
            query = "SELECT 1 FROM lease WHERE name = ? AND expires_s > ?"
            return db.execute(query, (lease, self._clock())).fetchone() is not None

    def complete(self, job: str, generation: int, task: str, *, total: int) -> bool:
        with self._writing() as db:
            name = (job, generation, task)
            db.execute("INSERT INTO done VALUES (?, ?, ?) ON CONFLICT DO NOTHING", name)
            for table in ("slot", "waiting"):
                db.execute(
                    f"DELETE FROM {table} WHERE job = ? AND generation = ? AND task = ?", name
                )
            query = "SELECT count(*) FROM done WHERE job = ? AND generation = ?"
            (count,) = db.execute(query, (job, generation)).fetchone()
            return bool(count >= total)

    def enqueue(self, tasks: Sequence[Waiting]) -> None:
        with self._writing() as db:
            db.executemany(
                "INSERT INTO waiting SELECT ?1, ?2, ?3, ?4, ?5, ?6 WHERE NOT EXISTS"
                " (SELECT 1 FROM slot WHERE job = ?1 AND generation = ?2 AND task = ?3)"
                " AND NOT EXISTS"
                " (SELECT 1 FROM done WHERE job = ?1 AND generation = ?2 AND task = ?3)"
                " ON CONFLICT DO NOTHING",
                [
                    (
                        each.job,
                        each.generation,
                        each.task,
                        each.tenant,
                        each.accelerator,
                        each.order,
                    )
                    for each in tasks
                ],
            )

    def admit(self, accelerator: str, *, cause: str, limit: int, ttl_s: float) -> list[Slot]:
        with self._writing() as db:
            now = self._clock()
            lost = db.execute(
                "DELETE FROM slot WHERE accelerator = ? AND expires_s <= ?"
                " RETURNING job, generation, task, tenant, accelerator, rank",
                (accelerator, now),
            ).fetchall()
            db.executemany("INSERT INTO waiting VALUES (?, ?, ?, ?, ?, ?)", lost)
            query = "SELECT count(*) FROM slot WHERE accelerator = ?"
            (taken,) = db.execute(query, (accelerator,)).fetchone()
            for _ in range(limit - taken):
                if not _grant(db, accelerator, cause=cause, now=now, expires_s=now + ttl_s):
                    break
            return [
                Slot(job=job, generation=generation, task=task, accelerator=accel, granted_s=at)
                for job, generation, task, accel, at in db.execute(
                    "SELECT job, generation, task, accelerator, granted_s FROM slot"
                    " WHERE cause = ? AND accelerator = ? ORDER BY turn",
                    (cause, accelerator),
                )
            ]

    def slots(self, job: str) -> list[Slot]:
        with self._connection() as db:
            return [
                Slot(job=job, generation=generation, task=task, accelerator=accel, granted_s=at)
                for generation, task, accel, at in db.execute(
                    "SELECT generation, task, accelerator, granted_s FROM slot"
                    " WHERE job = ? AND expires_s > ? ORDER BY turn",
                    (job, self._clock()),
                )
            ]

    def forget(self, job: str) -> None:
        with self._writing() as db:
            for table in ("waiting", "slot", "done", "progress", "job_turn"):
                db.execute(f"DELETE FROM {table} WHERE job = ?", (job,))

    def report_progress(self, job: str, generation: int, task: str, frames: int) -> None:
        with self._writing() as db:
            db.execute(
                "INSERT INTO progress VALUES (?1, ?2, ?3, ?4)"
                " ON CONFLICT DO UPDATE SET frames = ?4",
                (job, generation, task, frames),
            )

    def progress(self, job: str) -> Mapping[str, int]:
        with self._connection() as db:
            return dict(
                db.execute(
                    "SELECT task, frames FROM progress WHERE job = ?1 AND generation ="
                    " (SELECT max(generation) FROM progress WHERE job = ?1)",
                    (job,),
                ).fetchall()
            )

    @contextmanager
    def _connection(self) -> Iterator[sqlite3.Connection]:
        """One for this thread alone, until the end of the block."""
        try:
            try:
                db = self._idle.get_nowait()
            except queue.Empty:
                db = self._connect()
            try:
                yield db
            except BaseException:
                db.close()
                raise
            self._idle.put(db)
        except sqlite3.OperationalError as error:
            raise Unavailable(f"state store: {error}") from error

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        """A transaction. It takes the write lock first: none fails because another wrote."""
        with self._connection() as db:
            db.execute("BEGIN IMMEDIATE")
            yield db
            db.execute("COMMIT")

    def _connect(self) -> sqlite3.Connection:
        db = sqlite3.connect(
            self._path, timeout=_PATIENCE_S, isolation_level=None, check_same_thread=False
        )
        try:
            deadline_s = time.monotonic() + _PATIENCE_S
            while True:
                try:
                    db.execute("PRAGMA journal_mode=WAL")
                    break
                except sqlite3.OperationalError:
                    # The switch to WAL does not wait for others that make it just now.
                    if time.monotonic() > deadline_s:
                        raise
                    time.sleep(0.005)
            db.execute("PRAGMA synchronous=NORMAL")
        except BaseException:
            db.close()
            raise
        return db


def _grant(
    db: sqlite3.Connection, accelerator: str, *, cause: str, now: float, expires_s: float
) -> bool:
    """Give one slot to whose turn it is. False when nothing waits."""
    tenant = db.execute(
        "SELECT tenant FROM tenant_turn WHERE accelerator = ? AND waiting > 0"
        " ORDER BY served, tenant LIMIT 1",
        (accelerator,),
    ).fetchone()
    if tenant is None:
        return False
    place = (accelerator, *tenant)
    (job,) = db.execute(
        "SELECT job FROM job_turn WHERE accelerator = ? AND tenant = ? AND waiting > 0"
        " ORDER BY served, job LIMIT 1",
        place,
    ).fetchone()
    generation, task, rank = db.execute(
        "SELECT generation, task, rank FROM waiting WHERE accelerator = ? AND tenant = ?"
        " AND job = ? ORDER BY rank, generation, task LIMIT 1",
        (*place, job),
    ).fetchone()
    (turn,) = db.execute("UPDATE turn SET number = number + 1 RETURNING number").fetchone()
    db.execute(
        "DELETE FROM waiting WHERE job = ? AND generation = ? AND task = ?", (job, generation, task)
    )
    db.execute(
        "UPDATE tenant_turn SET served = ? WHERE accelerator = ? AND tenant = ?", (turn, *place)
    )
    db.execute(
        "UPDATE job_turn SET served = ? WHERE accelerator = ? AND tenant = ? AND job = ?",
        (turn, *place, job),
    )
    db.execute(
        "INSERT INTO slot VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (job, generation, task, tenant[0], accelerator, rank, cause, now, expires_s, turn),
    )
    return True


def _changed(db: sqlite3.Connection, statement: str, values: tuple[object, ...]) -> bool:
    return db.execute(statement, values).rowcount > 0


def _statements(script: str) -> Iterator[str]:
    """The statements of a script: a trigger's own semicolons end none."""
    pending = ""
    for line in script.splitlines():
        pending += line + "\n"
        if sqlite3.complete_statement(pending):
            yield pending
            pending = ""
