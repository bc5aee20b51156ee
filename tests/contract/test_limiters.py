"""Requests are counted alike in a Redis and in memory, and without a Redis nobody is refused."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from functions.adapters.connect import rate_limits
from functions.adapters.limiter import CountingLimiter
from functions.adapters.redis.address import RedisAddress
from functions.ports import Limiter
from tests import servers
from tests.fakes import ManualClock


class LimiterSuite:
    def test_as_many_are_allowed_as_the_limit_says(self, limiter: Limiter) -> None:
        answers = [limiter.hit("3/hour", "anna") for _ in range(5)]
        assert [answer.allowed for answer in answers] == [True] * 3 + [False] * 2
        assert [answer.remaining for answer in answers] == [2, 1, 0, 0, 0]

    def test_who_is_refused_is_told_when_to_come_again(self, limiter: Limiter) -> None:
        assert limiter.hit("1/hour", "anna").retry_after_s == 0
        assert 1 <= limiter.hit("1/hour", "anna").retry_after_s <= 3600

    def test_each_caller_and_each_limit_counts_for_itself(self, limiter: Limiter) -> None:
        assert limiter.hit("1/hour", "anna", "jobs").allowed
        assert limiter.hit("1/hour", "ben", "jobs").allowed
        assert limiter.hit("1/hour", "anna", "uploads").allowed
        assert limiter.hit("1/minute", "anna", "jobs").allowed
        assert not limiter.hit("1/hour", "anna", "jobs").allowed

    def test_a_limit_that_is_none_is_refused(self, limiter: Limiter) -> None:
        with pytest.raises(ValueError, match="couldn't parse"):
            limiter.hit("many", "anna")


class TestInMemory(LimiterSuite):
    @pytest.fixture
    def limiter(self, tmp_path: Path) -> Limiter:
        return rate_limits(str(tmp_path / "state.sqlite"))


@pytest.mark.servers
class TestInRedis(LimiterSuite):
    @pytest.fixture
    def location(self, redis_server: servers.Redis) -> str:
        return f"{redis_server.url}?prefix={uuid4()}"

    @pytest.fixture
    def limiter(self, location: str) -> Limiter:
        return rate_limits(location)

    def test_all_processes_count_together(self, location: str) -> None:
        first, second = rate_limits(location), rate_limits(location)
        assert first.hit("1/hour", "anna").allowed
        assert not second.hit("1/hour", "anna").allowed


@pytest.fixture
def own_server(tmp_path: Path) -> Iterator[servers.Redis]:
    with servers.redis(tmp_path / "redis") as server:
        yield server


@pytest.mark.servers
def test_while_nothing_can_be_counted_everything_is_allowed(own_server: servers.Redis) -> None:
    clock = ManualClock()
    address = RedisAddress.at(f"{own_server.url}?timeout_s=2")
    limiter = CountingLimiter.at(address, clock=clock)
    assert limiter.hit("1/hour", "anna").allowed
    assert not limiter.hit("1/hour", "anna").allowed
    own_server.signal(signal.SIGSTOP)
    assert limiter.hit("1/hour", "anna").allowed
    own_server.signal(signal.SIGCONT)
    # It is left alone for a while, so that nobody waits for it.
    assert limiter.hit("1/hour", "anna").allowed
    clock.advance(10)
    assert not limiter.hit("1/hour", "anna").allowed
    own_server.kill()
    assert limiter.hit("1/hour", "anna").allowed


def test_an_address_that_nobody_knows_is_refused() -> None:
    with pytest.raises(ValueError, match="sqlite:///path"):
        rate_limits("memcached://host")
