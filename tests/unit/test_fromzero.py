"""The stopwatch of the bench tells how a start from zero was spent."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.bench import cluster
from tests.bench.fromzero import HELLO, ColdStart, cold_start, timed


def test_a_start_is_split_by_what_the_process_said() -> None:
    log = 'starting\nstopwatch [101.5, 101.6, 101.75]\n{"message": "handled"}\n'
    found = cold_start(100.0, 102.0, log)
    assert found == ColdStart(total_s=2.0, placed_s=1.5, python_s=0.25, answered_s=0.25)


def test_a_log_without_the_stopwatch_is_no_start() -> None:
    with pytest.raises(ValueError, match="no time"):
        cold_start(1.0, 2.0, "nothing here\n")


def test_a_module_runs_with_the_stopwatch_as_it_runs_without() -> None:
    _, *argv = timed(["python", "-m", "json.tool", "--no-such-option"])
    ran = subprocess.run([sys.executable, *argv], capture_output=True, text=True, timeout=60)
    assert ran.returncode == 2
    assert "unrecognized arguments: --no-such-option" in ran.stderr


def test_only_a_module_can_be_timed() -> None:
    with pytest.raises(ValueError, match="no module"):
        timed(["sleep", "1", "x"])


def test_the_time_of_listening_is_told() -> None:
    listening = "\nsocket.create_server(('127.0.0.1', 0)).close()"
    program = HELLO[2].partition("\nfrom http.server")[0] + listening
    argv = [sys.executable, "-c", program]
    ran = subprocess.run(argv, capture_output=True, text=True, check=True, timeout=60)
    found = cold_start(0.0, 0.0, ran.stderr)
    assert -found.answered_s >= found.placed_s > 0


def test_what_a_function_adds_is_held_to_the_limit() -> None:
    def start(total_s: float) -> list[ColdStart]:
        return [ColdStart(total_s, placed_s=1.0, python_s=0.2, answered_s=total_s - 1.2)]

    found = {"hello": start(1.4), "ingest": start(1.8), "encoder": start(2.0)}
    found |= {name: start(1.4) for name in cluster.HELLOS}
    held = {row["figure"]: row["holds"] for row in cluster.rows(found) if "holds" in row}
    assert held == {
        "ingest beyond a hello-world, s": True,
        "encoder beyond a hello-world, s": False,
    }
