"""Real servers for tests: MinIO and Redis, each on a free loopback port in a folder of its own.

`make servers` builds and installs them. Where one is missing, tests that need it are skipped on a
laptop and fail in CI.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import pytest
import redis as redis_py

ROOT: Final = Path(__file__).resolve().parent.parent
MINIO: Final = ROOT / ".cache/servers/minio"
ACCESS_KEY: Final = "kinora-test"
SECRET_KEY: Final = "kinora-test-secret"
_START_S: Final = 120.0


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def minio_binary() -> Path:
    return _required(os.environ.get("KINORA_MINIO") or str(MINIO), "the MinIO server")


def redis_binary() -> Path:
    return _required(shutil.which("redis-server") or "redis-server", "redis-server")


def _required(path: str, what: str) -> Path:
    if Path(path).is_file():
        return Path(path)
    reason = f"{what} is not here; `make servers` brings it"
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


@dataclass(slots=True)
class Server:
    """A server process that can be killed, frozen and started again over the same folder."""

    command: tuple[str, ...]
    port: int
    folder: Path
    env: Mapping[str, str]
    answers: Callable[[int], bool]
    process: subprocess.Popen[bytes] | None = field(default=None, init=False)

    def start(self) -> None:
        assert self.process is None
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                self.command,
                env={"PATH": os.environ["PATH"], "HOME": str(self.folder), **self.env},
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        deadline_s = time.monotonic() + _START_S
        while not self.answers(self.port):
            if self.process.poll() is not None or time.monotonic() > deadline_s:
                log_text = (self.folder / "log").read_text(errors="replace")
                self.kill()
                raise RuntimeError(f"{self.command[0]} does not answer:\n{log_text[-2000:]}")
            time.sleep(0.05)

    def kill(self) -> None:
        """SIGKILL, as a node that loses its power."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def restart(self) -> None:
        self.kill()
        self.start()

    def signal(self, number: int) -> None:
        """SIGSTOP freezes it, and it is frozen when this returns; SIGCONT lets it go on."""
        assert self.process is not None
        self.process.send_signal(number)
        if number == signal.SIGSTOP:
            os.waitid(os.P_PID, self.process.pid, os.WSTOPPED)


@dataclass(slots=True)
class Minio(Server):
    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def environment(self) -> dict[str, str]:
        """What lets functions and the command line use it."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ACCESS_KEY_ID": ACCESS_KEY,
            "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
            "AWS_REGION": "us-east-1",
        }


@dataclass(slots=True)
class Redis(Server):
    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    @contextmanager
    def asked(self) -> Iterator[redis_py.Redis]:
        """A client of a test's own, for what an adapter does not do."""
        with redis_py.Redis(host="127.0.0.1", port=self.port, decode_responses=True) as client:
            yield client

    def all_keys(self) -> list[str]:
        with self.asked() as client:
            return sorted(str(key) for key in client.scan_iter(count=1000))


@contextmanager
def minio(folder: Path, *, env: Mapping[str, str] | None = None) -> Iterator[Minio]:
    """A MinIO over `folder`, stopped at the end; `env` adds to its settings (notifications)."""
    binary = minio_binary()
    port = free_port()
    (folder / "data").mkdir(parents=True)
    server = Minio(
        command=(
            str(binary),
            "server",
            "--quiet",
            "--address",
            f"127.0.0.1:{port}",
            "--console-address",
            f"127.0.0.1:{free_port()}",
            str(folder / "data"),
        ),
        port=port,
        folder=folder,
        env={
            "MINIO_ROOT_USER": ACCESS_KEY,
            "MINIO_ROOT_PASSWORD": SECRET_KEY,
            "MINIO_BROWSER": "off",
            "MINIO_CI_CD": "on",
            "MINIO_UPDATE": "off",
            **(env or {}),
        },
        answers=_minio_answers,
    )
    server.start()
    try:
        yield server
    finally:
        server.kill()


@contextmanager
def redis(folder: Path, *settings: str) -> Iterator[Redis]:
    """A Redis that keeps nothing on disk, stopped at the end. `settings`: `--name`, `value`, …"""
    binary = redis_binary()
    port = free_port()
    folder.mkdir(parents=True, exist_ok=True)
    server = Redis(
        command=(
            str(binary),
            "--bind",
            "127.0.0.1",
            "--port",
            str(port),
            "--save",
            "",
            "--appendonly",
            "no",
            *settings,
        ),
        port=port,
        folder=folder,
        env={},
        answers=_redis_answers,
    )
    server.start()
    try:
        yield server
    finally:
        server.kill()


def _minio_answers(port: int) -> bool:
    """A moment after it calls itself ready it answers 503 to all, and clients then wait a minute,
    as it asks them to: whoever has no key is refused only once it works."""
    try:
        urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=2).close()
    except urllib.error.HTTPError as refused:
        with refused:
            return refused.code == 403
    except OSError:
        return False
    return True


def _redis_answers(port: int) -> bool:
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=2) as connection:
        connection.sendall(b"PING\r\n")
        return connection.recv(16).startswith(b"+PONG")
    return False
