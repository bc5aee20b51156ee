"""The broker's memory survives the death of its process at any moment."""

from __future__ import annotations

import asyncio
import random
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import aiohttp
import pytest

from eventing.codec import encode
from knative.local.broker.history import History
from tests.contract.brokerage import PATH, an_event, subscribers, until


def _has(found: set[str], count: int) -> bool:
    return len(found) >= count


@asynccontextmanager
async def broker_process(log: Path, subscriber: str) -> AsyncIterator[asyncio.subprocess.Process]:
    child = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.contract.broker_process", str(log), subscriber),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        yield child
    finally:
        if child.returncode is None:
            child.kill()
        await child.communicate()


async def address(child: asyncio.subprocess.Process) -> str:
    assert child.stdout is not None
    return (await child.stdout.readline()).decode().strip()


async def post(client: aiohttp.ClientSession, url: str, name: str) -> None:
    message = encode(an_event(name, partitionkey="job"))
    async with client.post(url + PATH, data=message.body, headers=message.headers) as response:
        assert response.status == 202


def test_an_event_answered_202_is_delivered_though_the_broker_is_killed_before(
    tmp_path: Path,
) -> None:
    async def story() -> None:
        log = tmp_path / "log.sqlite"
        async with subscribers([204]) as [subscriber], aiohttp.ClientSession() as client:
            subscriber.open.clear()
            async with broker_process(log, subscriber.url) as child:
                url = await address(child)
                await asyncio.gather(*(post(client, url, str(n)) for n in range(40)))
                child.kill()
            assert len(History(log).pending()) == 40
            before = len(subscriber.events)
            subscriber.open.set()
            async with broker_process(log, subscriber.url) as child:
                await address(child)
                wanted = {str(n) for n in range(40)}
                await until(lambda: wanted <= {e.id for e in subscriber.events[before:]})
                await until(lambda: not History(log).pending())

    asyncio.run(story())


@pytest.mark.parametrize("seed", range(3))
def test_killed_again_and_again_under_load_it_loses_nothing_it_accepted(
    tmp_path: Path, seed: int
) -> None:
    async def story() -> None:
        log = tmp_path / "log.sqlite"
        chance = random.Random(seed)
        accepted: set[str] = set()
        async with subscribers([204, 503, 204]) as [subscriber]:
            for life in range(4):
                async with (
                    broker_process(log, subscriber.url) as child,
                    aiohttp.ClientSession() as client,
                ):
                    url = await address(child)
                    last = chance.randrange(1, 60)

                    async def load(prefix: str, *, url: str, client: aiohttp.ClientSession) -> None:
                        for n in range(100):
                            try:
                                await post(client, url, f"{prefix}-{n}")
                            except (aiohttp.ClientError, OSError):
                                return
                            accepted.add(f"{prefix}-{n}")

                    goal = len(accepted) + last
                    loads = asyncio.gather(
                        *(load(f"{life}-{lane}", url=url, client=client) for lane in range(4))
                    )
                    await until(partial(_has, accepted, goal))
                    child.kill()
                    await loads
            async with broker_process(log, subscriber.url) as child:
                await address(child)
                await until(lambda: accepted <= {event.id for event in subscriber.events})
                await until(lambda: not History(log).pending())
            kept = {found.event.id for found in History(log).of("job")}
            assert accepted <= kept
            assert {event.id for event in subscriber.events} <= kept

    asyncio.run(story())


def test_a_second_broker_on_the_same_log_refuses_to_start(tmp_path: Path) -> None:
    async def story() -> None:
        log = tmp_path / "log.sqlite"
        async with broker_process(log, "http://127.0.0.1:9/") as first:
            await address(first)
            second = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "tests.contract.broker_process", str(log), "http://a.test"),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.DEVNULL,
                stderr=asyncio.subprocess.PIPE,
            )
            _, said = await second.communicate()
            assert second.returncode == 1
            assert b"InUse" in said

    asyncio.run(story())
