"""A served function from its start to its end, in a process of its own."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from eventing import codec
from eventing.contract import JobAccepted
from tests.contract.event_samples import JOB, event_of
from tests.integration.served import DEADLINE_S, Served, served, until

ACCEPTED = codec.encode(event_of(JobAccepted(job=JOB, tenant="acme")))

TRIVIAL = """
from eventing.contract import JobAccepted
from eventing.host import target

function = target("sample", {JobAccepted: lambda payload: ()})
"""

WAITING = """
import os
import time
from pathlib import Path

from eventing.contract import JobAccepted
from eventing.host import target

folder = Path(os.environ["FOLDER"])

def handle(payload):
    (folder / f"begun-{time.monotonic_ns()}").touch()
    while not (folder / "go").exists():
        time.sleep(0.01)
    (folder / "finished").touch()
    yield from ()

function = target("sample", {JobAccepted: handle})
"""


def begun(folder: Path) -> int:
    return len(list(folder.glob("begun-*")))


class Delivery(threading.Thread):
    """A request that is under way while the test goes on."""

    def __init__(self, process: Served) -> None:
        super().__init__()
        self._process = process
        self.answer: tuple[int, bytes] | None = None
        """None too if the connection was lost."""
        self.start()

    def run(self) -> None:
        with suppress(OSError, http.client.HTTPException):
            self.answer = self._process.deliver(ACCEPTED)


def test_an_event_is_answered_with_an_empty_204_and_one_log_line(tmp_path: Path) -> None:
    with served(tmp_path, TRIVIAL) as process:
        assert process.deliver(ACCEPTED) == (204, b"")
        lines = [json.loads(line) for line in process.log.splitlines()]
    assert [(line["message"], line["status"], line["job"]) for line in lines] == [
        ("handled", 204, JOB)
    ]


def test_health_methods_and_malformed_messages_are_answered_over_the_wire(tmp_path: Path) -> None:
    with served(tmp_path, TRIVIAL) as process:
        for path in ("/health/live", "/health/ready"):
            for method in ("GET", "HEAD"):
                response = process.request(method, path)
                assert (response.status, response.body) == (200, b"")
        options = process.request("OPTIONS", "/")
        assert (options.status, options.allow) == (204, "POST")
        assert process.request("GET", "/").status == 405
        assert process.request("PUT", "/").status == 405
        assert process.request("POST", "/", b"{}").status == 400
        batch = {"content-type": "application/cloudevents-batch+json"}
        assert process.request("POST", "/", b"[]", batch).status == 415
        assert process.request("POST", "/", b"x" * 65_537, ACCEPTED.headers).status == 413


def test_a_body_without_end_is_refused_after_64_kib(tmp_path: Path) -> None:
    with served(tmp_path, TRIVIAL) as process:
        process.request("GET", "/health/ready")
        with socket.create_connection(("127.0.0.1", process.port), DEADLINE_S) as connection:
            connection.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n")
            chunk = b"%x\r\n%s\r\n" % (60_000, b"x" * 60_000)
            connection.sendall(chunk + chunk)
            with connection.makefile("rb") as reader:
                answer = reader.read()
    assert answer.startswith(b"HTTP/1.1 413 ")


def test_every_attribute_that_the_codec_takes_comes_through_however_it_is_encoded(
    tmp_path: Path,
) -> None:
    wide = event_of(JobAccepted(job=JOB, tenant="acme")).with_extensions(note="ü" * 7900)
    with served(tmp_path, TRIVIAL) as process:
        assert process.deliver(codec.encode(wide)) == (204, b"")


@pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGINT])
def test_an_idle_process_ends_with_0(tmp_path: Path, stop: signal.Signals) -> None:
    with served(tmp_path, TRIVIAL) as process:
        process.request("GET", "/health/ready")
        process.process.send_signal(stop)
        assert process.process.wait(DEADLINE_S) == 0


@pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGINT])
def test_what_is_in_flight_is_finished_before_the_end(tmp_path: Path, stop: signal.Signals) -> None:
    with served(tmp_path, WAITING, FOLDER=str(tmp_path)) as process:
        deliveries = [Delivery(process), Delivery(process)]
        until(lambda: begun(tmp_path) == 2, "both are being handled")
        process.process.send_signal(stop)
        until(lambda: refuses(process.port), "nothing new is accepted")
        assert process.process.poll() is None
        (tmp_path / "go").touch()
        for delivery in deliveries:
            delivery.join(DEADLINE_S)
            assert delivery.answer == (204, b"")
        assert process.process.wait(DEADLINE_S) == 0


def refuses(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return True
    return False


def test_a_sender_that_hangs_up_stops_nothing(tmp_path: Path) -> None:
    with served(tmp_path, WAITING, FOLDER=str(tmp_path)) as process:
        process.request("GET", "/health/ready")
        head = "".join(f"{name}: {value}\r\n" for name, value in ACCEPTED.headers.items())
        with socket.create_connection(("127.0.0.1", process.port), DEADLINE_S) as connection:
            length = f"content-length: {len(ACCEPTED.body)}\r\n"
            connection.sendall(f"POST / HTTP/1.1\r\nhost: x\r\n{head}{length}\r\n".encode())
            connection.sendall(ACCEPTED.body)
            until(lambda: begun(tmp_path) == 1, "it is being handled")
        process.process.terminate()
        (tmp_path / "go").touch()
        assert process.process.wait(DEADLINE_S) == 0
    assert (tmp_path / "finished").exists()


def test_what_does_not_end_within_the_revisions_timeout_is_given_up(tmp_path: Path) -> None:
    with served(tmp_path, WAITING, FOLDER=str(tmp_path), KINORA_TIMEOUT_S="1") as process:
        delivery = Delivery(process)
        until(lambda: begun(tmp_path) == 1, "it is being handled")
        process.process.terminate()
        assert process.process.wait(DEADLINE_S) == 1
        delivery.join(DEADLINE_S)
    assert not (tmp_path / "finished").exists()
    # A broker delivers again after either.
    assert delivery.answer is None or delivery.answer[0] == 500


def test_no_more_events_are_handled_at_once_than_the_concurrency_says(tmp_path: Path) -> None:
    with served(tmp_path, WAITING, FOLDER=str(tmp_path), KINORA_CONCURRENCY="1") as process:
        deliveries = [Delivery(process), Delivery(process)]
        until(lambda: begun(tmp_path) == 1, "one is being handled")
        assert process.request("GET", "/health/live").status == 200
        assert begun(tmp_path) == 1
        (tmp_path / "go").touch()
        for delivery in deliveries:
            delivery.join(DEADLINE_S)
            assert delivery.answer == (204, b"")
    assert begun(tmp_path) == 2


PARENT = """
import os, subprocess, sys, time
child = subprocess.Popen([sys.executable, "-m", "eventing.host", "sample"],
                         env={**os.environ, "KINORA_PARENT_DEATH": str(os.getpid())})
print(child.pid, flush=True)
time.sleep(600)
"""


def test_a_process_ends_with_its_parent_if_it_is_told_to(tmp_path: Path) -> None:
    (tmp_path / "sample.py").write_text(TRIVIAL)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT],
        env={
            **os.environ,
            "PYTHONPATH": str(tmp_path),
            "PORT": str(port),
            "KINORA_HOST": "127.0.0.1",
        },
        stdout=subprocess.PIPE,
    )
    try:
        assert parent.stdout is not None
        child = psutil.Process(int(parent.stdout.readline()))
        until(lambda: not refuses(port), "the child serves")
        parent.kill()
        parent.wait()
        until(lambda: gone(child), "the child is gone")
    finally:
        parent.kill()
        parent.wait()
        if parent.stdout is not None:
            parent.stdout.close()


def gone(process: psutil.Process) -> bool:
    return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE


# 1 is nobody special: a supervisor that is the first process of its container has this id.
@pytest.mark.parametrize("parent", [2**22 + 1, 1])
def test_a_parent_that_is_another_ends_the_process_at_once(tmp_path: Path, parent: int) -> None:
    with served(tmp_path, TRIVIAL, KINORA_PARENT_DEATH=str(parent)) as process:
        assert process.process.wait(DEADLINE_S) == 1
        assert "the parent is gone" in process.log


def test_a_module_without_a_target_ends_the_process_loudly(tmp_path: Path) -> None:
    with served(tmp_path, "function = print") as process:
        assert process.process.wait(DEADLINE_S) == 1
        assert "TypeError" in process.log
