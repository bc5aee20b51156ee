"""Prove that images work, and say what they import: prove.py REPOSITORY TAG BUILDER… -- TARGET…

Each function of a target starts as a kubelet starts it: user 65532 without rights, a root that
cannot be written to, an empty /tmp. It has to answer that it is ready, and to end at SIGTERM.
Then what it imports is counted and timed there. Needs root with buildah; any user with docker.
BUILDER is `docker`, or buildah with where it keeps its images.
"""

from __future__ import annotations

import http.client
import json
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Final

FUNCTIONS: Final = {
    "lean": ("ingest", "assembler", "notifier", "source", "sweeper", "deadletter"),
    "media": ("chunker", "encoder"),
    "gateway": ("gateway",),
}
ENVIRONMENT: Final = {
    "KINORA_HOST": "127.0.0.1",
    "KINORA_STORE": "/tmp/store",
    "KINORA_STATE": "/tmp/state.sqlite",
    "KINORA_SCRATCH": "/tmp",
    "KINORA_ENCODERS": "2",
    "KINORA_MASTER_KEY": "A" * 43 + "=",
    "KINORA_SOURCE_OPEN": "1",
    "K_SINK": "http://127.0.0.1:9/",
}
START_DEADLINE_S: Final = 60
IMPORTS: Final = """
import importlib, json, sys, time
begun = time.process_time()
from eventing.beginning import loading
with loading():
    for name in sys.argv[1:]:
        importlib.import_module(name)
print(json.dumps([len(sys.modules), (time.process_time() - begun) * 1000]))
"""
ROOT: Final = """
set -e
mount --rbind "$1" "$1" && mount -o remount,ro,bind "$1"
mount -t tmpfs -o mode=1777 tmpfs "$1/tmp"
mount -t proc proc "$1/proc"
mount --rbind /dev "$1/dev"
root=$1; shift
exec setpriv --no-new-privs chroot --userspec=65532:65532 --groups=65532 "$root" "$@"
"""
"""As much of a container as the claim needs; the network is the machine's."""


class Image:
    """An image that can be started: `argv` is a command line for this machine."""

    def __init__(self, name: str, environment: Sequence[str], root: Path | None) -> None:
        self.name, self._environment, self._root = name, environment, root

    def argv(self, command: Sequence[str], **more: str) -> list[str]:
        given = [f"{name}={value}" for name, value in {**ENVIRONMENT, **more}.items()]
        if self._root is not None:
            inside = [
                "env",
                "-i",
                *self._environment,
                *given,
                "sh",
                "-c",
                'cd /tmp; exec "$@"',
                "-",
            ]
            return ["unshare", "--mount", "sh", "-c", ROOT, "-", str(self._root), *inside, *command]
        flags = [word for variable in given for word in ("--env", variable)]
        closed = ["--read-only", "--tmpfs", "/tmp", "--cap-drop", "ALL", "--network", "host"]
        program, *rest = command
        run = ["docker", "run", "--rm", "--init=false", *closed, *flags]
        return [*run, "--entrypoint", program, self.name, *rest]


@contextmanager
def opened(name: str, builder: Sequence[str]) -> Iterator[Image]:
    if list(builder) == ["docker"]:
        yield Image(name, [], None)
        return
    container = _out([*builder, "from", "--pull-never", name])
    try:
        about = json.loads(_out([*builder, "inspect", container]))
        root = Path(_out([*builder, "mount", container]))
        yield Image(name, about["OCIv1"]["config"]["Env"], root)
    finally:
        _out([*builder, "rm", container])


def answer(image: Image, function: str) -> float:
    """Seconds from the start of a process to its first 200. Raises RuntimeError where there is
    none, with what the process said."""
    port = _free_port()
    host = [] if function == "gateway" else ["eventing.host"]
    command = ["python", "-m", *host, f"functions.{function}.main"]
    path = "/health" if function == "gateway" else "/health/ready"
    with tempfile.TemporaryFile() as said:
        begun_s = time.monotonic()
        process = subprocess.Popen(image.argv(command, PORT=str(port)), stderr=said)
        try:
            while not _ready(port, path):
                if process.poll() is not None or time.monotonic() - begun_s > START_DEADLINE_S:
                    raise RuntimeError(f"{function} did not start: {_read(said)}")
                time.sleep(0.005)
            took_s = time.monotonic() - begun_s
        finally:
            process.terminate()
            status = process.wait(timeout=30)
        if status != 0:
            raise RuntimeError(f"{function} ended with {status}: {_read(said)}")
    return took_s


def imports(image: Image, function: str) -> tuple[int, float]:
    """How many modules `function` loads before it serves, and the least of 5 times in ms of CPU,
    which other programs of the machine change least."""
    modules = (
        ["functions.gateway.service"]
        if function == "gateway"
        else [
            "eventing.host",
            "eventing.telemetry",
            "eventing.server",
            f"functions.{function}.main",
        ]
    )
    command = ["python", "-c", IMPORTS, *modules]
    ran = [json.loads(_out(image.argv(command))) for _ in range(5)]
    return ran[0][0], min(ms for _, ms in ran)


def main(repository: str, tag: str, builder: Sequence[str], targets: Sequence[str]) -> None:
    _line(f"{'function':<12}{'image':<10}{'modules':>9}{'import ms':>11}{'ready ms':>10}")
    for target in targets:
        with opened(f"{repository}/kinora-{target}:{tag}", builder) as image:
            for function in FUNCTIONS[target]:
                ready_s = answer(image, function)
                modules, import_ms = imports(image, function)
                row = f"{modules:>9}{import_ms:>11.0f}{ready_s * 1000:>10.0f}"
                _line(f"{function:<12}{target:<10}{row}")


def _line(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def _ready(port: int, path: str) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _read(said: IO[bytes]) -> str:
    said.seek(0)
    return said.read().decode(errors="replace")[-2000:]


def _out(argv: Sequence[str]) -> str:
    ran = subprocess.run(argv, capture_output=True, text=True, check=False)
    if ran.returncode != 0:
        raise RuntimeError(f"{argv[0]} ended with {ran.returncode}: {ran.stderr[-2000:]}")
    return ran.stdout.strip()


if __name__ == "__main__":
    end = sys.argv.index("--")
    main(sys.argv[1], sys.argv[2], sys.argv[3:end], sys.argv[end + 1 :])
