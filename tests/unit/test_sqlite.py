"""What is particular to the state in a SQLite file: processes that start, die and wait."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from functions.adapters.sqlite import SqliteState
from functions.ports import Waiting


def test_all_may_open_a_new_file_at_once(tmp_path: Path) -> None:
    def run(n: int) -> bool:
        state = SqliteState(tmp_path / "state.sqlite")
        try:
            return state.acquire("lease", f"holder{n}", ttl_s=60)
        finally:
            state.close()

    with ThreadPoolExecutor(12) as pool:
        assert sum(pool.map(run, range(12))) == 1


WRITER = """
import sys
from pathlib import Path
from functions.adapters.sqlite import SqliteState

state = SqliteState(Path(sys.argv[1]))
for n in range(10**9):
    state.complete("job", 1, f"v{n}", total=10**9)
    print(n, flush=True)
"""


def test_what_was_answered_survives_the_death_of_the_process(tmp_path: Path) -> None:
    path = tmp_path / "state.sqlite"
    with subprocess.Popen(
        [sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE, text=True
    ) as writer:
        assert writer.stdout is not None
        for _ in range(50):
            writer.stdout.readline()
        writer.kill()
        answered = 50 + sum(line.endswith("\n") for line in writer.stdout)
    state = SqliteState(path)
    try:
        assert state.complete("job", 1, "v0", total=answered)
    finally:
        state.close()


def test_a_closed_store_opens_again_when_it_is_used(tmp_path: Path) -> None:
    state = SqliteState(tmp_path / "deep/er/state.sqlite")
    state.acquire("lease", "anna", ttl_s=60)
    state.close()
    state.close()
    assert state.held("lease")
    state.close()
    assert [path.name for path in (tmp_path / "deep/er").iterdir()] == ["state.sqlite"]


def test_a_file_of_an_earlier_schema_is_begun_anew(tmp_path: Path) -> None:
    path = tmp_path / "state.sqlite"
    db = sqlite3.connect(path)
    db.executescript(
        "CREATE TABLE lease (name TEXT PRIMARY KEY); CREATE TABLE waiting (job TEXT, rank INTEGER);"
        "CREATE INDEX waiting_by_turn ON waiting (rank); INSERT INTO waiting VALUES ('old', 0);"
        "CREATE TRIGGER gone AFTER DELETE ON waiting BEGIN SELECT 1; END; PRAGMA user_version=1;"
    )
    db.close()
    for _ in range(2):
        state = SqliteState(path)
        state.enqueue(
            [Waiting(job="new", generation=1, task="v", tenant="t", accelerator="cpu", order=0)]
        )
        (slot,) = state.admit("cpu", cause="start", limit=9, ttl_s=60)
        assert slot.job == "new"
        state.close()


def test_a_file_of_a_later_schema_is_refused(tmp_path: Path) -> None:
    db = sqlite3.connect(tmp_path / "state.sqlite")
    db.execute("PRAGMA user_version=99")
    db.close()
    with pytest.raises(ValueError, match="schema 99"):
        SqliteState(tmp_path / "state.sqlite")


def test_admission_finds_the_next_task_by_index_alone(tmp_path: Path) -> None:
    state = SqliteState(tmp_path / "state.sqlite")
    state.enqueue(
        [
            Waiting(job="j", generation=1, task="v0", tenant="t", accelerator="cpu", order=0),
        ]
    )
    state.close()
    db = sqlite3.connect(tmp_path / "state.sqlite")
    try:
        for query in (
            "SELECT tenant FROM tenant_turn WHERE accelerator = 'cpu' AND waiting > 0"
            " ORDER BY tenant_priority DESC, served, tenant LIMIT 1",
            "SELECT job FROM job_turn WHERE accelerator = 'cpu' AND tenant_priority = 0"
            " AND tenant = 't' AND waiting > 0 ORDER BY priority DESC, served, job LIMIT 1",
            "SELECT generation, task, rank FROM waiting WHERE accelerator = 'cpu'"
            " AND tenant_priority = 0 AND tenant = 't' AND priority = 0 AND job = 'j'"
            " ORDER BY rank, generation, task LIMIT 1",
        ):
            plan = " ".join(row[3] for row in db.execute(f"EXPLAIN QUERY PLAN {query}"))
            assert "by_turn" in plan
            assert "TEMP B-TREE" not in plan
    finally:
        db.close()
