"""What an encoder does beside encoding: its lease and slot, progress, others at the same task."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import pytest

from eventing.contract import TaskCompleted
from eventing.errors import Unavailable
from functions.jobs import layout
from functions.ports import Waiting
from tests import planned
from tests.planned import JOB
from tests.unit.encoder.world import COMPLETED, LEASE, World, cancel


def test_a_cancelled_job_calls_the_encode_off(world: World) -> None:
    def decide(see: Callable[[Mapping[str, str]], bool]) -> None:
        assert see({"frame": "3"})
        cancel(world)
        world.clock.advance(2)
        assert not see({"frame": "4"})

    world.program.meanwhile = decide
    assert world.handle() == []
    assert world.store.head(layout.receipt(JOB, 1, "v0000")) is None
    assert world.failures() == []


def test_what_another_ended_between_a_look_and_the_lease_is_not_encoded_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    acquire = world.state.acquire

    def acquire_late(lease: str, holder: str, *, ttl_s: float) -> bool:
        monkeypatch.undo()
        assert [type(event) for event in world.handle()] == [TaskCompleted]
        return acquire(lease, holder, ttl_s=ttl_s)

    monkeypatch.setattr(world.state, "acquire", acquire_late)
    assert [type(event) for event in world.handle()] == [TaskCompleted]
    assert len(world.program.runs) == 1


def test_a_slot_that_cannot_be_kept_leaves_no_lease_behind(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(job: str, generation: int, task: str, *, ttl_s: float) -> None:
        raise Unavailable("the state store is away")

    monkeypatch.setattr(world.state, "keep_slot", away)
    assert world.handle() == [COMPLETED]
    assert not world.state.held(LEASE)


def test_a_lease_that_went_to_somebody_else_calls_the_encode_off(world: World) -> None:
    def stall(see: Callable[[Mapping[str, str]], bool]) -> None:
        world.clock.advance(31)
        world.state.acquire(LEASE, "worker-2/1", ttl_s=30)
        assert not see({})

    world.program.meanwhile = stall
    assert world.handle() == []
    assert world.state.held(LEASE)
    world.state.release_all("")


def test_a_lease_is_renewed_while_the_encode_runs(world: World) -> None:
    def work(see: Callable[[Mapping[str, str]], bool]) -> None:
        for _ in range(20):
            world.clock.advance(10)
            assert see({})
            assert world.state.held(LEASE)

    world.program.meanwhile = work
    assert world.handle() == [COMPLETED]


def test_a_slot_is_not_lost_while_the_encode_runs_however_long(world: World) -> None:
    task = Waiting(job=JOB, generation=1, task="v0000", tenant="a", accelerator="cpu", order=0)
    world.state.enqueue([task])
    world.state.admit("cpu", cause="start", limit=1, ttl_s=15)

    def work(see: Callable[[Mapping[str, str]], bool]) -> None:
        for _ in range(20):
            world.clock.advance(10)
            assert see({})
            assert world.state.admit("cpu", cause="another", limit=1, ttl_s=15) == []

    world.program.meanwhile = work
    assert world.handle() == [COMPLETED]


def test_a_state_store_that_forgot_everything_stops_nothing(world: World) -> None:
    def flush(see: Callable[[Mapping[str, str]], bool]) -> None:
        world.state.flush()
        world.clock.advance(10)
        assert see({})

    world.program.meanwhile = flush
    assert world.handle() == [COMPLETED]


def test_progress_is_told_in_frames(world: World) -> None:
    seen: list[Mapping[str, int]] = []

    def work(see: Callable[[Mapping[str, str]], bool]) -> None:
        for frame in ("N/A", "7", "12"):
            world.clock.advance(1)
            see({"frame": frame})
            seen.append(world.state.progress(JOB))

    world.program.meanwhile = work
    world.handle()
    assert seen == [{}, {"v0000": 7}, {"v0000": 12}]


def test_attempts_that_race_leave_one_receipt(world: World) -> None:
    def race(see: Callable[[Mapping[str, str]], bool]) -> None:
        world.program.meanwhile = None
        world.state.release_all("")
        other = replace(world.encoder, settings=replace(world.encoder.settings, worker="worker-2"))
        assert list(other.task_ready(planned.ready("v0000"))) == [COMPLETED]

    world.program.meanwhile = race
    assert world.handle() == [COMPLETED]
    assert world.receipt().worker == "worker-2"
