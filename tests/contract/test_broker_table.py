"""The embedded broker against the table that the cluster's broker is held to as well."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from knative.local.broker.broker import LocalBroker
from knative.local.broker.ingress import serve
from knative.local.broker.manifest import Broker, Trigger
from knative.local.broker.subscriber import http_subscriber, session
from tests.delivery.case import Case, Result
from tests.delivery.page import PAGE, page
from tests.delivery.play import BROKER, broker, play
from tests.delivery.table import TABLE


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Result]:
    return asyncio.run(_played(tmp_path_factory.mktemp("table") / "log.sqlite"))


async def _played(path: Path) -> dict[str, Result]:
    async with AsyncExitStack() as stack:
        client = await stack.enter_async_context(session())

        async def install(receivers: str, triggers: Sequence[Mapping[str, Any]]) -> str:
            local = LocalBroker(
                [Broker.parse(broker(receivers))],
                [Trigger.parse(trigger) for trigger in triggers],
                lambda destination: http_subscriber(client, destination.uri),
                path,
            )
            await local.start()
            stack.push_async_callback(local.stop, drain=False)
            return f"{await stack.enter_async_context(serve(local.handler))}/default/{BROKER}"

        return await play(TABLE, install)


@pytest.mark.parametrize("case", TABLE, ids=lambda case: case.name)
def test_the_embedded_broker_does(case: Case, results: dict[str, Result]) -> None:
    assert results[case.name] == case.result, case.says


def test_every_row_has_a_name_of_its_own() -> None:
    assert len({case.name for case in TABLE}) == len(TABLE)


def test_the_page_says_what_the_table_says() -> None:
    assert PAGE.read_text() == page(), "python -m tests.delivery"
