"""The test cluster through kubectl."""

from __future__ import annotations

import json
import os
import secrets
import shlex
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).resolve().parents[2]
HOME: Final = Path(os.environ.get("KINORA_CLUSTER_HOME") or ROOT / ".cache/cluster")
HOST: Final = "10.244.0.1"
"""This machine, as pods reach it."""


@dataclass(frozen=True, slots=True)
class Kube:
    """One namespace of it."""

    namespace: str
    env: Mapping[str, str] = field(default_factory=lambda: _environment(HOME / "env"))

    def __call__(self, *words: str, stdin: str | None = None, within_s: float = 120) -> str:
        """Output of a command of kubectl. Raises CalledProcessError that notes what it said."""
        command = ["kubectl", "--namespace", self.namespace, *words]
        try:
            return subprocess.run(
                command,
                env={**os.environ, **self.env},
                input=stdin if stdin is not None else "",
                capture_output=True,
                text=True,
                check=True,
                timeout=within_s,
            ).stdout
        except subprocess.CalledProcessError as error:
            error.add_note(f"{shlex.join(command)}: {error.stderr[-2000:]}")
            raise

    def get(self, *words: str) -> Any:
        return json.loads(self("get", *words, "--output", "json"))

    def pods(self, selector: str = "") -> list[Any]:
        """Those that nobody has asked to go."""
        chosen = ("--selector", selector) if selector else ()
        found: list[Any] = self.get("pods", *chosen)["items"]
        return [pod for pod in found if "deletionTimestamp" not in pod["metadata"]]

    def address(self, service: str) -> str:
        """The cluster IP, which this machine can reach; names it cannot."""
        found: str = self.get("service", service)["spec"]["clusterIP"]
        return found

    def within(self, namespace: str) -> Kube:
        return Kube(namespace, self.env)

    @contextmanager
    def apart(self, name: str) -> Iterator[Kube]:
        """A namespace that nobody else has. One that goes lives on for a while, so each is new."""
        namespace = f"{name}-{secrets.token_hex(3)}"
        self("create", "namespace", namespace)
        try:
            yield self.within(namespace)
        finally:
            self("delete", "namespace", namespace, "--wait=false")


def _environment(file: Path) -> dict[str, str]:
    """What `infra/cluster/up` wrote for shells to read."""
    words = shlex.split(file.read_text(), comments=True)
    found = dict(word.split("=", 1) for word in words if "=" in word)
    return {**found, "PATH": f"{HOME / 'bin'}:{os.environ['PATH']}"}
