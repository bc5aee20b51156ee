"""A process that handles the one event of a file, as a Job of a JobSink starts it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from eventing import codec, job
from eventing.contract import TaskCompleted, TaskReady
from eventing.envelope import unwrap
from functions.adapters.directory import DirectoryStore
from functions.adapters.sqlite import SqliteState
from functions.jobs import layout, leases
from tests import planned
from tests.clips import ffmpeg
from tests.contract.event_samples import event_of
from tests.integration.served import DEADLINE_S, until
from tests.planned import JOB
from tests.receivers import Receiver, receiver

HOLDING = """
import os
import time
from pathlib import Path

from eventing.contract import TaskReady
from eventing.host import target

folder = Path(os.environ["FOLDER"])

def handle(ready):
    (folder / "begun").touch()
    try:
        while True:
            time.sleep(0.01)
    finally:
        (folder / "given back").touch()
    yield

function = target("sample", {TaskReady: handle})
"""


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two seconds with sound."""
    path = tmp_path_factory.mktemp("clip") / "clip.mp4"
    ffmpeg(
        *("-f", "lavfi", "-i", "testsrc2=s=128x72:r=25:d=2"),
        *("-f", "lavfi", "-i", "sine=d=2"),
        *("-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-c:a", "aac"),
        str(path),
    )
    return path


@contextmanager
def started(
    folder: Path, module: str, task: str, sink: Receiver, **env: str
) -> Iterator[subprocess.Popen[bytes]]:
    """The process on the event of this task; killed if it is left running."""
    ready = TaskReady(job=JOB, generation=1, task=task, length="long")
    mounted = folder / "jobsink-event"
    mounted.mkdir()
    (mounted / "event").write_bytes(codec.encode(event_of(ready), mode="structured").body)
    process = subprocess.Popen(
        [sys.executable, "-m", "eventing.job", module],
        env={
            **{name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ},
            "PYTHONPATH": str(folder),
            "PYTHONWARNINGS": "error",
            "K_EVENT_PATH": str(mounted),
            "K_SINK": sink.url,
            **env,
        },
        stderr=subprocess.PIPE,
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        assert process.stderr is not None
        process.stderr.close()


def encoder(folder: Path) -> dict[str, str]:
    return {
        "KINORA_STORE": str(folder / "site"),
        "KINORA_STATE": str(folder / "state.sqlite"),
        "KINORA_SCRATCH": str(folder / "scratch"),
    }


def test_a_task_from_a_file_is_encoded_and_told_of(tmp_path: Path, clip: Path) -> None:
    store = DirectoryStore(tmp_path / "site")
    planned.plan(store, clip, renditions=())
    with (
        receiver() as sink,
        started(tmp_path, "functions.encoder.main", "a1", sink, **encoder(tmp_path)) as process,
    ):
        assert process.wait(DEADLINE_S) == job.DONE
        (request,) = sink.got
        told = unwrap(codec.decode(request.headers, request.body))
    assert told == TaskCompleted(job=JOB, generation=1, task="a1")
    assert store.head(layout.receipt(JOB, 1, "a1")) is not None
    state = SqliteState(tmp_path / "state.sqlite")
    assert not state.held(leases.task(JOB, 1, "a1"))
    state.close()


def test_a_task_that_the_plan_does_not_have_ends_as_refused_and_the_log_says_why(
    tmp_path: Path, clip: Path
) -> None:
    planned.plan(DirectoryStore(tmp_path / "site"), clip, renditions=())
    with (
        receiver() as sink,
        started(tmp_path, "functions.encoder.main", "a9", sink, **encoder(tmp_path)) as process,
    ):
        _, log = process.communicate(timeout=DEADLINE_S)
        assert process.returncode == job.REFUSED
        assert sink.got == []
    assert b"task_unknown" in log


def test_on_sigterm_what_is_held_is_given_back_at_once(tmp_path: Path) -> None:
    (tmp_path / "sample.py").write_text(HOLDING)
    with (
        receiver() as sink,
        started(tmp_path, "sample", "a1", sink, FOLDER=str(tmp_path)) as process,
    ):
        until((tmp_path / "begun").exists, "the task is begun")
        process.send_signal(signal.SIGTERM)
        assert process.wait(DEADLINE_S) == job.STOPPED
        assert (tmp_path / "given back").exists()
        assert sink.got == []
