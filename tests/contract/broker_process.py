"""A broker in a process of its own, to be killed: `broker_process LOG SUBSCRIBER`.

Prints its address; ends when its standard input does, so that it never outlives who started it.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from knative.local.broker.broker import LocalBroker
from knative.local.broker.ingress import serve
from knative.local.broker.manifest import Broker, Delivery, Destination, Trigger
from knative.local.broker.subscriber import http_subscriber, session


async def main(log: Path, subscriber: str) -> None:
    delivery = Delivery(retry=20, backoff_policy="linear", backoff_delay_s=0.05)
    async with session() as client:
        broker = LocalBroker(
            [Broker(name="kinora", delivery=delivery)],
            [Trigger(name="t", broker="kinora", subscriber=Destination(uri=subscriber))],
            lambda destination: http_subscriber(client, destination.uri),
            log,
        )
        await broker.start()
        try:
            async with serve(broker.handler) as url:
                sys.stdout.write(f"{url}\n")
                sys.stdout.flush()
                await asyncio.to_thread(sys.stdin.read)
        finally:
            await broker.stop(drain=False)


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), sys.argv[2]))
