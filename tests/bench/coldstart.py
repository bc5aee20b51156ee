"""Cold start of each function: from the start of its process to its first 2xx."""

from __future__ import annotations

import http.client
import os
import socket
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from eventing.topology import FUNCTIONS
from tests.bench.figure import at_most

RUNS = 7
LIMIT_S = 0.5


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _answers(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/health/ready")
        return 200 <= connection.getresponse().status < 300
    except OSError:
        return False
    finally:
        connection.close()


def _start(function: str, directory: Path) -> float:
    port = _free_port()
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(directory),
        "PORT": str(port),
        "KINORA_HOST": "127.0.0.1",
        "K_SERVICE": function,
        "K_SINK": "http://127.0.0.1:9/unused",
        "KINORA_STORE": str(directory),
        "KINORA_STATE": str(directory / "state.sqlite"),
        "KINORA_SCRATCH": str(directory / "scratch"),
    }
    started = time.perf_counter()
    child = subprocess.Popen(
        [sys.executable, "-m", "eventing.host", f"functions.{function}.main"],
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        while not _answers(port):
            if child.poll() is not None or time.perf_counter() - started > 30:
                raise RuntimeError(f"{function} did not start")
            time.sleep(0.002)
        return time.perf_counter() - started
    finally:
        child.terminate()
        child.wait()


def measure(scratch: Path) -> list[dict[str, Any]]:
    (scratch / "scratch").mkdir()
    rows = []
    for function in FUNCTIONS:
        _start(function.name, scratch)  # the first run compiles bytecode
        times = [_start(function.name, scratch) for _ in range(RUNS)]
        rows.append(
            at_most(f"cold start of {function.name}, s, median", statistics.median(times), LIMIT_S)
        )
    return rows
