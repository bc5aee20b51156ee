"""A function process of its own, as Knative and the embedded runtime start them."""

from __future__ import annotations

import http.client
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from eventing import codec

DEADLINE_S = 120.0


@dataclass(frozen=True)
class Answer:
    status: int
    body: bytes
    allow: str


class Served:
    """One `python -m eventing.host` on a port of 127.0.0.1."""

    def __init__(self, process: subprocess.Popen[bytes], port: int, log: Path) -> None:
        self.process = process
        self.port = port
        self._log = log

    @property
    def log(self) -> str:
        return self._log.read_text()

    def request(
        self, method: str, path: str, body: bytes = b"", headers: Mapping[str, str] | None = None
    ) -> Answer:
        """Waits until the port is open, and for the answer."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=DEADLINE_S)
        until(lambda: self._connect(connection), "the port is open")
        with closing(connection):
            connection.request(method, path, body, dict(headers or {}))
            response = connection.getresponse()
            return Answer(response.status, response.read(), response.getheader("allow", ""))

    def deliver(self, message: codec.Message) -> tuple[int, bytes]:
        answer = self.request("POST", "/", message.body, message.headers)
        return answer.status, answer.body

    def _connect(self, connection: http.client.HTTPConnection) -> bool:
        assert self.process.poll() is None, self.log
        try:
            connection.connect()
        except ConnectionRefusedError:
            return False
        return True


@contextmanager
def served(folder: Path, source: str, **env: str) -> Iterator[Served]:
    """A process that serves `source`, a module with a `function`; killed if it is left running."""
    (folder / "sample.py").write_text(source)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    log = folder / "stderr.jsonl"
    with log.open("wb") as stderr:
        process = subprocess.Popen(
            [sys.executable, "-m", "eventing.host", "sample"],
            env={
                **{name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ},
                "PYTHONPATH": str(folder),
                "PYTHONWARNINGS": "error",
                "PORT": str(port),
                "KINORA_HOST": "127.0.0.1",
                **env,
            },
            stderr=stderr,
        )
    try:
        yield Served(process, port, log)
    finally:
        process.kill()
        process.wait()


def until(condition: Callable[[], bool], what: str) -> None:
    """Wait for `condition`, generously; fails with `what` did not come."""
    deadline_s = time.monotonic() + DEADLINE_S
    while not condition():
        assert time.monotonic() < deadline_s, f"not within {DEADLINE_S} s: {what}"
        time.sleep(0.01)
