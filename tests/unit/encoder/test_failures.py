"""What an encoder says of an attempt that fails, and of one that was ended."""

from __future__ import annotations

import signal
from collections.abc import Callable, Mapping

import pytest

from eventing.contract import TaskFailed
from eventing.errors import Unavailable
from functions.jobs import layout, record
from functions.jobs.receipt import Failure
from tests.planned import JOB
from tests.unit.encoder.world import COMPLETED, LEASE, World


def test_a_removed_source_is_final(world: World) -> None:
    world.store.delete("uploads/acme/film")
    (event,) = world.handle()
    assert isinstance(event, TaskFailed)
    assert (event.code, event.attempt, event.final) == ("source_gone", 1, True)


def test_a_replaced_source_is_final(world: World) -> None:
    world.store.put("uploads/acme/film", b"other" * 10_000)
    (event,) = world.handle()
    assert isinstance(event, TaskFailed)
    assert (event.code, event.final) == ("source_gone", True)


def test_failures_are_numbered_and_on_record(world: World) -> None:
    world.program.returncode = -signal.SIGSEGV
    world.program.stderr = "something broke"
    for attempt in (1, 2):
        (event,) = world.handle()
        assert isinstance(event, TaskFailed)
        assert (event.code, event.attempt, event.final) == ("encoder_crashed", attempt, False)
        assert f"crashed on this file {attempt} times" in event.reason
    assert [(each.attempt, each.detail) for each in world.failures()] == [
        (1, "something broke"),
        (2, "something broke"),
    ]


def test_a_number_that_somebody_else_took_meanwhile_is_not_used_again(world: World) -> None:
    world.program.returncode = -signal.SIGSEGV

    def other(see: Callable[[Mapping[str, str]], bool]) -> None:
        world.program.meanwhile = None
        failure = Failure(
            job=JOB, generation=1, task="v0000", attempt=1, code="decode_failed", reason="",
            final=False, worker="worker-2", failed_s=0.0,
        )  # fmt: skip
        world.store.create(layout.failure(JOB, 1, "v0000", 1), record.dump(failure))

    world.program.meanwhile = other
    (event,) = world.handle()
    assert isinstance(event, TaskFailed)
    assert event.attempt == 2


def test_a_final_failure_is_told_of_again_without_another_attempt(world: World) -> None:
    world.store.delete("uploads/acme/film")
    first = world.handle()
    assert world.handle() == first
    assert world.program.runs == []


@pytest.mark.parametrize("returncode", [-signal.SIGKILL, -signal.SIGTERM, 255, 228])
def test_an_end_from_outside_leaves_no_record(world: World, returncode: int) -> None:
    world.program.returncode = returncode
    with pytest.raises(Unavailable):
        world.handle()
    assert world.failures() == []
    assert not world.state.held(LEASE)
    assert list(world.scratch.iterdir()) == []


@pytest.mark.parametrize("output", [b"", b"\0" * 100])
def test_exit_code_0_without_the_output_is_a_failure(world: World, output: bytes) -> None:
    world.program.output = output
    (event,) = world.handle()
    assert isinstance(event, TaskFailed)
    assert event.code == ("output_invalid" if output else "frames_missing")
    assert [info.key for info in world.store.list(f"media/{JOB}/")] == []


def test_wrong_frames_are_tried_once_more_from_the_whole_source(world: World) -> None:
    good = world.program.output
    world.program.output = b""

    def mend(see: Callable[[Mapping[str, str]], bool]) -> None:
        if len(world.program.runs) == 2:
            world.program.output = good

    world.program.meanwhile = mend
    assert world.handle() == [COMPLETED]
    assert len(world.program.runs) == 2
    source = world.store.head("uploads/acme/film")
    assert source is not None
    assert world.receipt().source_bytes_read > source.size_bytes
    assert world.receipt().cpu_ms == 3000
