"""Uploads that nobody told of are found by the sweep, bucket after bucket."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from eventing.contract import ObjectCreated
from functions.jobs import layout
from functions.ports import Clock, ObjectInfo
from functions.sweeper.handler import Limits
from tests.fakes import MemoryStore
from tests.flow.stage import Stage
from tests.sweeps import bare, sweep


def test_an_upload_that_nobody_told_of_is_told_of_once_it_has_settled() -> None:
    stage = bare(Stage())
    stage.store.put("uploads/t1/a.mp4", b"abc")
    assert sweep(stage) == []
    stage.clock.advance(121)
    (told,) = sweep(stage)
    info = stage.store.head("uploads/t1/a.mp4")
    assert info is not None
    assert told == ObjectCreated(bucket="uploads", key="t1/a.mp4", etag=info.etag, size_bytes=3)


@pytest.mark.parametrize("name", ["a.mp4.json", ".a.mp4", "a.mp4.part"])
def test_what_is_no_source_is_not_told_of(name: str) -> None:
    stage = bare(Stage())
    stage.store.put(f"uploads/t1/{name}", b"abc")
    stage.clock.advance(121)
    assert sweep(stage) == []


def test_an_upload_that_has_a_job_is_known_for_ever() -> None:
    stage = Stage()
    stage.clock.advance(10_000)
    stage.store.delete(layout.open_marker(stage.job))
    assert [each for each in sweep(stage) if isinstance(each, ObjectCreated)] == []


def test_many_uploads_are_looked_at_in_turn_and_new_ones_first() -> None:
    stage = bare(Stage())
    for number in range(12):
        stage.store.put(f"uploads/t1/old-{number:02}.mp4", b"abc")
    stage.clock.advance(4000)
    stage.store.put("uploads/t1/new.mp4", b"abc")
    stage.clock.advance(121)
    seen: set[str] = set()
    for number in range(40):
        told = sweep(stage, tick=f"tick-{number}", limits=Limits(uploads=3))
        keys = [each.key for each in told if isinstance(each, ObjectCreated)]
        assert keys[0] == "t1/new.mp4"
        assert len(keys) == 4
        seen |= {*keys}
    assert len(seen) == 13


def looked_through(stage: Stage, *, tick: str, listed: int) -> set[str]:
    """The keys of what a tick tells of, which comes to nothing."""
    told = sweep(stage, tick=tick, limits=Limits(listed=listed, uploads=100))
    return {each.key for each in told if isinstance(each, ObjectCreated)}


def test_a_large_bucket_is_looked_through_in_turns_that_are_bounded() -> None:
    stage = bare(Stage())
    names = {f"t1/film-{number:02}.mp4" for number in range(25)}
    for name in names:
        stage.store.put(f"uploads/{name}", b"abc")
    stage.clock.advance(121)
    seen = [looked_through(stage, tick=f"tick-{number}", listed=10) for number in range(6)]
    assert [len(each) for each in seen] == [10] * 6
    assert seen[0] | seen[1] | seen[2] == names
    assert seen[3] | seen[4] | seen[5] == names
    # A bucket that has become small is seen whole again, and nothing is kept of where one was.
    for number in range(20):
        stage.store.delete(f"uploads/t1/film-{number:02}.mp4")
    assert len(looked_through(stage, tick="tick-6", listed=10)) == 5
    assert stage.store.head(layout.sweep("uploads")) is None


def test_a_bucket_of_exactly_one_share_is_seen_whole_on_every_tick() -> None:
    stage = bare(Stage())
    for number in range(10):
        stage.store.put(f"uploads/t1/film-{number:02}.mp4", b"abc")
    stage.clock.advance(121)
    for number in range(3):
        assert len(looked_through(stage, tick=f"tick-{number}", listed=10)) == 10


def test_a_place_that_cannot_be_read_is_forgotten() -> None:
    stage = bare(Stage())
    stage.store.put("uploads/t1/film.mp4", b"abc")
    stage.store.put(layout.sweep("uploads"), b"{")
    stage.clock.advance(121)
    assert looked_through(stage, tick="tick-1", listed=10) == {"t1/film.mp4"}


class Versions(MemoryStore):
    """Keeps versions, which a listing does not show, and counts what is asked for."""

    def __init__(self, *, clock: Clock) -> None:
        super().__init__(clock=clock)
        self.asked: list[str] = []

    def head(self, key: str) -> ObjectInfo | None:
        self.asked.append(key)
        found = super().head(key)
        if found is None or not key.startswith("uploads/"):
            return found
        return replace(found, version=f"v-{found.etag}")


def test_an_object_with_a_version_is_told_of_by_it_and_known_by_it() -> None:
    stage = bare(Stage())
    stage.store = store = Versions(clock=stage.clock)
    names = [f"t1/film-{number}.mp4" for number in range(5)]
    for name in names:
        store.put(f"uploads/{name}", b"abc")
    stage.clock.advance(121)
    told = [each for each in sweep(stage) if isinstance(each, ObjectCreated)]
    assert [each.key for each in told] == names
    assert [each.version for each in told] == [f"v-{each.etag}" for each in told]
    for each in told:
        store.put(layout.manifest(each.job), b"{}")
    store.asked.clear()
    assert sweep(stage) == []
    # The first shows that there are versions; of the others only these are asked for.
    assert len(store.asked) == 2 + 2 * len(names)


def test_a_name_that_nothing_can_be_called_is_told_of_so_that_it_is_refused() -> None:
    class Listed(MemoryStore):
        """Lists a key that nothing can be asked for by, as S3 may."""

        def list(self, prefix: str, *, after: str = "") -> Iterator[ObjectInfo]:
            yield from super().list(prefix, after=after)
            if prefix == "uploads/":
                yield ObjectInfo(key="uploads/t1/../a.mp4", size_bytes=3, etag="1")

    stage = bare(Stage())
    stage.store = Listed(clock=stage.clock)
    assert sweep(stage) == [
        ObjectCreated(bucket="uploads", key="t1/../a.mp4", etag="1", size_bytes=3)
    ]
