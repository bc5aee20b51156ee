"""What pods wrote, also those that are gone: kubelet removes their files, not what is open."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, TextIO

from tests.cluster.kube import HOME

_PAUSE_S: Final = 0.2


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a container's output."""

    pod: str
    container: str
    text: str

    @property
    def record(self) -> dict[str, Any]:
        """As our functions write them; empty for anything else."""
        with suppress(ValueError):
            found = json.loads(self.text)
            if isinstance(found, dict):
                return found
        return {}


@dataclass(slots=True)
class PodLogs:
    """Of all pods of a namespace, from when it was opened."""

    namespace: str
    lines: list[Line] = field(default_factory=list)
    _open: dict[Path, TextIO] = field(default_factory=dict)
    _unfinished: dict[Path, str] = field(default_factory=dict)
    """The beginning of a line of the file."""
    _begun: dict[Path, str] = field(default_factory=dict)
    """The first parts of a long line of the container, which the runtime cuts."""

    def of(self, prefix: str, container: str = "function") -> Iterator[Line]:
        """Those of pods whose name begins with `prefix`."""
        for line in list(self.lines):
            if line.pod.startswith(prefix) and line.container == container:
                yield line

    def look(self) -> None:
        # kubelet: <namespace>_<pod>_<uid>/<container>/<restart>.log
        for file in (HOME / "log/pods").glob(f"{self.namespace}_*/*/*.log"):
            if file not in self._open:
                with suppress(FileNotFoundError):
                    self._open[file] = file.open(errors="replace")
        for file, stream in self._open.items():
            pod = file.parts[-3].split("_")[1]
            *whole_lines, rest = (self._unfinished.get(file, "") + stream.read()).split("\n")
            self._unfinished[file] = rest
            for told in whole_lines:
                # The runtime's form: time, stream, F for the end of a line or P for a part, text.
                _, _, kind, text = told.split(" ", 3)
                whole = self._begun.pop(file, "") + text
                if kind == "P":
                    self._begun[file] = whole
                else:
                    self.lines.append(Line(pod, file.parts[-2], whole))


@contextmanager
def following(namespace: str) -> Iterator[PodLogs]:
    """From now on; whole after the end of the context."""
    found = PodLogs(namespace)
    over = threading.Event()

    def follow() -> None:
        while not over.wait(_PAUSE_S):
            found.look()

    thread = threading.Thread(target=follow)
    thread.start()
    with ExitStack() as stack:
        try:
            yield found
        finally:
            over.set()
            thread.join()
            found.look()
            for stream in found._open.values():
                stack.push(stream)
