"""One function process: started, found ready, drained, and nothing of it left behind."""

from __future__ import annotations

import asyncio
import logging
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

import aiohttp

from knative.local import orphans
from knative.local.port import ReservedPort

_log = logging.getLogger(__name__)

READY_POLL_S: Final = 0.02
READY_WITHIN_S: Final = 60.0
"""A process that does not answer by then is given up."""
_LOG_TAIL_BYTES: Final = 2_000


class NotReady(Exception):
    """A process ended, or took too long, before it was ready. Says what it wrote last."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Launch:
    """How a process is started."""

    name: str
    """Of this process; it holds leases under it."""
    command: Sequence[str]
    """`python` is the interpreter that runs this."""
    env: Mapping[str, str]
    """All of its environment but PORT."""
    scratch: Path
    """Made for it, and removed with all that is in it."""
    log: Path
    """What it writes is appended here."""
    ready_path: str


class FunctionProcess:
    """A running process. Make it by `spawn`, on the thread that lives as long as it may.

    The kernel kills the process when that *thread* ends, so that it never outlives its supervisor.
    """

    def __init__(
        self,
        launch: Launch,
        process: subprocess.Popen[bytes],
        port: ReservedPort,
        *,
        owns_port: bool,
    ) -> None:
        self._launch = launch
        self._process = process
        self._port = port
        self._loop = asyncio.get_running_loop()
        self.name = launch.name
        self.pid = process.pid
        self._owns_port = owns_port
        self.url = port.url
        self.ended: asyncio.Future[int] = self._loop.create_future()
        """Done with the exit code (negative: the signal) once nothing of the process is left."""
        self.exited = asyncio.Event()
        """Set as soon as it is dead; its programs and its folder may still be there."""
        self._handle = os.pidfd_open(process.pid)
        self._loop.add_reader(self._handle, self._on_exit)
        self._cleaning: asyncio.Task[None] | None = None

    async def ready(self, client: aiohttp.ClientSession) -> None:
        """Wait until it answers on its readiness path. Raises NotReady."""
        try:
            async with asyncio.timeout(READY_WITHIN_S):
                while not await self._answers(client):
                    if self.exited.is_set():
                        code = self._process.returncode
                        raise NotReady(f"{self.name} ended with {code} at once{self._said()}")
                    with suppress(asyncio.TimeoutError):
                        await asyncio.wait_for(self.exited.wait(), READY_POLL_S)
        except TimeoutError:
            raise NotReady(
                f"{self.name} was not ready within {READY_WITHIN_S:.0f} s{self._said()}"
            ) from None

    async def _answers(self, client: aiohttp.ClientSession) -> bool:
        try:
            async with client.get(f"{self.url}{self._launch.ready_path}") as answer:
                return answer.status == 200
        except (aiohttp.ClientError, OSError):
            return False

    def terminate(self) -> None:
        """SIGTERM: finish the request that runs and go."""
        self._signal(signal.SIGTERM)

    def kill(self) -> None:
        """SIGKILL to all of its group."""
        with suppress(ProcessLookupError):
            # Until it is reaped its id, and so its group's, is its own.
            if not self.exited.is_set():
                os.killpg(self.pid, signal.SIGKILL)

    async def drain(self, within_s: float) -> int:
        """SIGTERM, and SIGKILL for what is not gone `within_s` later. Returns the exit code."""
        self.terminate()
        try:
            async with asyncio.timeout(within_s):
                await self.exited.wait()
        except TimeoutError:
            _log.warning("%s did not end within %.0f s of SIGTERM: killed", self.name, within_s)
            self.kill()
        return await asyncio.shield(self.ended)

    def _signal(self, number: signal.Signals) -> None:
        if not self.exited.is_set():
            with suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._handle, number)

    def _on_exit(self) -> None:
        self._loop.remove_reader(self._handle)
        # Before it is reaped: its group still carries its id.
        with suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        self._process.wait()
        os.close(self._handle)
        self.exited.set()
        if self._owns_port:
            self._port.release()
        self._cleaning = self._loop.create_task(self._clean())

    async def _clean(self) -> None:
        try:
            await asyncio.to_thread(_clean, self._launch.scratch)
        except OSError as error:
            _log.error("%s left something behind: %s", self.name, error)
        self.ended.set_result(self._process.returncode)

    def _said(self) -> str:
        """The last lines of the log, to be put behind a sentence."""
        with suppress(OSError), self._launch.log.open("rb") as log:
            log.seek(max(0, log.seek(0, os.SEEK_END) - _LOG_TAIL_BYTES))
            said = log.read().decode(errors="replace").strip()
            return f"; its log ends: {said}" if said else ""
        return ""


def spawn(launch: Launch, *, port: ReservedPort | None = None) -> FunctionProcess:
    """Start a process, which listens on a port of its own or on `port`, which stays its owner's
    to release. Raises OSError where there is no such program or no room for it.

    Must be called on the event loop's thread.
    """
    launch.scratch.mkdir(parents=True, exist_ok=True)
    launch.log.parent.mkdir(parents=True, exist_ok=True)
    program, *arguments = launch.command
    if program in ("python", "python3"):
        program = sys.executable
    reserved = port or ReservedPort()
    try:
        with launch.log.open("ab") as log:
            process = subprocess.Popen(
                [*_bound_to_parent(), program, *arguments],
                env={**launch.env, "PORT": str(reserved.number)},
                cwd=launch.scratch,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                # A terminal's Ctrl-C is for the supervisor alone.
                process_group=0,
            )
    except BaseException:
        if port is None:
            reserved.release()
        shutil.rmtree(launch.scratch, ignore_errors=True)
        raise
    return FunctionProcess(launch, process, reserved, owns_port=port is None)


@cache
def _bound_to_parent() -> tuple[str, ...]:
    """The host asks for the parent-death signal itself; this closes the time until it does."""
    setpriv = shutil.which("setpriv")
    return (setpriv, "--pdeathsig", "KILL", "--") if setpriv else ()


def _clean(scratch: Path) -> None:
    if ended := orphans.end(scratch):
        _log.info("ended %d programs that were left in %s", ended, scratch.name)
    shutil.rmtree(scratch, ignore_errors=True)
