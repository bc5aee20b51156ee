"""The encoder's flow around an encode: what is done, told, dropped and never done twice."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from eventing.contract import Event, TaskFailed
from eventing.errors import Rejected, Unavailable
from functions.jobs import layout, record
from functions.jobs.plan import Fingerprint, Plan
from tests import planned
from tests.fakes import MemoryStore
from tests.planned import JOB
from tests.unit.encoder.world import COMPLETED, LEASE, RENDITION, World, cancel


def test_a_task_becomes_segments_and_a_receipt(world: World) -> None:
    assert world.handle() == [COMPLETED]
    receipt = world.receipt()
    (track,) = receipt.tracks
    assert (receipt.worker, receipt.cpu_ms) == ("worker-1", 1500)
    assert 0 < receipt.source_bytes_read <= len(world.store.get("uploads/acme/film"))
    assert (track.rendition, track.timescale, track.frames) == ("72p", 90000, 25)
    assert track.codecs.startswith("avc1.42c0")
    (segment,) = track.segments
    for stored in (track.init, segment.stored):
        info = world.store.head(stored.key)
        assert info is not None and info.size_bytes == stored.size_bytes
    joined = world.store.get(track.init.key) + world.store.get(segment.stored.key)
    assert joined == world.program.output


def test_a_task_with_a_receipt_is_told_of_and_not_done_again(world: World) -> None:
    world.handle()
    assert world.handle() == [COMPLETED]
    assert len(world.program.runs) == 1


def test_a_job_with_a_verdict_wants_nothing(world: World) -> None:
    cancel(world)
    assert world.handle() == []
    assert world.program.runs == []


def test_what_an_attempt_left_of_a_cancelled_job_is_removed(world: World) -> None:
    world.store.put(layout.media(JOB, "72p/00000-ab.m4s"), b"by an attempt that was killed")
    cancel(world)
    assert world.handle() == []
    assert not list(world.store.list(layout.media(JOB, "")))


@pytest.mark.parametrize("moved_on", [False, True])
def test_who_is_second_removes_what_no_receipt_names_but_nothing_of_a_later_generation(
    world: World, moved_on: bool
) -> None:
    world.handle()
    receipt = layout.receipt(JOB, 1, "v0000")
    first = world.store.get(receipt)
    world.store.delete(receipt)
    other = layout.media_segment(JOB, "72p", 0, "ab" * 32)

    def overtaken(see: Callable[[Mapping[str, str]], bool]) -> None:
        world.store.create(receipt, first)
        world.store.put(other, b"what nobody here wrote")
        if moved_on:
            plan = record.load(world.store.get(layout.plan(JOB, 1)), Plan)
            record.create(world.store, layout.plan(JOB, 2), replace(plan, generation=2, tasks=()))

    world.program.meanwhile = overtaken
    assert world.handle() == [COMPLETED]
    assert (world.store.head(other) is not None) == moved_on
    (track,) = world.receipt().tracks
    assert world.store.head(track.segments[0].stored.key) is not None


def test_a_task_that_somebody_works_on_is_dropped(world: World) -> None:
    world.state.acquire(LEASE, "worker-2/1", ttl_s=30)
    assert world.handle() == []
    assert world.program.runs == []
    world.clock.advance(31)
    assert world.handle() == [COMPLETED]


def test_the_same_worker_does_not_do_one_task_twice_at_once(world: World) -> None:
    inner: list[Event] = []

    def again(see: Callable[[Mapping[str, str]], bool]) -> None:
        world.program.meanwhile = None
        inner.extend(world.encoder.task_ready(planned.ready("v0000")))

    world.program.meanwhile = again
    assert world.handle() == [COMPLETED]
    assert inner == []


def test_another_build_of_the_encoder_is_unavailable(world: World) -> None:
    other = replace(world.encoder, fingerprint=lambda: Fingerprint(version="n1", sha256="0" * 64))
    with pytest.raises(Unavailable):
        list(other.task_ready(planned.ready("v0000")))


def test_a_plan_that_is_not_there_is_unavailable(world: World) -> None:
    with pytest.raises(Unavailable):
        list(world.encoder.task_ready(planned.ready("v0000", generation=2)))


def test_a_task_that_the_plan_does_not_have_is_rejected(world: World) -> None:
    with pytest.raises(Rejected):
        world.handle("v0099")


def test_a_task_for_a_gpu_fails_where_there_is_none(clip: Path, world: World) -> None:
    store = MemoryStore()
    planned.plan(store, clip, renditions=[RENDITION], accelerator="gpu")
    (event,) = replace(world.encoder, store=store).task_ready(planned.ready("v0000"))
    assert isinstance(event, TaskFailed)
    assert (event.code, event.final) == ("accelerator", False)
    assert world.program.runs == []
