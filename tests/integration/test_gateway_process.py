"""The gateway as a process: it starts with what it needs or says why not, and ends in order."""

from __future__ import annotations

import base64
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import httpx2
import pytest

from tests.clips import make_clip
from tests.servers import free_port

START_S = 60.0
KEY = base64.b64encode(b"k" * 32).decode()


def environment(folder: Path, **changes: str) -> dict[str, str]:
    return {
        **{name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ},
        "K_SINK": f"http://127.0.0.1:{free_port()}/",
        "KINORA_STORE": str(folder),
        "KINORA_STATE": str(folder / "state.sqlite"),
        "KINORA_SCRATCH": str(folder / "scratch"),
        "KINORA_MASTER_KEY": KEY,
        "KINORA_HOST": "127.0.0.1",
        "KINORA_OPEN_TO": "local",
        **changes,
    }


class Process:
    def __init__(self, env: Mapping[str, str]) -> None:
        port = free_port()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "functions.gateway.main"],
            env={**env, "PORT": str(port)},
            stderr=subprocess.PIPE,
            text=True,
        )
        self.client = httpx2.Client(base_url=f"http://127.0.0.1:{port}", timeout=START_S)
        assert self.process.stderr is not None
        for line in self.process.stderr:
            if "open to everybody" in line:
                break
        while True:
            try:
                self.client.get("/health")
                return
            except httpx2.ConnectError:
                assert self.process.poll() is None, "it ended"

    def end(self) -> None:
        self.client.close()
        self.process.kill()
        self.process.wait()
        assert self.process.stderr is not None
        self.process.stderr.close()


@pytest.fixture
def gateway(tmp_path: Path) -> Iterator[Process]:
    process = Process(environment(tmp_path))
    try:
        yield process
    finally:
        process.end()


def test_it_does_not_start_where_what_it_would_do_is_wrong(tmp_path: Path) -> None:
    for changes, words in (
        ({"KINORA_HOST": "0.0.0.0"}, "loopback"),
        ({"KINORA_MASTER_KEY": ""}, "KINORA_MASTER_KEY"),
        ({"K_SINK": ""}, "K_SINK"),
    ):
        ran = subprocess.run(
            [sys.executable, "-m", "functions.gateway.main"],
            env=environment(tmp_path, **changes),
            capture_output=True,
            text=True,
            timeout=START_S,
        )
        assert ran.returncode == 1
        assert words in ran.stderr
        assert "Traceback" not in ran.stderr


def test_a_plan_of_a_real_film_is_had_by_a_request(gateway: Process, tmp_path: Path) -> None:
    uploads = tmp_path / "uploads" / "local"
    uploads.mkdir(parents=True)
    clip = make_clip("faststart.mp4", tmp_path, seconds=4.0)
    shutil.copy(clip, uploads / "film.mp4")
    asked = {"object": "uploads/local/film.mp4", "encoders": 2}
    answer = gateway.client.post("/api/v1/plans", json=asked)
    assert answer.status_code == 200, answer.text
    plan = answer.json()
    assert plan["kind"] == "encode"
    assert plan["duration_s"] == pytest.approx(4.0, abs=0.1)
    assert plan["frames"] > 0 and plan["tasks"] >= plan["chunks"] >= 1
    assert not list((tmp_path / "scratch").glob("kinora-gateway/task-*"))


def test_a_broker_that_is_away_is_told_of_and_jobs_are_taken(
    gateway: Process, tmp_path: Path
) -> None:
    ready = gateway.client.get("/ready")
    assert ready.status_code == 200
    assert ready.json()["checks"]["broker"] == "unreachable"
    uploads = tmp_path / "uploads" / "local"
    uploads.mkdir(parents=True)
    shutil.copy(make_clip("faststart.mp4", tmp_path, seconds=1.0), uploads / "film.mp4")
    answer = gateway.client.post("/api/v1/jobs", json={"object": "uploads/local/film.mp4"})
    assert answer.status_code == 201
    job = answer.json()["job"]
    assert gateway.client.get(f"/api/v1/jobs/{job}").json()["state"] == "accepted"


def test_streams_that_are_open_end_whole_when_the_process_is_told_to_stop(
    gateway: Process,
) -> None:
    with gateway.client.stream("GET", "/api/v1/progress") as stream:
        pieces = stream.iter_bytes()
        next(pieces)
        gateway.process.send_signal(signal.SIGTERM)
        # Cut off in the middle it would raise: the last chunk says that it is the last.
        for _ in pieces:
            pass
    assert gateway.process.wait(START_S) == 0
