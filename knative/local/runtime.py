"""The embedded runtime: broker, activators, autoscalers, source and ticks in one process.

It runs the manifests of a cluster on one machine, over one folder (see `home.py`).
"""

from __future__ import annotations

import asyncio
import logging
import math
import os
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import aiohttp

from eventing.cloudevent import CloudEvent
from eventing.codec import encode
from functions.adapters.connect import object_store, state_store
from functions.ports import StateStore
from knative.local.background import Background
from knative.local.broker.broker import LocalBroker
from knative.local.broker.ingress import serve
from knative.local.broker.manifest import Destination
from knative.local.broker.ping import fire
from knative.local.broker.subscriber import Subscriber, http_subscriber, session
from knative.local.door import Door
from knative.local.home import Home
from knative.local.keyring import keyring
from knative.local.launcher import Launcher
from knative.local.listen import Listen
from knative.local.manifests import BASE, load
from knative.local.notifications import SOURCE, intake
from knative.local.overlay import Overlay, cores
from knative.local.port import ReservedPort
from knative.local.process import FunctionProcess
from knative.local.revision import Revision
from knative.local.revision import Status as RevisionStatus
from knative.local.service import Service
from knative.local.stores import Stores
from knative.local.uploads import Uploads

_log = logging.getLogger(__name__)

GATEWAY: Final = "gateway"
"""The Service that runs all the time, on an address that stays."""


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
    long without a request a function goes, `extra_env` goes to every function process. `stores`
    are services to work on instead of the folder; `door` is where the gateway listens (without it
    there is none), `notifications` where a storage posts what was uploaded.

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
        for_one_job: bool = False,
        extra_env: Mapping[str, str] | None = None,
        stores: Stores | None = None,
        door: Listen | None = None,
        notifications: Listen | None = None,
    ) -> None:
        """Raises `Invalid` for manifests that cannot be run."""
        if encoders is None:
            encoders = int(os.environ.get("KINORA_ENCODERS") or 0)
        usable = cores()
        self._overlay = Overlay(cores=usable, encoders=encoders or usable, for_one_job=for_one_job)
        if scale_window_s is not None:
            self._overlay = replace(self._overlay, window_ms=round(scale_window_s * 1_000))
        self.home = Home(directory.absolute())
        self._manifests = load(manifests)
        self._tick_s = tick_s
        self._stores = stores or Stores()
        # Nobody can watch a bucket: its storage tells, and the sweeper looks.
        self._watch_uploads = watch_uploads and not self._stores.shared_objects
        self._listen = door
        self._notifications = notifications
        self._door: Door | None = None
        self._launcher: Launcher | None = None
        self._extra_env = dict(extra_env or {})
        self._lock: int | None = None
        self._connections = AsyncExitStack()
        """The client of all function processes, and the server before the broker."""
        self._client: aiohttp.ClientSession | None = None
        self._broker: LocalBroker | None = None
        self._state: StateStore | None = None
        self._revisions: dict[str, Revision] = {}
        self._background = Background()
        self.broker_url = ""
        """Where events are posted to; the K_SINK of every function. Empty until started."""
        self.page_url = ""
        """Where the gateway is. Empty until started, and where there is none."""
        self.notifications_url = ""
        """Where notifications are posted to. Empty like `page_url`."""

    async def start(self) -> None:
        """Take the directory and go on with whatever stands there.

        Raises AlreadyRunning while another runtime has it, OSError for an address that somebody
        else listens on, NotReady for a gateway that does not start.
        """
        self._lock = self.home.take()
        try:
            await self._start()
        except BaseException:
            await self.stop(drain=False)
            raise

    async def _start(self) -> None:
        before = self.home.state.exists()
        await asyncio.to_thread(self.home.clear)
        self.home.settle(self._stores)
        self._state = await asyncio.to_thread(state_store, self.home.state_at(self._stores))
        if not self._stores.shared_state:
            # A runtime that died cannot give back what its processes held.
            await asyncio.to_thread(self._state.release_all, "")
        self._client = await self._connections.enter_async_context(session())
        for manifest in self._manifests.services:
            if manifest.name == GATEWAY:
                continue
            service = self._overlay.apply(manifest)
            self._revisions[service.key] = Revision(
                service, spawn=self._spawn, reaped=self._state.release_all, client=self._client
            )
        self._broker = LocalBroker(
            [self._manifests.broker],
            self._manifests.triggers,
            self._resolve,
            self.home.events,
        )
        address = await self._connections.enter_async_context(serve(self._broker.handler))
        self.broker_url = f"{address}/{self._manifests.broker.key}"
        self._launcher = Launcher(
            home=self.home,
            stores=self._stores,
            broker_url=self.broker_url,
            encoders=self._overlay.encoders,
            secrets=keyring(self.home.secrets, os.environ),
            extra_env=self._extra_env,
        )
        for revision in self._revisions.values():
            revision.start()
        await self._broker.start()
        await self._open_doors()
        self.home.announce(self.broker_url, page_url=self.page_url)
        for ping in self._manifests.pings:
            send = _sender(self._broker.resolve(ping.sink))
            self._background.begin(fire(ping, send, every_s=self._tick_s))
            if before:
                # Whatever the last runtime left standing is looked at now, not in a minute.
                self._background.begin(_sent(send, ping.event(datetime.now(UTC))))
        if self._watch_uploads:
            store = await asyncio.to_thread(object_store, str(self.home.root))
            self._background.begin(Uploads(self.home.root, store, self.publish).watch())

    async def _open_doors(self) -> None:
        """Let the outside in: people and applications, and the storage's notifications."""
        assert self._client is not None
        found = {manifest.name: manifest for manifest in self._manifests.services}
        if self._listen is not None and GATEWAY in found:
            port = ReservedPort(address=self._listen.host, number=self._listen.port)
            gateway = found[GATEWAY]
            self._door = Door(
                port,
                spawn=lambda port, count: self._spawn(gateway, count, port),
                client=self._client,
            )
            await self._door.open()
            self._background.begin(self._door.keep())
            self.page_url = self._door.url
        if self._notifications is not None and SOURCE in found:
            source = self._revisions[found[SOURCE].key].activator
            address = serve(
                intake(source), host=self._notifications.host, port=self._notifications.port
            )
            self.notifications_url = await self._connections.enter_async_context(address)

    async def stop(self, *, drain: bool) -> None:
        """End. With `drain` requests in processes end first; nothing else is begun.

        Without, everything is killed. What was accepted and is not done goes on at the next start
        in either case, and no process and no temporary file is left.
        """
        await self._background.cancel()
        if self._door is not None:
            await self._door.close(drain=drain)
            self._door = None
        if drain:
            for revision in self._revisions.values():
                revision.activator.close("the runtime is stopping")
        if self._broker is not None:
            try:
                await self._broker.stop(drain=drain)
            except Exception:
                # The processes have to go all the same.
                _log.exception("the broker did not end as it should")
        await asyncio.gather(
            *(
                revision.drain() if drain else revision.abort()
                for revision in self._revisions.values()
            )
        )
        self._revisions = {}
        await self._connections.aclose()
        self._broker = self._client = None
        if self._lock is not None:
            self.home.withdraw()
            await asyncio.to_thread(self.home.clear)
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

    def _spawn(
        self, service: Service, count: int, port: ReservedPort | None = None
    ) -> FunctionProcess:
        assert self._launcher is not None
        return self._launcher.start(service, count, port=port)

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
