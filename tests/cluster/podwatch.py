"""When pods were first seen, became ready, and were asked to go: as the API server tells it."""

from __future__ import annotations

import os
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

from tests.cluster.kube import Kube

_COLUMNS: Final = (
    r"{.metadata.name}{'|'}{.metadata.labels.serving\.knative\.dev/service}{'|'}"
    r"{.status.conditions[?(@.type=='Ready')].status}{'|'}{.metadata.deletionTimestamp}{'\n'}"
)


@dataclass(slots=True)
class Seen:
    """A pod of a function; monotonic seconds, 0.0 for what has not happened."""

    name: str
    function: str
    first_s: float
    ready_s: float = 0.0
    leaving_s: float = 0.0


@dataclass(slots=True)
class PodWatch:
    """Every pod of a function since the watch began, also those from before."""

    pods: dict[str, Seen] = field(default_factory=dict)

    def of(self, function: str) -> list[Seen]:
        return [pod for pod in list(self.pods.values()) if pod.function == function]

    def functions(self, *, since_s: float) -> set[str]:
        """Those of which a pod appeared since then."""
        return {pod.function for pod in list(self.pods.values()) if pod.first_s >= since_s}

    def take(self, line: str, now_s: float) -> None:
        name, function, ready, leaving = line.split("|")
        if not function:
            return
        # Whoever is already going when first seen was there before the watch.
        pod = self.pods.setdefault(name, Seen(name, function, 0.0 if leaving else now_s))
        if ready == "True" and not pod.ready_s:
            pod.ready_s = now_s
        if leaving and not pod.leaving_s:
            pod.leaving_s = now_s


@contextmanager
def watching(kube: Kube) -> Iterator[PodWatch]:
    found = PodWatch()
    process = subprocess.Popen(
        ["kubectl", "--namespace", kube.namespace, "get", "pods", "--watch",
         "--output", f"jsonpath={_COLUMNS}"],
        env={**os.environ, **kube.env},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )  # fmt: skip
    assert process.stdout is not None
    lines = process.stdout

    def read() -> None:
        for line in lines:
            found.take(line.rstrip("\n"), time.monotonic())

    thread = threading.Thread(target=read)
    thread.start()
    try:
        yield found
    finally:
        process.terminate()
        process.wait()
        thread.join()
        lines.close()
