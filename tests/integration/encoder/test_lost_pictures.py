"""Pictures that cannot be decoded: a few stand still and are counted, too many are refused."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from eventing.contract import TaskCompleted, TaskFailed
from functions.jobs import layout, record
from functions.jobs.receipt import Receipt
from tests import planned
from tests.clips import make_clip
from tests.integration.encoder.world import RENDITIONS, World, wrapped
from tests.planned import JOB


def test_a_source_that_does_not_decode_says_so(world: World, tmp_path: Path) -> None:
    source = make_clip("closed.mp4", tmp_path)
    plan = planned.plan(world.store, source, renditions=RENDITIONS[1:])
    # The same headers, the same size, noise for pictures.
    data = bytearray(source.read_bytes())
    at = data.index(b"mdat") + 4
    size = int.from_bytes(data[at - 8 : at - 4], "big") - 8
    data[at : at + size] = bytes((7 * number * number + 3) % 251 for number in range(size))
    world.store.put("uploads/acme/film", bytes(data))
    info = world.store.head("uploads/acme/film")
    assert info is not None
    changed = replace(plan, source=replace(plan.source, etag=info.etag))
    world.store.put(layout.plan(JOB, 1), record.dump(changed))
    event = world.handle("v0001")
    assert isinstance(event, TaskFailed)
    assert event.code in ("decode_failed", "frames_missing")
    assert "source" not in event.reason.lower().replace("file", "")


def with_a_lost_picture(world: World, tmp_path: Path) -> None:
    """A plan for a source of uneven rate; one picture of its first second is noise."""
    source = make_clip("holes.mp4", tmp_path)
    packet = planned.facts(source, "mov", 1).tables[0].packets[5]
    with source.open("r+b") as file:
        file.seek(packet.position)
        file.write(b"\xff" * packet.size)
    planned.plan(world.store, source, renditions=RENDITIONS)


@pytest.mark.parametrize(
    ("script", "lost"),
    [
        ('exec "$FFMPEG" "$@"', 1),
        # Whatever the second way of reading leads to, what the first one made is good.
        ('[ -e ran ] && { echo odd > 0.mp4; exit 1; }; touch ran; exec "$FFMPEG" "$@"', 1),
        ('[ -e ran ] && sleep 1000; touch ran; exec "$FFMPEG" "$@"', 1),
        # The second way loses nothing; it has no list of what it shows.
        ('"$FFMPEG" "$@"; [ -e ran ] && rm shown; touch ran', 0),
    ],
)
def test_a_picture_that_is_lost_stands_still_and_is_counted(
    script: str, lost: int, world: World, tmp_path: Path
) -> None:
    with_a_lost_picture(world, tmp_path)
    assert isinstance(wrapped(world, tmp_path, script, stall_s=2).handle("v0000"), TaskCompleted)
    receipt = record.load(world.store.get(layout.receipt(JOB, 1, "v0000")), Receipt)
    assert receipt.lost == lost
    assert [track.frames for track in receipt.tracks] == [30, 30]


def test_a_chunk_of_uneven_rate_that_lacks_most_pictures_is_refused(
    world: World, tmp_path: Path
) -> None:
    """Whatever the program says; it repeats the first one as often as there should be others."""
    planned.plan(world.store, make_clip("holes.mp4", tmp_path), renditions=RENDITIONS)
    repeated = wrapped(world, tmp_path, '"$FFMPEG" "$@" && sed -i "s/.*/0/" shown')
    event = repeated.handle("v0000")
    assert isinstance(event, TaskFailed)
    assert (event.code, event.final) == ("frames_missing", True)
    assert event.reason.startswith("1 of ")


def test_a_chunk_of_uneven_rate_whose_pictures_are_all_there_is_read_once(
    world: World, tmp_path: Path
) -> None:
    plan = planned.plan(world.store, make_clip("holes.mp4", tmp_path), renditions=RENDITIONS)
    once = '[ -e ran ] && exit 1; touch ran; exec "$FFMPEG" "$@"'
    for task in plan.tasks:
        assert isinstance(wrapped(world, tmp_path, once).handle(task.id), TaskCompleted)
        receipt = record.load(world.store.get(layout.receipt(JOB, 1, task.id)), Receipt)
        assert receipt.lost == 0
