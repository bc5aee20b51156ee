"""Work that nobody awaits neither gets lost nor fails in silence."""

from __future__ import annotations

import asyncio

import pytest

from knative.local.background import Background


def test_a_defect_is_logged_and_ends_nothing_else(caplog: pytest.LogCaptureFixture) -> None:
    ended: list[str] = []

    async def broken() -> None:
        raise RuntimeError("the reason")

    async def whole() -> None:
        await asyncio.sleep(0)
        ended.append("whole")

    async def scenario() -> None:
        work = Background()
        work.begin(broken())
        work.begin(whole())
        await work.finished()

    asyncio.run(scenario())
    assert ended == ["whole"]
    (record,) = caplog.records
    assert record.exc_info is not None and str(record.exc_info[1]) == "the reason"


def test_what_is_called_off_has_ended_and_is_no_defect(caplog: pytest.LogCaptureFixture) -> None:
    ended: list[str] = []

    async def endless() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            ended.append("endless")

    async def scenario() -> None:
        work = Background()
        work.begin(endless())
        await asyncio.sleep(0)
        await work.cancel()
        assert ended == ["endless"]

    asyncio.run(scenario())
    assert not caplog.records


def test_what_is_begun_meanwhile_is_waited_for_too() -> None:
    ended: list[str] = []

    async def second() -> None:
        await asyncio.sleep(0)
        ended.append("second")

    async def scenario() -> None:
        work = Background()

        async def first() -> None:
            work.begin(second())

        work.begin(first())
        await work.finished()

    asyncio.run(scenario())
    assert ended == ["second"]
