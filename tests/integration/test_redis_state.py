"""What it costs that a Redis is flushed, killed or frozen, and what it keeps of jobs."""

from __future__ import annotations

import re
import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from functions.adapters.redis.address import RedisAddress
from functions.adapters.redis.state import RedisState
from functions.ports import Waiting
from tests import servers
from tests.fakes import ManualClock
from tests.flow.media import Film
from tests.flow.site import Site
from tests.properties.test_flow import Flow

pytestmark = pytest.mark.servers

TIMEOUT_S = 1
"""In place of five seconds."""


class LosableRedis(RedisState):
    """With what a `tests.flow.site.Site` needs besides."""

    def __init__(self, server: servers.Redis, clock: ManualClock) -> None:
        super().__init__(RedisAddress.at(f"{server.url}?timeout_s={TIMEOUT_S}"), clock=clock)
        self._server = server

    def flush(self) -> None:
        with self._server.asked() as client:
            client.flushall()

    def remembered(self) -> set[str]:
        return {key.split(":")[2] for key in self._server.all_keys() if ":job:" in key}


@pytest.fixture
def state(mortal_redis: servers.Redis) -> Iterator[RedisState]:
    state = RedisState(RedisAddress.at(f"{mortal_redis.url}?timeout_s={TIMEOUT_S}"))
    yield state
    state.close()


@pytest.fixture
def site(mortal_redis: servers.Redis) -> Iterator[Site]:
    made: list[LosableRedis] = []

    def make(clock: ManualClock) -> LosableRedis:
        made.append(LosableRedis(mortal_redis, clock))
        return made[-1]

    yield Site(make_state=make)
    for each in made:
        each.close()


def waiting(job: str, order: int) -> Waiting:
    return Waiting(
        job=job, generation=1, task=f"v{order}", tenant="anna", accelerator="cpu", order=order
    )


# The flow over it.


@pytest.mark.parametrize("delivered", [2, 4, 7, 11])
def test_a_flush_in_mid_job_is_repaired_within_two_ticks(site: Site, delivered: int) -> None:
    job = site.drop(Film(chunks=4)).job
    for _ in range(delivered):
        site.deliver(0)
    site.state.flush()
    site.deliver_all()
    assert site.verdict(job) is None
    for _ in range(2):
        site.tick()
        site.deliver_all()
    assert site.verdict(job) is not None
    site.settle()
    site.check_settled()
    site.check_nothing_is_left()


def test_a_server_that_died_and_came_back_empty_is_filled_within_two_ticks(
    site: Site, mortal_redis: servers.Redis
) -> None:
    job = site.drop(Film(chunks=4)).job
    for _ in range(4):
        site.deliver(0)
    mortal_redis.kill()
    site.deliver(0)
    assert len(site.broker.pending) > 0
    mortal_redis.start()
    site.deliver_all()
    for _ in range(2):
        site.tick()
        site.deliver_all()
    assert site.verdict(job) is not None
    site.check_settled()


def test_a_server_that_is_frozen_for_longer_than_the_broker_retries_loses_nothing(
    site: Site, mortal_redis: servers.Redis
) -> None:
    job = site.drop(Film(chunks=3)).job
    for _ in range(5):
        site.deliver(0)
    mortal_redis.signal(signal.SIGSTOP)
    while site.broker.pending:
        site.deliver(0)
    assert site.verdict(job) is None
    mortal_redis.signal(signal.SIGCONT)
    site.settle()
    site.check_settled()
    verdict = site.verdict(job)
    assert verdict is not None
    assert verdict.state == "completed"


def test_the_laws_of_the_flow_hold_over_a_real_server(mortal_redis: servers.Redis) -> None:
    stores: list[LosableRedis] = []

    def make(clock: ManualClock) -> LosableRedis:
        stores.append(LosableRedis(mortal_redis, clock))
        stores[-1].flush()
        return stores[-1]

    class FlowOnRedis(Flow):
        def __init__(self) -> None:
            super().__init__(Site(make_state=make))

    run_state_machine_as_test(
        FlowOnRedis,
        settings=settings(
            max_examples=8,
            stateful_step_count=40,
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
        ),
    )
    for each in stores:
        each.close()


# Scripts and keys.


def test_a_server_that_forgot_the_scripts_is_sent_them_again(
    state: RedisState, mortal_redis: servers.Redis
) -> None:
    assert state.acquire("lease", "anna", ttl_s=60)
    with mortal_redis.asked() as client:
        client.script_flush()
        assert not state.acquire("lease", "ben", ttl_s=60)
        client.flushall()
        client.script_flush()
    assert state.acquire("lease", "ben", ttl_s=60)


def test_nothing_of_a_forgotten_job_stays(state: RedisState, mortal_redis: servers.Redis) -> None:
    for job in ("one:two", "100%", "plain"):
        state.enqueue([waiting(job, order) for order in range(5)])
    for cause in range(9):
        state.admit("cpu", cause=f"{cause}", limit=cause, ttl_s=60)
    for job in ("one:two", "100%", "plain"):
        state.complete(job, 1, "v0", total=5)
        state.complete(job, 2, "v0", total=5)
        state.report_progress(job, 1, "v0", 5)
        state.acquire(f"task:{job}/1/v1", "anna", ttl_s=60)
    assert len(mortal_redis.all_keys()) > 20
    for job in ("one:two", "100%", "plain"):
        state.forget(job)
    state.release_all("")
    assert sorted(mortal_redis.all_keys()) == ["{kinora}:served:cpu:0", "{kinora}:turn"]


def test_whatever_is_noted_of_a_job_runs_out_by_itself(
    state: RedisState, mortal_redis: servers.Redis
) -> None:
    state.enqueue([waiting("job", order) for order in range(3)])
    state.admit("cpu", cause="start", limit=1, ttl_s=60)
    state.complete("job", 1, "v2", total=3)
    state.report_progress("job", 1, "v0", 5)
    with mortal_redis.asked() as client:
        ends = {
            key: client.ttl(key)
            for key in mortal_redis.all_keys()
            if re.search(":(job|cause):", key)
        }
    assert len(ends) == 7
    assert all(0 < ttl_s <= 8 * 86400 for ttl_s in ends.values()), ends


def test_leases_that_ran_out_are_cleared_away(
    state: RedisState, mortal_redis: servers.Redis
) -> None:
    for number in range(50):
        assert state.acquire(f"{number}", "anna", ttl_s=0.001)
    while state.held("49"):
        pass
    for number in range(50, 60):
        assert state.acquire(f"{number}", "anna", ttl_s=60)
    with mortal_redis.asked() as client:
        assert client.zcard("{kinora}:leases") == client.hlen("{kinora}:holders") == 10


def test_a_key_that_the_server_evicted_leaves_no_task_behind(
    state: RedisState, mortal_redis: servers.Redis
) -> None:
    """Whichever of them it was: when all is said again, all is granted."""
    tasks = [waiting("job", order) for order in range(4)]

    def fill() -> list[str]:
        with mortal_redis.asked() as client:
            client.flushall()
        state.enqueue(tasks)
        state.admit("cpu", cause="start", limit=1, ttl_s=0.001)
        return sorted(mortal_redis.all_keys())

    for evicted in fill():
        fill()
        with mortal_redis.asked() as client:
            client.delete(evicted)
        state.enqueue(tasks)
        granted: set[str] = set()
        while len(granted) < 4:
            slots = state.admit("cpu", cause="again", limit=9, ttl_s=60)
            granted = {slot.task for slot in slots}


def test_the_time_is_the_server_s(state: RedisState) -> None:
    state.enqueue([waiting("job", 0)])
    (slot,) = state.admit("cpu", cause="start", limit=1, ttl_s=60)
    assert abs(slot.granted_s - time.time()) < 60


def test_many_threads_share_the_connections(state: RedisState) -> None:
    def work(thread: int) -> bool:
        return all(
            state.acquire(f"{thread}-{number}", "anna", ttl_s=60)
            and state.held(f"{thread}-{number}")
            and not state.acquire(f"{thread}-{number}", "ben", ttl_s=60)
            for number in range(50)
        )

    with ThreadPoolExecutor(16) as pool:
        assert all(pool.map(work, range(16)))
