"""One function behind one port, for as long as it is wanted: the process that Knative scales.

    PORT=8080 K_SINK=http://… python -m eventing.host functions.ingest.main

docs/settings.md lists what its environment may hold.
"""

from __future__ import annotations

import importlib
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import FrameType
from typing import Final

from eventing.beginning import loading

FLUSH_DEADLINE_S: Final = 2.0
_PR_SET_PDEATHSIG: Final = 1
_LEVELS: Final = ("DEBUG", "INFO", "WARNING", "ERROR")


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    module: str
    """KINORA_FUNCTION: the module to serve where the command line names none, as in a container
    that takes no arguments. Default: none."""
    port: int
    """PORT: port to listen on. Default: 8080."""
    address: str
    """KINORA_HOST: address to listen on. Default: 0.0.0.0."""
    concurrency: int
    """KINORA_CONCURRENCY: events handled at once. Default: 8."""
    timeout_s: int
    """KINORA_TIMEOUT_S: the revision's timeout, within which a stopped process ends. Default:
    600."""
    log_level: str
    """KINORA_LOG_LEVEL: DEBUG, INFO, WARNING or ERROR. Default: INFO."""
    parent: int
    """KINORA_PARENT_DEATH: the process id of the parent to end with, which is 1 in many a
    container. Default: 0, of none."""

    @staticmethod
    def read(env: Mapping[str, str]) -> Settings:
        """Raises ValueError that names the variable."""
        return Settings(
            module=env.get("KINORA_FUNCTION", ""),
            port=_number(env, "PORT", 8080),
            address=env.get("KINORA_HOST", "0.0.0.0"),
            concurrency=_number(env, "KINORA_CONCURRENCY", 8, least=1),
            timeout_s=_number(env, "KINORA_TIMEOUT_S", 600, least=1),
            log_level=_level(env),
            parent=_number(env, "KINORA_PARENT_DEATH", 0),
        )


def _number(env: Mapping[str, str], name: str, default: int, *, least: int = 0) -> int:
    given = env.get(name) or str(default)
    if not (given.isascii() and given.isdigit() and int(given) >= least):
        raise ValueError(f"{name} must be a whole number from {least} on, not {given!r}")
    return int(given)


def _level(env: Mapping[str, str]) -> str:
    given = env.get("KINORA_LOG_LEVEL") or "INFO"
    if given.upper() not in _LEVELS:
        raise ValueError(f"KINORA_LOG_LEVEL must be one of {', '.join(_LEVELS)}, not {given!r}")
    return given


def main(argv: Sequence[str]) -> None:
    """Serve the `function` of the module named by `argv` until SIGTERM or SIGINT, then finish
    what was begun and exit with 0; with 1 if that took longer than the revision's timeout."""
    settings = Settings.read(os.environ)
    module, *more = [*argv] or [settings.module]
    if more or not module:
        sys.exit("usage: python -m eventing.host MODULE")
    if settings.parent:
        _die_with_parent(settings.parent)
    for number in (signal.SIGTERM, signal.SIGINT):
        # Nothing was begun yet.
        signal.signal(number, _exit)

    with loading():
        from eventing import log, telemetry
        from eventing.host import host_of
        from eventing.server import Server

        log.start(settings.log_level)
        host = host_of(importlib.import_module(module).function)
    telemetry.start(host.name, os.environ)
    server = Server(
        host,
        address=settings.address,
        port=settings.port,
        concurrency=settings.concurrency,
        timeout_s=settings.timeout_s,
    )
    server.run()
    telemetry.stop(FLUSH_DEADLINE_S)
    if not server.drained:
        # A normal exit would wait for the threads that are still at work.
        os._exit(1)
    host.close()


def _exit(number: int, frame: FrameType | None) -> None:
    sys.exit(0)


def _die_with_parent(parent: int) -> None:
    import ctypes

    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    # It may have died before the kernel was told.
    if os.getppid() != parent:
        sys.exit("the parent is gone")
