"""The durable broker's hop: from a POST to it until its subscriber has the event.

Publisher, broker and subscriber are three processes. `python -m tests.bench.broker` prints JSON;
CPU seconds stand beside the wall's, for machines that do other things meanwhile.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psutil

from eventing.codec import encode
from eventing.contract import TaskReady, digest
from eventing.envelope import wrap
from knative.local.broker.broker import LocalBroker
from knative.local.broker.ingress import serve
from knative.local.broker.manifest import Broker, Delivery, Destination, Trigger
from knative.local.broker.subscriber import http_subscriber, session
from tests.bench import figure, peer

PATH = "/default/kinora"
RATE = 50
HOPS = 500
BURST = 3000
CONNECTIONS = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    hop_p50_ms: float
    hop_p99_ms: float
    burst_events_per_s: float
    """From the first POST until the last event arrived."""
    burst_cpu_ms_per_event: float
    """The broker process's own."""


async def run_broker(subscriber: str, log: Path) -> None:
    """The broker process: serves until its standard input ends."""
    delivery = Delivery(retry=3, backoff_policy="exponential", backoff_delay_s=0.2, timeout_s=60)
    async with session() as client:
        broker = LocalBroker(
            [Broker(name="kinora", delivery=delivery)],
            [Trigger(name="all", broker="kinora", subscriber=Destination(uri=subscriber))],
            lambda destination: http_subscriber(client, destination.uri),
            log,
        )
        await broker.start()
        try:
            async with serve(broker.handler) as url:
                print(url, flush=True)  # noqa: T201
                await asyncio.to_thread(sys.stdin.read)
        finally:
            await broker.stop(drain=True)


async def run_subscriber() -> None:
    """The subscriber process: prints when each event arrived, once its standard input ends."""
    arrivals: dict[bytes, int] = {}
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: peer.Subscriber(arrivals), "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()[:2]
    print(f"http://{host}:{port}/", flush=True)  # noqa: T201
    while line := await asyncio.to_thread(sys.stdin.readline):
        wanted = int(line)
        while len(arrivals) < wanted:
            await asyncio.sleep(0.005)
        print(json.dumps({k.decode(): v for k, v in arrivals.items()}), flush=True)  # noqa: T201
        arrivals.clear()
    server.close()


@asynccontextmanager
async def process(*arguments: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """One of the other two processes; gone at the end, whatever happens."""
    child = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.bench.broker", *arguments),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        limit=16 * 1024 * 1024,
    )
    assert child.stdin is not None
    try:
        yield child
        child.stdin.close()
        await asyncio.wait_for(child.wait(), 10)
    finally:
        if child.returncode is None:
            child.kill()
            await child.wait()


async def line(child: asyncio.subprocess.Process) -> str:
    assert child.stdout is not None
    return (await child.stdout.readline()).decode().strip()


async def arrivals(subscriber: asyncio.subprocess.Process, count: int) -> dict[str, int]:
    """When each of `count` events reached the subscriber, in ns of the monotonic clock."""
    assert subscriber.stdin is not None
    subscriber.stdin.write(f"{count}\n".encode())
    found: dict[str, int] = json.loads(await asyncio.wait_for(line(subscriber), 120))
    return found


def events(count: int, salt: str) -> dict[str, bytes]:
    """Requests by event id."""
    made = {}
    for number in range(count):
        payload = TaskReady(job=digest(salt, str(number)), generation=1, task="v0001")
        event = wrap(payload, producer="chunker", time="2026-01-01T00:00:00Z", cause=digest("c"))
        message = encode(event)
        made[event.id] = peer.request(PATH, message.headers, message.body)
    return made


async def steady(connection: peer.Connection, requests: dict[str, bytes]) -> dict[str, int]:
    """Post at RATE; when each was posted."""
    posted = {}
    begun = time.monotonic()
    for number, (name, request) in enumerate(requests.items()):
        await asyncio.sleep(max(0.0, begun + number / RATE - time.monotonic()))
        posted[name] = time.monotonic_ns()
        await connection.post(request)
    return posted


async def measure() -> Measured:
    with tempfile.TemporaryDirectory(prefix="kinora-bench-broker-") as folder:
        async with process("--subscriber") as subscriber:
            url = await line(subscriber)
            async with process("--broker", url, folder) as broker:
                at = urlsplit(await line(broker))
                return await _measure(at.hostname or "", at.port or 0, subscriber, broker.pid)


async def _measure(
    host: str, port: int, subscriber: asyncio.subprocess.Process, broker: int
) -> Measured:
    connections = [await peer.connect(host, port) for _ in range(CONNECTIONS)]
    await steady(connections[0], events(RATE, "warm"))
    await arrivals(subscriber, RATE)
    posted = await steady(connections[0], events(HOPS, "hop"))
    came = await arrivals(subscriber, HOPS)
    hops_ms = [(came[name] - posted[name]) / 1e6 for name in posted]

    queue = list(events(BURST, "burst").values())
    cpu_s = sum(psutil.Process(broker).cpu_times()[:2])
    begun_ns = time.monotonic_ns()

    async def post(connection: peer.Connection) -> None:
        while queue:
            await connection.post(queue.pop())

    await asyncio.gather(*(post(connection) for connection in connections))
    came = await arrivals(subscriber, BURST)
    taken_s = (max(came.values()) - begun_ns) / 1e9
    cpu_s = sum(psutil.Process(broker).cpu_times()[:2]) - cpu_s
    for connection in connections:
        await connection.close()
    percentiles = statistics.quantiles(hops_ms, n=100)
    return Measured(
        hop_p50_ms=round(percentiles[49], 3),
        hop_p99_ms=round(percentiles[98], 3),
        burst_events_per_s=round(BURST / taken_s, 1),
        burst_cpu_ms_per_event=round(1000 * cpu_s / BURST, 3),
    )


def rows() -> list[dict[str, Any]]:
    """The figures beside their limits."""
    found = asyncio.run(measure())
    return [
        figure.at_most(f"hop p50 at {RATE} events/s (ms)", found.hop_p50_ms, 3),
        figure.at_most(f"hop p99 at {RATE} events/s (ms)", found.hop_p99_ms, 15),
        figure.at_least("events/s to an idle subscriber", found.burst_events_per_s, 600),
        figure.plain("broker CPU per event (ms)", found.burst_cpu_ms_per_event),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--subscriber", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--broker", nargs=2, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.subscriber:
        asyncio.run(run_subscriber())
    elif chosen.broker:
        asyncio.run(run_broker(chosen.broker[0], Path(chosen.broker[1]) / "broker.sqlite"))
    else:
        print(json.dumps(rows(), indent=2))  # noqa: T201


if __name__ == "__main__":
    main()
