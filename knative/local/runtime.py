"""The embedded runtime: broker, activators, autoscalers, source and ticks in one process.

It runs the manifests of a cluster on one machine, over one directory: `uploads/`, `work/` and
`media/` are the object store's, `runtime/` is its own.
"""

from __future__ import annotations

import asyncio
import fcntl
import json
import logging
import math
import os
import shutil
import signal
import time
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import aiohttp
from aiohttp import web

from eventing.cloudevent import CloudEvent
from eventing.codec import encode
from functions.adapters.connect import object_store, state_store
from functions.jobs import layout
from functions.ports import StateStore
from knative.local import environment, orphans
from knative.local.broker.broker import LocalBroker
from knative.local.broker.manifest import Destination
from knative.local.broker.ping import fire
from knative.local.broker.subscriber import Subscriber, http_subscriber, session
from knative.local.manifests import BASE, load
from knative.local.overlay import Overlay, cores
from knative.local.process import FunctionProcess, Launch, spawn
from knative.local.revision import Revision
from knative.local.revision import Status as RevisionStatus
from knative.local.service import Service
from knative.local.uploads import Uploads

INTERRUPTED: Final = 130
_LOG_LIMIT_BYTES: Final = 10 * 1024 * 1024
"""A function's log that is longer is put aside at the next start; one such is kept."""

_log = logging.getLogger(__name__)


class AlreadyRunning(Exception):
    """Another runtime has the directory."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """What goes on."""

    broker_url: str
    pending: int
    """Deliveries under way or waiting for their time."""
    services: Mapping[str, RevisionStatus]
    """By the Service's name."""

    @property
    def processes(self) -> tuple[int, ...]:
        """Ids of all function processes."""
        return tuple(pid for status in self.services.values() for pid in status.processes)

    @property
    def idle(self) -> bool:
        """True when no delivery is under way or due later, and no function process is there."""
        return not self.pending and not self.processes


class Runtime:
    """One runtime over one directory.

    `encoders` bounds the encoder processes (default: KINORA_ENCODERS, else the cores this process
    may use), `tick_s` replaces the schedules of all PingSources, `scale_window_s` is after how
    long without a request a function goes, `extra_env` goes to every function process.

    `start` must be called on the main thread: the kernel ends the function processes when the
    thread that started them ends, so that they never outlive it.
    """

    def __init__(
        self,
        directory: Path,
        *,
        manifests: Path = BASE,
        encoders: int | None = None,
        tick_s: float | None = None,
        watch_uploads: bool = True,
        scale_window_s: float | None = None,
        extra_env: Mapping[str, str] | None = None,
    ) -> None:
        """Raises `Invalid` for manifests that cannot be run."""
        if encoders is None:
            encoders = int(os.environ.get("KINORA_ENCODERS") or 0)
        usable = cores()
        self._overlay = Overlay(cores=usable, encoders=encoders or usable)
        if scale_window_s is not None:
            self._overlay = Overlay(
                cores=usable,
                encoders=self._overlay.encoders,
                window_ms=round(scale_window_s * 1_000),
            )
        self.directory = directory.absolute()
        self._own = self.directory / "runtime"
        self._scratch = self._own / "scratch"
        self._state_path = self._own / "state.sqlite"
        self._manifests = load(manifests)
        self._tick_s = tick_s
        self._watch_uploads = watch_uploads
        self._extra_env = dict(extra_env or {})
        self._lock: int | None = None
        self._client: aiohttp.ClientSession | None = None
        self._server: web.ServerRunner | None = None
        self._broker: LocalBroker | None = None
        self._state: StateStore | None = None
        self._revisions: dict[str, Revision] = {}
        self._tasks: list[asyncio.Task[None]] = []
        self.broker_url = ""
        """Where events are posted to; the K_SINK of every function. Empty until started."""

    async def start(self) -> None:
        """Take the directory and go on with whatever stands there.

        Raises AlreadyRunning while another runtime has it.
        """
        for bucket in (layout.UPLOADS, layout.WORK, layout.MEDIA, "runtime"):
            (self.directory / bucket).mkdir(parents=True, exist_ok=True)
        self._take()
        try:
            await self._start()
        except BaseException:
            await self.stop(drain=False)
            raise

    async def _start(self) -> None:
        before = self._state_path.exists()
        await asyncio.to_thread(self._clear)
        self._state = await asyncio.to_thread(state_store, str(self._state_path))
        # A runtime that died cannot give back what its processes held.
        await asyncio.to_thread(self._state.release_all, "")
        self._client = session()
        for manifest in self._manifests.services:
            service = self._overlay.apply(manifest)
            self._revisions[service.key] = Revision(
                service, spawn=self._spawn, reaped=self._state.release_all, client=self._client
            )
        self._broker = LocalBroker(
            [self._manifests.broker],
            self._manifests.triggers,
            self._resolve,
            self._own / "broker.sqlite",
        )
        self._server = web.ServerRunner(
            web.Server(self._broker.handler, access_log=None), shutdown_timeout=0.5
        )
        await self._server.setup()
        await web.TCPSite(self._server, "127.0.0.1", 0).start()
        host, port = self._server.addresses[0][:2]
        self.broker_url = f"http://{host}:{port}/{self._manifests.broker.key}"
        for revision in self._revisions.values():
            revision.start()
        await self._broker.start()
        self._announce()
        for ping in self._manifests.pings:
            send = _sender(self._broker.resolve(ping.sink))
            self._keep(fire(ping, send, every_s=self._tick_s))
            if before:
                # Whatever the last runtime left standing is looked at now, not in a minute.
                self._keep(_sent(send, ping.event(datetime.now(UTC))))
        if self._watch_uploads:
            store = await asyncio.to_thread(object_store, str(self.directory))
            self._keep(Uploads(self.directory, store, self.publish).watch())

    async def stop(self, *, drain: bool) -> None:
        """End. With `drain` requests in processes end first; nothing else is begun.

        Without, everything is killed. What was accepted and is not done goes on at the next start
        in either case, and no process and no temporary file is left.
        """
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)
        self._tasks = []
        if drain:
            for revision in self._revisions.values():
                revision.activator.close("the runtime is stopping")
        if self._broker is not None:
            await self._broker.stop(drain=drain)
        await asyncio.gather(
            *(
                revision.drain() if drain else revision.abort()
                for revision in self._revisions.values()
            )
        )
        self._revisions = {}
        if self._server is not None:
            await self._server.cleanup()
        if self._client is not None:
            await self._client.close()
        self._broker = self._server = self._client = None
        if self._lock is not None:
            (self._own / "runtime.json").unlink(missing_ok=True)
            await asyncio.to_thread(self._clear)
            os.close(self._lock)
            self._lock = None

    async def publish(self, event: CloudEvent) -> None:
        """Hand an event to the broker; returns once it is durable."""
        if self._broker is None:
            raise RuntimeError("the runtime is not running")
        await self._broker.publish(event)

    def status(self) -> Status:
        return Status(
            broker_url=self.broker_url,
            pending=self._broker.pending if self._broker else 0,
            services={
                revision.service.name: revision.status for revision in self._revisions.values()
            },
        )

    def _take(self) -> None:
        lock = os.open(self._own / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(lock)
            raise AlreadyRunning(f"another runtime has {self.directory}") from None
        self._lock = lock

    def _announce(self) -> None:
        facts = {"pid": os.getpid(), "broker_url": self.broker_url, "started_s": time.time()}
        temporary = self._own / "runtime.json.new"
        temporary.write_text(json.dumps(facts) + "\n")
        temporary.replace(self._own / "runtime.json")

    def _clear(self) -> None:
        """End and remove what a runtime left behind."""
        if ended := orphans.end(self._scratch):
            _log.warning("ended %d processes that an earlier runtime left", ended)
        shutil.rmtree(self._scratch, ignore_errors=True)
        for log in (self._own / "logs").glob("*.log"):
            if log.stat().st_size > _LOG_LIMIT_BYTES:
                log.replace(log.with_suffix(".log.1"))

    def _spawn(self, service: Service, count: int) -> FunctionProcess:
        name = f"{service.revision}-{count}"
        scratch = self._scratch / name
        return spawn(
            Launch(
                name=name,
                command=service.command,
                env=environment.build(
                    service,
                    inherited=os.environ,
                    shared={
                        "KINORA_STORE": str(self.directory),
                        "KINORA_STATE": str(self._state_path),
                        "KINORA_ENCODERS": str(self._overlay.encoders),
                        **self._extra_env,
                    },
                    own={
                        "K_SINK": self.broker_url,
                        "KINORA_WORKER": name,
                        "KINORA_SCRATCH": str(scratch),
                        "KINORA_CONCURRENCY": str(service.container_concurrency or 8),
                        "KINORA_TIMEOUT_S": str(service.timeout_s),
                    },
                ),
                scratch=scratch,
                log=self._own / "logs" / f"{service.name}.log",
                ready_path=service.ready_path,
            )
        )

    def _resolve(self, destination: Destination) -> Subscriber:
        if not destination.kind:
            assert self._client is not None
            return http_subscriber(self._client, destination.uri)
        key = f"{destination.namespace}/{destination.name}"
        if key not in self._revisions:
            raise LookupError(f"no Service {key}")
        if destination.uri not in ("", "/"):
            raise LookupError(f"{destination.uri}: functions are served at / only")
        return self._revisions[key].activator

    def _keep(self, work: Coroutine[Any, Any, None]) -> None:
        self._tasks.append(asyncio.get_running_loop().create_task(work))


def _sender(sink: Subscriber) -> Callable[[CloudEvent], Awaitable[None]]:
    """Delivers to a sink as a source does: once."""

    async def send(event: CloudEvent) -> None:
        reply = await sink(encode(event), timeout_s=math.inf)
        if not 200 <= reply.status < 300:
            raise RuntimeError(f"answered {reply.status}")

    return send


async def _sent(send: Callable[[CloudEvent], Awaitable[None]], event: CloudEvent) -> None:
    try:
        await send(event)
    except Exception as error:
        _log.error("the first tick was not taken: %s", error)


def run(runtime: Runtime, *, started: Callable[[], Awaitable[None]] | None = None) -> int:
    """Run until a signal: SIGTERM drains (exit code 0), SIGINT aborts (130), also a drain.

    `started` is awaited once the runtime takes events. Returns the exit code.
    """
    return asyncio.run(_run(runtime, started))


async def _run(runtime: Runtime, started: Callable[[], Awaitable[None]] | None) -> int:
    loop = asyncio.get_running_loop()
    told: asyncio.Future[bool] = loop.create_future()
    again = asyncio.Event()

    def tell(drain: bool) -> None:
        if not told.done():
            told.set_result(drain)
        elif not drain:
            again.set()

    loop.add_signal_handler(signal.SIGTERM, tell, True)
    loop.add_signal_handler(signal.SIGINT, tell, False)
    try:
        await runtime.start()
        if started is not None:
            await started()
        drain = await told
        stopping = loop.create_task(runtime.stop(drain=drain))
        if drain:
            interrupted = loop.create_task(again.wait())
            await asyncio.wait([stopping, interrupted], return_when=asyncio.FIRST_COMPLETED)
            interrupted.cancel()
            if not stopping.done():
                stopping.cancel()
                with suppress(asyncio.CancelledError):
                    await stopping
                await runtime.stop(drain=False)
                return INTERRUPTED
        await stopping
        return 0 if drain else INTERRUPTED
    except BaseException:
        await runtime.stop(drain=False)
        raise
    finally:
        loop.remove_signal_handler(signal.SIGTERM)
        loop.remove_signal_handler(signal.SIGINT)
