"""A task that was issued a second time: two attempts, of which the first receipt wins."""

from __future__ import annotations

import signal
from collections.abc import Callable, Mapping
from dataclasses import replace

from eventing.contract import Event
from functions.jobs import layout, leases
from tests import planned
from tests.planned import JOB
from tests.unit.encoder.world import COMPLETED, LEASE, World


def second(world: World) -> list[Event]:
    """The task is issued a second time, while another worker has it."""
    copy = replace(planned.ready("v0000"), copy=1)
    other = replace(world.encoder, settings=replace(world.encoder.settings, worker="worker-2"))
    return list(other.task_ready(copy))


def test_a_second_attempt_works_beside_the_first_and_the_first_stops(world: World) -> None:
    seen: list[bool] = []

    def overtake(see: Callable[[Mapping[str, str]], bool]) -> None:
        world.program.meanwhile = None
        assert second(world) == [COMPLETED]
        world.clock.advance(2)
        seen.append(see({"frame": "3"}))

    world.program.meanwhile = overtake
    assert world.handle() == [COMPLETED]
    assert seen == [False]
    assert world.receipt().worker == "worker-2"
    assert not world.state.holders([LEASE, leases.task(JOB, 1, "v0000", 1)])


def test_a_second_attempt_stops_when_the_first_comes_through(world: World) -> None:
    lease = leases.task(JOB, 1, "v0000", 1)
    world.state.acquire(lease, leases.WANTED, ttl_s=90)

    def come_through(see: Callable[[Mapping[str, str]], bool]) -> None:
        world.program.meanwhile = None
        holder = world.state.holders([lease])[lease]
        assert leases.worker_of(holder) == "worker-2"
        assert list(world.encoder.task_ready(planned.ready("v0000"))) == [COMPLETED]
        world.clock.advance(2)
        assert not see({"frame": "3"})

    world.program.meanwhile = come_through
    assert second(world) == [COMPLETED]
    assert world.receipt().worker == "worker-1"
    assert not world.state.held(lease)


def test_what_the_attempt_wrote_that_was_too_late_is_gone(world: World) -> None:
    late: list[str] = []

    def write(see: Callable[[Mapping[str, str]], bool]) -> None:
        world.program.meanwhile = None
        late.append(layout.media_segment(JOB, "72p", 0, "0" * 64))
        world.store.create(late[0], b"another machine's bytes of the same pictures")
        assert second(world) == [COMPLETED]
        world.clock.advance(2)

    world.program.meanwhile = write
    assert world.handle() == [COMPLETED]
    assert world.store.head(late[0]) is None
    for track in world.receipt().tracks:
        assert all(world.store.head(each.stored.key) for each in track.segments)


def test_a_second_attempt_that_fails_leaves_it_to_the_first(world: World) -> None:
    world.program.returncode = -signal.SIGSEGV
    assert second(world) == []
    assert world.failures() == []
    assert not world.state.held(leases.task(JOB, 1, "v0000", 1))


def test_a_second_attempt_tells_of_no_progress(world: World) -> None:
    def tell(see: Callable[[Mapping[str, str]], bool]) -> None:
        world.clock.advance(1)
        assert see({"frame": "3"})

    world.program.meanwhile = tell
    assert second(world) == [COMPLETED]
    assert world.state.progress(JOB) == {}
