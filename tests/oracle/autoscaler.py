"""Knative's own autoscaler, built from its Go module, to compare decisions with.

`autoscaler/` is the program. Where Go is missing, tests that need it are skipped on a laptop and
fail in CI.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec
import pytest

SOURCE: Final = Path(__file__).with_name("autoscaler")
PROGRAM: Final = SOURCE.parents[2] / ".cache/oracle/autoscaler"
_BUILD_S: Final = 600.0


class Sample(msgspec.Struct, frozen=True, rename="camel"):
    at_ms: int
    concurrency: float


class Tick(msgspec.Struct, frozen=True, rename="camel"):
    """A decision is asked for, after these samples."""

    at_ms: int
    ready: int
    samples: tuple[Sample, ...]


class Trace(msgspec.Struct, frozen=True, rename="camel"):
    """A revision, and what happens to it. Times are milliseconds."""

    container_concurrency: int
    annotations: Mapping[str, str]
    cluster: Mapping[str, str]
    """Of the ConfigMap `config-autoscaler`."""
    start_ms: int
    ready: int
    """At the start."""
    ticks: tuple[Tick, ...]


class Decided(msgspec.Struct, frozen=True):
    """At a tick."""

    stable: float
    panic: float
    """Averages over the two windows."""
    desired: int
    excess: int
    panicking: bool


@dataclass(frozen=True, slots=True)
class Oracle:
    program: Path

    def decide(self, traces: Sequence[Trace]) -> list[list[Decided | None]]:
        """Of each trace, what was decided at each tick; None where there was nothing to go by."""
        answered = subprocess.run(
            [self.program],
            input=b"".join(msgspec.json.encode(trace) + b"\n" for trace in traces),
            capture_output=True,
            timeout=_BUILD_S,
            check=False,
        )
        assert answered.returncode == 0, answered.stderr.decode()
        kind = list[Decided | None]
        return [msgspec.json.decode(line, type=kind) for line in answered.stdout.splitlines()]


def built() -> Oracle:
    """The program, up to date."""
    go = shutil.which("go")
    if go is None:
        reason = "Go is not here: it builds Knative's autoscaler"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    # As the test cluster's programs are built, so that one cache of Go's serves both.
    env = {**os.environ, "CGO_ENABLED": "0", "GOFLAGS": "-buildvcs=false -trimpath"}
    done = subprocess.run(
        [go, "build", "-o", PROGRAM, "."],
        cwd=SOURCE,
        env=env,
        capture_output=True,
        timeout=_BUILD_S,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()
    return Oracle(PROGRAM)
