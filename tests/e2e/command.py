"""The command `kinora` as a process of its own, and what it must not leave behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

DEADLINE_S = 120.0
TINY = """
name = "tiny"
description = "two small rungs, for tests"

[video]
preset = "ultrafast"

[[video.ladder]]
height = 144
maxrate_kbps = 400
bufsize_kbps = 800

[[video.ladder]]
height = 96
maxrate_kbps = 300
bufsize_kbps = 400
"""


def until(
    what: str, true: Callable[[], bool], *, within_s: float = DEADLINE_S, every_s: float = 0.02
) -> None:
    """Wait for a condition; fail with its name when it does not come. `every_s`: how long nobody
    looks, where looking costs something."""
    end_s = time.monotonic() + within_s
    while not true():
        if time.monotonic() > end_s:
            raise AssertionError(f"did not happen within {within_s:g} s: {what}")
        time.sleep(every_s)


@dataclass(frozen=True, kw_only=True)
class Ran:
    """How the command ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    @property
    def sentence(self) -> str:
        """What it said instead of a result. Fails unless that is one line for people."""
        lines = self.err.splitlines()
        assert len(lines) == 1, self.err
        assert lines[0].startswith("kinora: "), self.err
        assert "Traceback" not in lines[0]
        return lines[0].removeprefix("kinora: ")


@dataclass(frozen=True)
class Desk:
    """Where the command runs: its temporary files, and the profiles it knows."""

    folder: Path

    def __post_init__(self) -> None:
        (self.folder / "temp").mkdir()
        (self.folder / "profiles").mkdir()
        (self.folder / "profiles" / "tiny.toml").write_text(TINY)

    def run(
        self, *words: str | Path, cwd: Path, within_s: float = DEADLINE_S, **settings: str
    ) -> Ran:
        with self.started(*words, cwd=cwd, **settings) as process:
            out, err = process.communicate(timeout=within_s)
            return Ran(code=process.returncode, out=out, err=err)

    @contextmanager
    def started(
        self, *words: str | Path, cwd: Path, **settings: str
    ) -> Iterator[subprocess.Popen[str]]:
        """The command under way; killed at the end, where it still is."""
        process = subprocess.Popen(
            [sys.executable, "-m", "knative.cli.main", *(str(word) for word in words)],
            cwd=cwd,
            env={
                **os.environ,
                "TMPDIR": str(self.folder / "temp"),
                "KINORA_PROFILES": str(self.folder / "profiles"),
                **settings,
            },
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        try:
            yield process
        finally:
            if process.poll() is None:
                process.kill()
                process.communicate()

    def assert_nothing_left(self, cwd: Path, *, but: set[str]) -> None:
        """No process that worked beneath `cwd`, no temporary file, and there only `but`."""
        until(f"no process works in {cwd}", lambda: not processes(cwd), within_s=60)
        assert {path.name for path in cwd.iterdir()} == but
        left = [path.name for path in (self.folder / "temp").iterdir()]
        # What the encoder's digest is, kept for the next start.
        assert not [name for name in left if not name.startswith("kinora-fingerprints-")]


def processes(folder: Path) -> list[psutil.Process]:
    """Of whatever has to do with the folder: by its place, its words or its settings."""
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if process.pid == os.getpid() or process.status() == psutil.STATUS_ZOMBIE:
                continue
            words = [process.cwd(), *process.cmdline(), process.environ().get("KINORA_STORE", "")]
            if any(str(folder) in word for word in words):
                found.append(process)
    return found


def interrupt(process: subprocess.Popen[str], number: signal.Signals = signal.SIGINT) -> None:
    """As a terminal does it: to the whole group."""
    os.killpg(process.pid, number)
