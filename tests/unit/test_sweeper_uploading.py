"""Uploads that nobody goes on with: completed, dropped, or left alone while there is time."""

from __future__ import annotations

from dataclasses import replace

import pytest

from functions.jobs import layout, leases
from functions.jobs.intake import Intake
from functions.jobs.uploading import Tail, Uploading
from functions.sweeper.uploading import IDLE_S, Begun
from tests.fakes import ManualClock, MemoryState, MemoryStore, MemoryUploads

DAY_S = 86400.0
UPLOAD = "0" * 31


class Site:
    def __init__(self) -> None:
        self.clock = ManualClock()
        self.store = MemoryStore(clock=self.clock)
        self.state = MemoryState(clock=self.clock)
        self.uploads = MemoryUploads(self.store)
        self.intake = Intake(self.store, self.uploads)

    def begin(self, number: int = 0, **changes: object) -> Uploading:
        asked = Uploading(
            id=f"{UPLOAD}{number}",
            tenant="acme",
            method="tus",
            key=f"uploads/acme/{UPLOAD}{number}/film.mp4",
            size_bytes=8,
            part_bytes=5,
            options={"profile": "fast"},
            created_s=self.clock(),
            expires_s=self.clock() + DAY_S,
        )
        return self.intake.begin(replace(asked, **changes)).uploading  # type: ignore[arg-type]

    def write(self, uploading: Uploading, *bodies: bytes) -> None:
        at = 0
        for number, body in enumerate(bodies, start=1):
            self.uploads.write(uploading.key, uploading.upload, number, body, offset_bytes=at)
            at += len(body)

    def sweep(self, *, limit: int = 100, seed: str = "tick") -> list[str]:
        """Keys of the objects that were told of."""
        look = Begun(
            intake=self.intake, state=self.state, now_s=self.clock(), limit=limit, seed=seed
        )
        return [event.key for event in look.ended()]

    def left(self) -> list[str]:
        return [info.key for info in self.store.list("")]


def test_an_upload_that_has_all_its_bytes_is_completed() -> None:
    site = Site()
    begun = site.begin()
    site.write(begun, b"01234", b"567")
    assert site.sweep() == []
    site.clock.advance(IDLE_S + 1)
    assert site.sweep() == [begun.key.removeprefix("uploads/")]
    assert site.store.get(begun.key) == b"01234567"
    assert site.left() == [begun.key, f"{begun.key}.json"]
    assert site.sweep() == []


def test_an_object_that_was_not_told_of_is_told_of() -> None:
    for method in ("post", "multipart", "direct", "tus"):
        site = Site()
        begun = site.begin(method=method)
        site.store.put(begun.key, b"01234567")
        site.clock.advance(IDLE_S + 1)
        assert site.sweep() == [begun.key.removeprefix("uploads/")]
        assert site.left() == [begun.key, f"{begun.key}.json"]


def test_what_is_not_told_of_stays() -> None:
    site = Site()
    begun = site.begin()
    site.write(begun, b"01234", b"567")
    site.clock.advance(IDLE_S + 1)
    look = Begun(intake=site.intake, state=site.state, now_s=site.clock(), limit=9, seed="t")
    next(iter(look.ended()))  # and the broker does not take it
    assert site.sweep() == [begun.key.removeprefix("uploads/")]


@pytest.mark.parametrize("method", ["post", "multipart", "direct", "tus"])
def test_an_upload_whose_time_is_over_leaves_nothing(method: str) -> None:
    site = Site()
    begun = site.begin(method=method)
    if method != "post":
        site.write(begun, b"01234")
    tail = Tail(name="t", at_bytes=5, size_bytes=1)
    site.store.put(layout.tail("acme", begun.id, tail.name), b"5")
    site.clock.advance(DAY_S - 1)
    assert site.sweep() == []
    assert site.store.head(layout.uploading("acme", begun.id)) is not None
    site.clock.advance(1)
    assert site.sweep() == []
    assert site.left() == []
    assert site.uploads.begun() == set()


def test_an_upload_that_somebody_writes_to_is_left_alone() -> None:
    site = Site()
    begun = site.begin()
    site.clock.advance(DAY_S + 1)
    site.state.acquire(leases.uploading(begun.id), "a request", ttl_s=60)
    assert site.sweep() == []
    assert site.uploads.begun() == {begun.key}


def test_parts_that_only_their_client_knows_are_not_completed() -> None:
    site = Site()
    begun = site.begin(method="multipart")
    site.write(begun, b"01234", b"567")
    site.clock.advance(IDLE_S + 1)
    assert site.sweep() == []
    assert site.uploads.begun() == {begun.key}


def test_a_tick_looks_at_a_bounded_share_and_all_ticks_at_everything() -> None:
    site = Site()
    for number in range(9):
        site.begin(number)
    site.clock.advance(DAY_S + 1)
    before = len(site.uploads.begun())
    for tick in range(40):
        site.sweep(limit=2, seed=str(tick))
        assert before - len(site.uploads.begun()) <= 2
        before = len(site.uploads.begun())
    assert site.left() == []


def test_a_record_that_cannot_be_read_does_not_keep_others_waiting() -> None:
    site = Site()
    site.store.put(layout.uploading("acme", "broken"), b"{")
    begun = site.begin()
    site.clock.advance(DAY_S + 1)
    assert site.sweep() == []
    assert begun.key not in site.uploads.begun()


def test_tails_that_nobody_remembers_go() -> None:
    site = Site()
    begun = site.begin(expires_s=site.clock() + 30 * DAY_S)
    site.store.put(layout.tail("acme", begun.id, "a"), b"1")
    site.store.put(layout.tail("acme", "f" * 32, "b"), b"2")
    site.clock.advance(3 * DAY_S)
    site.sweep()
    tails = [key for key in site.left() if key.startswith(layout.TAILS_PREFIX)]
    assert tails == [layout.tail("acme", begun.id, "a")]
