"""One event from a file, handled once: the process of a Job, which a JobSink makes of each event.

    K_EVENT_PATH=/etc/jobsink-event K_SINK=http://… python -m eventing.job functions.encoder.main

The handler is the one that `eventing.host` serves. How it went is the exit code, which the Job's
podFailurePolicy reads: 0 done, 65 will never work, 75 not now, 1 a defect, 143 ended from outside.
"""

from __future__ import annotations

import importlib
import os
import signal
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Final

from eventing.serve import FLUSH_DEADLINE_S, Settings

if TYPE_CHECKING:
    from eventing.host import Host

DONE: Final = 0
DEFECT: Final = 1
REFUSED: Final = 65
NOT_NOW: Final = 75
"""EX_DATAERR and EX_TEMPFAIL of sysexits.h."""
STOPPED: Final = 128 + signal.SIGTERM

PATIENCE_S: Final = 120.0
"""How long in all is waited for what is not there. A new pod costs more than a wait, but one that
waits for ever holds a core."""
EVENT: Final = "event"
"""The file in the folder of a JobSink's Secret: an event in the JSON format."""

_STRUCTURED: Final = {"content-type": "application/cloudevents+json"}


def handle(
    host: Host,
    event: bytes,
    *,
    patience_s: float = PATIENCE_S,
    sleep: Callable[[float], None] = time.sleep,
) -> int:
    """Let `host` handle the event, again where that may help. Returns the exit code."""
    while True:
        response = host.respond(_STRUCTURED, event)
        match response.status:
            case 503:
                wait_s = max(1.0, float(response.headers["retry-after"]))
            case 500:
                return DEFECT
            case status:
                return DONE if status < 300 else REFUSED
        if wait_s > patience_s:
            return NOT_NOW
        patience_s -= wait_s
        sleep(wait_s)


def main(argv: Sequence[str]) -> None:
    """Handle the event in K_EVENT_PATH by the `function` of the module named by `argv`, and exit.

    On SIGTERM the handler is left where it is, which gives back what it holds: a task that takes
    hours would not end within any grace, and another pod begins it anew.
    """
    if len(argv) != 1:
        sys.exit("usage: python -m eventing.job MODULE")
    leave_on_signals()
    settings = Settings.read(os.environ)

    from eventing import log, telemetry
    from eventing.host import host_of

    log.start(settings.log_level)
    event = _event(os.environ)
    host = host_of(importlib.import_module(argv[0]).function)
    telemetry.start(host.name, os.environ)
    try:
        code = handle(host, event)
    finally:
        telemetry.stop(FLUSH_DEADLINE_S)
        host.close()
    sys.exit(code)


def _event(env: Mapping[str, str]) -> bytes:
    if not env.get("K_EVENT_PATH"):
        sys.exit("K_EVENT_PATH is not set: a JobSink sets it to the folder where the event lies")
    file = Path(env["K_EVENT_PATH"], EVENT)
    try:
        return file.read_bytes()
    except OSError as error:
        sys.exit(f"there is no event to handle: {file}: {error.strerror}")


def leave_on_signals() -> None:
    """From now on SIGTERM and SIGINT end this process with what it holds given back."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _stop)


def _stop(number: int, frame: FrameType | None) -> None:
    # Once: what is given back now must not be left halfway.
    for each in (signal.SIGTERM, signal.SIGINT):
        signal.signal(each, signal.SIG_IGN)
    sys.exit(STOPPED)


if __name__ == "__main__":
    main(sys.argv[1:])
