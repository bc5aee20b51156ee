"""One function's process, alone, for one event: as the runtime would start it."""

from __future__ import annotations

import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from knative.cli.complaint import FAILED, Complaint
from knative.cli.site import Site
from knative.local.port import ReservedPort

READY_S: Final = 30.0
_END_S: Final = 10.0


@contextmanager
def serving(function: str, site: Site, *, sink: str) -> Iterator[str]:
    """The address of a process of `function` that publishes to `sink`.

    Raises Complaint with what the process said when it does not become ready.
    """
    port = ReservedPort()
    try:
        with TemporaryDirectory(prefix="kinora-invoke-") as scratch:
            log = Path(scratch, "log")
            with log.open("wb") as stream:
                process = subprocess.Popen(
                    [sys.executable, "-m", "eventing.host", f"functions.{function}.main"],
                    env={
                        "KINORA_STORE": str(site.root),
                        "KINORA_STATE": str(site.home.state),
                        **os.environ,
                        "PORT": str(port.number),
                        "KINORA_HOST": "127.0.0.1",
                        "KINORA_PARENT_DEATH": str(os.getpid()),
                        "KINORA_SCRATCH": scratch,
                        "K_SERVICE": function,
                        "K_SINK": sink,
                    },
                    stdin=subprocess.DEVNULL,
                    stdout=stream,
                    stderr=stream,
                )
            try:
                url = f"http://127.0.0.1:{port.number}/"
                _wait_ready(process, url, log)
                yield url
            finally:
                _end(process)
    finally:
        port.release()


def _wait_ready(process: subprocess.Popen[bytes], url: str, log: Path) -> None:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    deadline_s = time.monotonic() + READY_S
    while time.monotonic() < deadline_s:
        if process.poll() is not None:
            break
        try:
            with opener.open(f"{url}health/ready", timeout=1):
                return
        except (OSError, urllib.error.URLError):
            time.sleep(0.02)
    said = log.read_text(errors="replace").strip().splitlines()
    raise Complaint(
        f"The function did not become ready: {said[-1] if said else 'it said nothing'}. "
        "Check the settings (KINORA_…).",
        exit_code=FAILED,
        code="not_ready",
    )


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(_END_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
