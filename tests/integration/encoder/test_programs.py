"""An ffmpeg that is killed, stands still or misbehaves is ended and told of, and leaves nothing."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from eventing.contract import Event, TaskCompleted, TaskFailed
from eventing.errors import Unavailable
from functions.jobs import layout, record
from functions.jobs.receipt import Failure, Receipt
from tests import planned
from tests.clips import ffmpeg, make_clip
from tests.integration.encoder.world import RENDITIONS, World, started_in, wrapped
from tests.planned import JOB


@pytest.fixture
def slow(world: World, tmp_path: Path) -> Iterator[World]:
    """One chunk that takes many seconds to encode."""
    source = tmp_path / "slow.mp4"
    ffmpeg(
        *("-f", "lavfi", "-i", "testsrc2=s=1280x720:r=25:d=20", "-c:v", "libx264"),
        *("-preset", "ultrafast", "-pix_fmt", "yuv420p", str(source)),
    )
    rendition = planned.rendition("720p", 1280, 720, preset="veryslow")
    planned.plan(world.store, source, renditions=[rendition], chunk_segments=99)
    yield world
    for left in started_in(world.scratch):
        left.kill()


def test_an_ffmpeg_that_is_killed_is_no_failure_and_leaves_nothing(slow: World) -> None:
    raised: list[BaseException] = []

    def work() -> None:
        try:
            slow.handle("v0000")
        except BaseException as error:
            raised.append(error)

    worker = threading.Thread(target=work)
    worker.start()
    try:
        deadline_s = time.monotonic() + 60
        while not any(slow.scratch.glob("*/work/0.mp4")) and time.monotonic() < deadline_s:
            time.sleep(0.02)
        running = started_in(slow.scratch)
        assert len(running) == 1
        running[0].kill()
    finally:
        worker.join(timeout=60)
    assert [type(error) for error in raised] == [Unavailable]
    assert list(slow.store.list(f"work/jobs/{JOB}/failures/")) == []
    assert list(slow.store.list(f"media/{JOB}/")) == []
    assert list(slow.scratch.iterdir()) == []
    assert slow.state.acquire(f"task:{JOB}/1/v0000", "somebody", ttl_s=1)


@pytest.mark.parametrize(
    ("script", "settings", "code"),
    [
        ("sleep 1000", {"stall_s": 1}, "resource_limit"),
        ("trap '' TERM; while :; do sleep 1000; done", {"wall_s": 1}, "resource_limit"),
        ("exit 0", {}, "frames_missing"),
        (": > 0.mp4", {}, "frames_missing"),
        ('"$FFMPEG" "$@" && truncate -s 1000 0.mp4', {}, "output_invalid"),
        ('"$FFMPEG" "$@" && truncate -s -1 0.mp4', {}, "output_invalid"),
        ("kill -SEGV $$", {}, "encoder_crashed"),
        ("setsid sleep 1000 & sleep 1000 & kill -ABRT $$", {}, "encoder_crashed"),
        ("echo odd >&2; exit 1", {}, "decode_failed"),
        ("exec cat /dev/zero > 0.mp4", {}, "resource_limit"),
    ],
)
def test_a_program_that_misbehaves_is_ended_and_told_of(
    script: str, settings: dict[str, float], code: str, world: World, tmp_path: Path
) -> None:
    source = make_clip("closed.mp4", tmp_path, seconds=1)
    planned.plan(world.store, source, renditions=RENDITIONS[1:])
    event = wrapped(world, tmp_path, script, **settings).handle("v0000")
    assert isinstance(event, TaskFailed)
    assert (event.code, event.attempt) == (code, 1)
    failure = record.load(world.store.get(layout.failure(JOB, 1, "v0000", 1)), Failure)
    assert (failure.code, failure.reason) == (code, event.reason)
    assert list(world.store.list(f"media/{JOB}/")) == []


def test_an_ffmpeg_that_stands_still_is_overtaken_by_a_second_attempt(
    world: World, tmp_path: Path
) -> None:
    """The first one notices, ends what stands still, and leaves nothing."""
    source = make_clip("closed.mp4", tmp_path, seconds=1)
    planned.plan(world.store, source, renditions=RENDITIONS[1:])
    stuck = wrapped(world, tmp_path, 'kill -STOP $$; exec "$FFMPEG" "$@"')
    told: list[Event] = []
    first = threading.Thread(target=lambda: told.append(stuck.handle("v0000")))
    first.start()
    try:
        deadline_s = time.monotonic() + 60
        while not _stopped_in(world.scratch) and time.monotonic() < deadline_s:
            time.sleep(0.02)
        copy = replace(planned.ready("v0000"), copy=1)
        settings = replace(world.encoder.settings, worker="worker-2")
        (event,) = replace(world.encoder, settings=settings).task_ready(copy)
    finally:
        first.join(timeout=60)
        for left in started_in(world.scratch):
            left.kill()
    assert told == [event]
    receipt = record.load(world.store.get(layout.receipt(JOB, 1, "v0000")), Receipt)
    assert receipt.worker == "worker-2"
    named = {each.stored.key for track in receipt.tracks for each in track.segments}
    named |= {track.init.key for track in receipt.tracks}
    assert {info.key for info in world.store.list(f"media/{JOB}/")} == named
    assert world.state.acquire(f"task:{JOB}/1/v0000", "somebody", ttl_s=1)


def _stopped_in(folder: Path) -> bool:
    return any(each.status() == psutil.STATUS_STOPPED for each in started_in(folder))


def test_a_daemon_that_it_leaves_behind_is_ended(world: World, tmp_path: Path) -> None:
    source = make_clip("closed.mp4", tmp_path, seconds=1)
    planned.plan(world.store, source, renditions=RENDITIONS[1:])
    script = 'setsid sleep 1000 & (sleep 1000 &) ; exec "$FFMPEG" "$@"'
    assert isinstance(wrapped(world, tmp_path, script).handle("v0000"), TaskCompleted)


@pytest.mark.parametrize("script", ["kill -KILL $$", "kill -TERM $$", "exit 127"])
def test_a_program_that_is_ended_from_outside_is_unavailable(
    script: str, world: World, tmp_path: Path
) -> None:
    source = make_clip("closed.mp4", tmp_path, seconds=1)
    planned.plan(world.store, source, renditions=RENDITIONS[1:])
    with pytest.raises(Unavailable):
        wrapped(world, tmp_path, script).handle("v0000")
    assert list(world.store.list(f"work/jobs/{JOB}/failures/")) == []
