"""StateStore in one SQLite file: the index of one machine, shared by its processes."""

from __future__ import annotations

import json
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

_SCHEMA_VERSION: Final = 4
_SCHEMA: Final = Path(__file__).with_name("state.sql")

_WAITING: Final = (  # its columns
    "job, generation, task, accelerator, tenant_priority, tenant, priority, rank, length"
)
_SLOT: Final = "job, generation, task, accelerator, length, granted_s"  # the fields of a Slot


class SqliteState:
    """See `functions.ports.StateStore`. Safe for many threads and processes of one machine.

    WAL with `synchronous=NORMAL`: what was written survives the death of every process; the loss
    of power may cost the last moments, which the sweeper repairs. Never on a network file system.
    A file that an earlier version left is begun anew, which the sweeper repairs as well.
    """

    def __init__(self, path: Path, *, clock: Clock = time.time) -> None:
        self._path = path
        self._clock = clock
        self._idle: queue.LifoQueue[sqlite3.Connection] = queue.LifoQueue()
        path.parent.mkdir(parents=True, exist_ok=True)
        with self._writing() as db:
            (version,) = db.execute("PRAGMA user_version").fetchone()
            if version > _SCHEMA_VERSION:
                raise ValueError(f"{path.name} has schema {version}, not {_SCHEMA_VERSION}")
            if version < _SCHEMA_VERSION:
                _empty(db)
                for statement in _statements(_SCHEMA.read_text()):
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

    def holders(self, leases: Sequence[str]) -> Mapping[str, str]:
        with self._connection() as db:
            query = (
                "SELECT name, holder FROM lease JOIN json_each(?1) ON name = value"
                " WHERE expires_s > ?2"
            )
            return dict(db.execute(query, (json.dumps(list(leases)), self._clock())).fetchall())

    def complete(self, job: str, generation: int, *tasks: str, total: int) -> bool:
        with self._writing() as db:
            names = [(job, generation, task) for task in tasks]
            db.executemany("INSERT INTO done VALUES (?, ?, ?) ON CONFLICT DO NOTHING", names)
            for table in ("slot", "waiting"):
                db.executemany(
                    f"DELETE FROM {table} WHERE job = ? AND generation = ? AND task = ?", names
                )
            query = "SELECT tasks FROM joined WHERE job = ? AND generation = ?"
            row = db.execute(query, (job, generation)).fetchone()
            return bool((row[0] if row else 0) >= total)

    def enqueue(self, tasks: Sequence[Waiting]) -> None:
        with self._writing() as db:
            db.executemany(
                f"INSERT INTO waiting ({_WAITING})"
                " SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9 WHERE NOT EXISTS"
                " (SELECT 1 FROM slot WHERE job = ?1 AND generation = ?2 AND task = ?3)"
                " AND NOT EXISTS"
                " (SELECT 1 FROM done WHERE job = ?1 AND generation = ?2 AND task = ?3)"
                " ON CONFLICT DO NOTHING",
                [
                    (
                        each.job,
                        each.generation,
                        each.task,
                        each.accelerator,
                        each.tenant_priority,
                        each.tenant,
                        each.priority,
                        each.order,
                        each.length,
                    )
                    for each in tasks
                ],
            )

    def admit(self, accelerator: str, *, cause: str, limit: int, ttl_s: float) -> list[Slot]:
        with self._writing() as db:
            now = self._clock()
            lost = db.execute(
                f"DELETE FROM slot WHERE accelerator = ? AND expires_s <= ? RETURNING {_WAITING}",
                (accelerator, now),
            ).fetchall()
            db.executemany(
                f"INSERT INTO waiting ({_WAITING}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", lost
            )
            query = "SELECT count(*) FROM slot WHERE accelerator = ?"
            (taken,) = db.execute(query, (accelerator,)).fetchone()
            for _ in range(limit - taken):
                if not _grant(db, accelerator, cause=cause, now=now, expires_s=now + ttl_s):
                    break
            return _slots(db, "cause = ? AND accelerator = ?", (cause, accelerator))

    def slots(self, job: str) -> list[Slot]:
        with self._connection() as db:
            return _slots(db, "job = ? AND expires_s > ?", (job, self._clock()))

    def granted(self, accelerator: str) -> list[Slot]:
        with self._connection() as db:
            return _slots(db, "accelerator = ? AND expires_s > ?", (accelerator, self._clock()))

    def keep_slot(self, job: str, generation: int, task: str, *, ttl_s: float) -> None:
        with self._writing() as db:
            db.execute(
                "UPDATE slot SET expires_s = max(expires_s, ?)"
                " WHERE job = ? AND generation = ? AND task = ?",
                (self._clock() + ttl_s, job, generation, task),
            )

    def forget(self, job: str) -> None:
        with self._writing() as db:
            for table in ("waiting", "slot", "done", "joined", "progress", "job_turn"):
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
                    # Of a name that comes twice the last one stays.
                    "SELECT task, frames FROM progress WHERE job = ?1 ORDER BY generation",
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
    of_tenant = "accelerator = ? AND tenant_priority = ? AND tenant = ?"
    tenant = db.execute(
        "SELECT accelerator, tenant_priority, tenant FROM tenant_turn"
        " WHERE accelerator = ? AND waiting > 0"
        " ORDER BY tenant_priority DESC, served, tenant LIMIT 1",
        (accelerator,),
    ).fetchone()
    if tenant is None:
        return False
    of_job = f"{of_tenant} AND priority = ? AND job = ?"
    job = db.execute(
        "SELECT accelerator, tenant_priority, tenant, priority, job FROM job_turn"
        f" WHERE {of_tenant} AND waiting > 0 ORDER BY priority DESC, served, job LIMIT 1",
        tenant,
    ).fetchone()
    task = db.execute(
        f"SELECT {_WAITING} FROM waiting WHERE {of_job} ORDER BY rank, generation, task LIMIT 1",
        job,
    ).fetchone()
    (turn,) = db.execute("UPDATE turn SET number = number + 1 RETURNING number").fetchone()
    db.execute("DELETE FROM waiting WHERE job = ? AND generation = ? AND task = ?", task[:3])
    db.execute(f"UPDATE tenant_turn SET served = ? WHERE {of_tenant}", (turn, *tenant))
    db.execute(f"UPDATE job_turn SET served = ? WHERE {of_job}", (turn, *job))
    db.execute(
        f"INSERT INTO slot ({_WAITING}, cause, granted_s, expires_s, turn)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (*task, cause, now, expires_s, turn),
    )
    return True


def _slots(db: sqlite3.Connection, where: str, values: tuple[object, ...]) -> list[Slot]:
    """Those that meet the condition, in the order in which they were given."""
    return [
        Slot(job=job, generation=number, task=task, accelerator=accel, length=length, granted_s=at)
        for job, number, task, accel, length, at in db.execute(
            f"SELECT {_SLOT} FROM slot WHERE {where} ORDER BY turn", values
        )
    ]


def _empty(db: sqlite3.Connection) -> None:
    """Drop whatever is there; triggers and indices go with their tables."""
    tables = db.execute("SELECT name FROM sqlite_schema WHERE type = 'table'").fetchall()
    for (name,) in tables:
        db.execute(f'DROP TABLE "{name}"')


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
