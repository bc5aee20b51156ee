"""The gateway as a process of its own, with a broker that only remembers."""

from __future__ import annotations

import base64
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx2
import psutil

from eventing import codec
from eventing.contract import Event
from eventing.envelope import unwrap
from tests.servers import free_port

_START_S = 120.0


@dataclass(frozen=True, slots=True)
class Running:
    """A gateway that is open to the tenant `local`, and what it has published."""

    process: subprocess.Popen[bytes]
    url: str
    events: list[Event]
    log: Path

    def rss_bytes(self) -> int:
        found: int = psutil.Process(self.process.pid).memory_info().rss
        return found

    def peak_rss_bytes(self) -> int:
        """The most that it ever had."""
        for line in Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
        raise AssertionError("no VmHWM")


@contextmanager
def gateway(folder: Path, *, store: str, env: Mapping[str, str] | None = None) -> Iterator[Running]:
    """Over `store`, with its state in `folder`; killed at the end."""
    events: list[Event] = []
    port = free_port()
    log = folder / "gateway.log"
    with _broker(events) as sink, log.open("ab") as stderr:
        process = subprocess.Popen(
            [sys.executable, "-m", "functions.gateway.main"],
            env={
                **{name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ},
                "KINORA_STORE": store,
                "KINORA_STATE": str(folder / "state.sqlite"),
                "KINORA_SCRATCH": str(folder / "scratch"),
                "KINORA_MASTER_KEY": base64.b64encode(b"k" * 32).decode(),
                "KINORA_OPEN_TO": "local",
                "KINORA_HOST": "127.0.0.1",
                "KINORA_LIMIT_CALLER": "0",
                "KINORA_LIMIT_TENANT": "0",
                "PORT": str(port),
                "K_SINK": sink,
                **(env or {}),
            },
            stdin=subprocess.DEVNULL,
            stdout=stderr,
            stderr=stderr,
        )
        try:
            url = f"http://127.0.0.1:{port}"
            _wait(process, url, log)
            yield Running(process, url, events, log)
        finally:
            process.kill()
            process.wait()


def _wait(process: subprocess.Popen[bytes], url: str, log: Path) -> None:
    deadline_s = time.monotonic() + _START_S
    while True:
        with suppress(httpx2.TransportError):
            if httpx2.get(f"{url}/health", trust_env=False).status_code == 200:
                return
        if process.poll() is not None or time.monotonic() > deadline_s:
            raise AssertionError(f"the gateway does not answer:\n{log.read_text()[-3000:]}")
        time.sleep(0.05)


@contextmanager
def _broker(events: list[Event]) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            events.append(unwrap(codec.decode(self.headers.items(), body)))
            self.send_response(202)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        serving = threading.Thread(target=server.serve_forever, daemon=True)
        serving.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            serving.join()
