"""Sample functions under a real runtime: written to a folder, led by files, seen by files.

A function notes `<event id>.<process id>.begun` when it has an event and `….ended` when it is done
with it. In between it waits for a file `go` (or `go-<event id>`), where its type says so.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
import yaml

from eventing.cloudevent import CloudEvent
from knative.local.runtime import Runtime

DEADLINE_S = 120.0
WINDOW_S = 2.0

MODULE = """
import os
import time
from pathlib import Path

from eventing.cloudevent import CloudEvent
from eventing.host import target

BOARD = Path(os.environ["BOARD"])


def note(event, what):
    (BOARD / f"{event.id}.{os.getpid()}.{what}").touch()


def wait(event):
    while not (BOARD / "go").exists() and not (BOARD / f"go-{event.id}").exists():
        time.sleep(0.005)


def handle(event):
    note(event, "begun")
    if event.type == "hold":
        wait(event)
    if event.type == "program":
        from functions.adapters.process import run
        from functions.ports import Limits

        limits = Limits(wall_s=600, cpu_s=600, memory_bytes=2**32, output_bytes=2**20)
        folder = Path(os.environ["KINORA_SCRATCH"]) / "program"
        folder.mkdir()
        run(["sleep", "600"], limits=limits, cwd=folder)
    if event.type == "lease":
        from functions.adapters.connect import state_store

        state = state_store(os.environ["KINORA_STATE"])
        assert state.acquire("sample", os.environ["KINORA_WORKER"], ttl_s=3600)
        (BOARD / "leased").touch()
        wait(event)
    if event.type == "environment":
        (BOARD / "environment").write_text(repr(dict(os.environ)))
    if NEXT:
        yield CloudEvent(id=f"{event.id}-{NEXT}", source="/sample", type=NEXT)
    note(event, "ended")


function = target(__name__, {"*": handle})
"""

SERVE = """
import sys
from pathlib import Path

from knative.local.lifetime import run
from knative.local.runtime import Runtime

if __name__ == "__main__":
    folder, window_s = Path(sys.argv[1]), float(sys.argv[2])
    runtime = Runtime(
        folder / "site",
        manifests=folder / "manifests",
        watch_uploads=False,
        scale_window_s=window_s,
        extra_env={"PYTHONPATH": str(folder), "BOARD": str(folder / "board")},
    )
    sys.exit(run(runtime))
"""


def event(id: str, type: str) -> CloudEvent:
    return CloudEvent(id=id, source="/test", type=type)


@dataclass
class Samples:
    """The manifests and modules of sample functions, and the folder where they are seen."""

    folder: Path
    documents: list[dict[str, Any]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.board.mkdir()
        (self.folder / "manifests").mkdir()
        (self.folder / "serve.py").write_text(SERVE)
        self.documents.append(
            {
                "apiVersion": "eventing.knative.dev/v1",
                "kind": "Broker",
                "metadata": {"name": "kinora"},
                "spec": {
                    "delivery": {
                        "retry": 20,
                        "backoffPolicy": "linear",
                        "backoffDelay": "PT0.2S",
                    }
                },
            }
        )

    @property
    def board(self) -> Path:
        return self.folder / "board"

    @property
    def site(self) -> Path:
        return self.folder / "site"

    def add(
        self,
        name: str,
        *types: str,
        then: str = "",
        concurrency: int = 1,
        annotations: dict[str, str] | None = None,
        module: str = "",
    ) -> None:
        """A function that takes events of `types` and publishes one of type `then` for each."""
        path = self.folder / f"sample_{name}.py"
        path.write_text(module or f"NEXT = {then!r}\n{MODULE}")
        self.documents.append(
            {
                "apiVersion": "serving.knative.dev/v1",
                "kind": "Service",
                "metadata": {"name": name},
                "spec": {
                    "template": {
                        "metadata": {
                            "annotations": {
                                "autoscaling.knative.dev/target-utilization-percentage": "100",
                                **(annotations or {}),
                            }
                        },
                        "spec": {
                            "containerConcurrency": concurrency,
                            "containers": [
                                {"command": ["python", "-m", "eventing.host", path.stem]}
                            ],
                        },
                    }
                },
            }
        )
        service = {"apiVersion": "serving.knative.dev/v1", "kind": "Service", "name": name}
        for type in types:
            self.documents.append(
                {
                    "apiVersion": "eventing.knative.dev/v1",
                    "kind": "Trigger",
                    "metadata": {"name": f"{name}-{type}"},
                    "spec": {
                        "broker": "kinora",
                        "filter": {"attributes": {"type": type}},
                        "subscriber": {"ref": service},
                    },
                }
            )

    def write(self) -> Path:
        path = self.folder / "manifests" / "all.yaml"
        path.write_text(yaml.safe_dump_all(self.documents))
        return path.parent

    @asynccontextmanager
    async def running(self, **options: Any) -> AsyncIterator[Runtime]:
        """A runtime in this process; aborted at the end if it still runs."""
        runtime = Runtime(
            self.site,
            manifests=self.write(),
            watch_uploads=options.pop("watch_uploads", False),
            scale_window_s=WINDOW_S,
            extra_env={"PYTHONPATH": str(self.folder), "BOARD": str(self.board)},
            **options,
        )
        await runtime.start()
        try:
            yield runtime
        finally:
            await runtime.stop(drain=False)

    @contextmanager
    def served(self) -> Iterator[subprocess.Popen[bytes]]:
        """A runtime in a process of its own, which is gone with all its children at the end."""
        self.write()
        with (self.folder / "serve.log").open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, str(self.folder / "serve.py"), str(self.folder), str(WINDOW_S)],
                stdout=log,
                stderr=log,
            )
        below: list[psutil.Process] = []
        try:
            until(self.announced, lambda: process.poll() is None)
            yield process
        finally:
            if process.poll() is None:
                below = psutil.Process(process.pid).children(recursive=True)
                process.kill()
                process.wait()
            for child in below:
                if alive(child):
                    child.kill()

    def announced(self) -> bool:
        return (self.site / "runtime" / "runtime.json").exists()

    def publish(self, *events: CloudEvent) -> None:
        """Post to the runtime that runs in another process."""
        from eventing.publish import Publisher

        facts = json.loads((self.site / "runtime" / "runtime.json").read_text())
        publisher = Publisher(facts["broker_url"])
        try:
            for one in events:
                publisher(one)
        finally:
            publisher.close()

    def seen(self, what: str) -> list[tuple[str, int]]:
        """(event id, process id) of everything noted as begun or ended."""
        names = (path.name.split(".") for path in self.board.glob(f"*.{what}"))
        return sorted((id, int(pid)) for id, pid, _ in names)

    def ids(self, what: str) -> set[str]:
        return {id for id, _ in self.seen(what)}

    def go(self, id: str = "") -> None:
        (self.board / (f"go-{id}" if id else "go")).touch()

    @property
    def scratch(self) -> Path:
        return self.site / "runtime" / "scratch"


def until(holds: Callable[[], bool], possible: Callable[[], bool] = lambda: True) -> None:
    """Wait until `holds()`; fails after the deadline or once it is not `possible` any more."""
    deadline_s = time.monotonic() + DEADLINE_S
    while not holds():
        assert possible(), "it will not come to that any more"
        assert time.monotonic() < deadline_s, "it did not come to that in time"
        time.sleep(0.01)


async def eventually(holds: Callable[[], bool]) -> None:
    """`until` for a test that shares its event loop with the runtime."""
    async with asyncio.timeout(DEADLINE_S):
        while not holds():
            await asyncio.sleep(0.01)


def alive(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def below(pids: Sequence[int]) -> list[psutil.Process]:
    """These processes and all their descendants."""
    found = []
    for pid in pids:
        process = psutil.Process(pid)
        found += [process, *process.children(recursive=True)]
    return found


def is_at(process: psutil.Process, program: str) -> bool:
    try:
        return process.name() == program
    except psutil.NoSuchProcess:
        return False


def stop(process: subprocess.Popen[bytes], number: signal.Signals) -> int:
    """Send it, and wait for the exit code."""
    os.kill(process.pid, number)
    return process.wait(DEADLINE_S)
