"""Every StateStore passes the suite, the fake included."""

from __future__ import annotations

import itertools
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from uuid import uuid4

import pytest

from functions.adapters.redis.address import RedisAddress
from functions.adapters.redis.state import RedisState
from functions.adapters.sqlite import SqliteState
from functions.ports import StateStore
from tests import servers
from tests.contract.admission_laws import keeps_the_laws_of_admission
from tests.contract.state_store_suite import SharedStateStoreSuite, StateStoreSuite
from tests.fakes import ManualClock, MemoryState


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


class TestSqliteState(SharedStateStoreSuite):
    @pytest.fixture
    def location(self, tmp_path: Path) -> str:
        return f"sqlite://{tmp_path}/runtime/state.sqlite"

    @pytest.fixture
    def state(self, tmp_path: Path, clock: ManualClock) -> Iterator[StateStore]:
        state = SqliteState(tmp_path / "runtime/state.sqlite", clock=clock)
        yield state
        state.close()


@pytest.mark.servers
class TestRedisState(SharedStateStoreSuite):
    @pytest.fixture
    def location(self, redis_server: servers.Redis) -> str:
        return f"{redis_server.url}?prefix={uuid4()}"

    @pytest.fixture
    def state(self, location: str, clock: ManualClock) -> Iterator[StateStore]:
        state = RedisState(RedisAddress.at(location), clock=clock)
        yield state
        state.close()


class TestMemoryState(StateStoreSuite):
    many = 1_000  # it looks at all of them for every slot

    @pytest.fixture
    def state(self, clock: ManualClock) -> StateStore:
        return MemoryState(clock=clock)


def test_the_sqlite_store_keeps_the_laws_of_admission() -> None:
    with ExitStack() as stack:

        def make(clock: ManualClock) -> StateStore:
            folder = stack.enter_context(tempfile.TemporaryDirectory())
            state = SqliteState(Path(folder) / "state.sqlite", clock=clock)
            stack.callback(state.close)
            return state

        keeps_the_laws_of_admission(make)


@pytest.mark.servers
def test_the_store_in_redis_keeps_the_laws_of_admission(redis_server: servers.Redis) -> None:
    numbers, prefix = itertools.count(), uuid4()
    with ExitStack() as stack:

        def make(clock: ManualClock) -> StateStore:
            location = f"{redis_server.url}?prefix={prefix}-{next(numbers)}"
            state = RedisState(RedisAddress.at(location), clock=clock)
            stack.callback(state.close)
            return state

        keeps_the_laws_of_admission(make)


def test_the_store_in_memory_keeps_the_laws_of_admission() -> None:
    keeps_the_laws_of_admission(lambda clock: MemoryState(clock=clock))
