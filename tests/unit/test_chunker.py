from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import pytest

from eventing.contract import Event, JobAccepted, JobRejected, SourcePrepared, TaskReady
from eventing.errors import Rejected, Unavailable
from functions.chunker.handler import Chunker
from functions.chunker.settings import Settings
from functions.jobs import ending, layout, leases, record
from functions.jobs.admission import Window
from functions.jobs.manifest import Manifest, SourceObject
from functions.jobs.plan import Fingerprint, Plan
from functions.jobs.profile import Options, Profile, Rung, VideoProfile
from functions.jobs.receipt import Receipt
from functions.jobs.refusal import refuse
from functions.media.source import guard
from functions.planning.survey import Survey
from functions.ports import Absent
from tests.fakes import ManualClock, MemoryState, MemoryStore
from tests.films import FILM, SOURCE, UNINDEXED

JOB = "0123456789abcdef0123456789abcdef"
ACCEPTED = JobAccepted(job=JOB, tenant="acme")
PREPARED = SourcePrepared(job=JOB, generation=1)


@dataclass
class Surveys:
    """What looking at a source finds; counts how often somebody looked."""

    found: Survey = FILM
    remuxed: Survey | None = None
    refusal: Rejected | None = None
    meanwhile: Callable[[], None] = lambda: None
    looks: int = 0
    beats: list[None] = field(default_factory=list)

    def original(self, source: SourceObject, beat: Callable[[], None]) -> Survey:
        return self._look(self.found, beat)

    def mezzanine(self, original: SourceObject, beat: Callable[[], None]) -> Survey:
        if self.remuxed is None:
            raise Absent("mezzanine")
        return self._look(self.remuxed, beat)

    def _look(self, survey: Survey, beat: Callable[[], None]) -> Survey:
        self.looks += 1
        beat()
        self.meanwhile()
        if self.refusal:
            raise self.refusal
        return survey


class World:
    """One accepted job, and chunkers that may work on it."""

    def __init__(self, surveys: Surveys | None = None) -> None:
        self.clock = ManualClock()
        self.store = MemoryStore(clock=self.clock)
        self.state = MemoryState(clock=self.clock)
        self.surveys = surveys or Surveys()
        self.store.create(layout.open_marker(JOB), b"")
        manifest = Manifest(
            job=JOB,
            tenant="acme",
            source=SOURCE,
            options=Options(chunk_segments=1),
            profile=Profile(
                name="test",
                video=VideoProfile(ladder=(Rung(height=240, maxrate_kbps=400, bufsize_kbps=800),)),
            ),
            accepted_s=self.clock(),
        )
        self.store.create(layout.manifest(JOB), record.dump(manifest))

    def chunker(self, holder: str = "one", workers: int = 2) -> Chunker:
        return Chunker(
            store=self.store,
            state=self.state,
            clock=self.clock,
            surveys=self.surveys,
            encoder=lambda: Fingerprint(version="9", sha256="0" * 64),
            window=Window(limit=4),
            workers=workers,
            gpu_workers=0,
            holder=holder,
            bounds=guard.Bounds(),
        )

    def accept(self) -> list[Event]:
        return list(self.chunker().job_accepted(ACCEPTED))

    def plan(self, generation: int = 1) -> Plan:
        return record.load(self.store.get(layout.plan(JOB, generation)), Plan)


def tasks(events: list[Event]) -> list[str]:
    return [event.task for event in events if isinstance(event, TaskReady)]


def test_an_accepted_job_gets_a_plan_and_as_many_tasks_as_may_run() -> None:
    world = World()
    events = world.accept()
    assert tasks(events) == ["v0000", "v0001", "v0002", "v0003"]
    assert len(world.plan().tasks) == 10
    assert not world.state.held(leases.planning(JOB))


def test_the_same_event_again_tells_of_the_same_tasks_and_looks_at_nothing() -> None:
    world = World()
    assert world.accept() == world.accept()
    assert world.surveys.looks == 1


def test_a_chunker_that_died_after_any_step_is_repeated_to_the_same_end() -> None:
    world = World()
    for steps in range(4):
        started = world.chunker().job_accepted(ACCEPTED)
        for _ in range(steps):
            next(started)
        started.close()  # type: ignore[attr-defined]
    world.state.flush()
    assert tasks(world.accept()) == ["v0000", "v0001", "v0002", "v0003"]


def test_who_loses_the_race_goes_on_with_the_plan_that_won() -> None:
    world = World()
    other = world.chunker("other", workers=9)
    world.surveys.meanwhile = lambda: _win(world, other)
    events = world.accept()
    assert world.plan().notes == ("the winner's",)
    assert tasks(events) == [task.id for task in world.plan().tasks[:4]]


def _win(world: World, other: Chunker) -> None:
    world.surveys.meanwhile = lambda: None
    world.state.flush()
    list(other.job_accepted(ACCEPTED))
    key = layout.plan(JOB, 1)
    world.store.put(key, record.dump(replace(world.plan(), notes=("the winner's",))))


def test_a_duplicate_under_a_live_lease_is_dropped() -> None:
    world = World()
    assert world.state.acquire(leases.planning(JOB), "other", ttl_s=30)
    assert world.accept() == []
    world.clock.advance(31)
    assert tasks(world.accept())


def test_tasks_with_a_receipt_are_not_asked_for_again() -> None:
    world = World()
    world.accept()
    receipt = Receipt(
        job=JOB, generation=1, task="v0000", tracks=(), worker="w", started_s=0, finished_s=1,
        cpu_ms=1, source_bytes_read=1,
    )  # fmt: skip
    world.store.create(layout.receipt(JOB, 1, "v0000"), record.dump(receipt))
    world.state.flush()
    assert tasks(world.accept()) == ["v0001", "v0002", "v0003", "v0004"]


def test_a_source_that_is_refused_ends_the_job_with_its_reason() -> None:
    world = World(Surveys(refusal=refuse("source_encrypted")))
    (event,) = world.accept()
    assert isinstance(event, JobRejected)
    assert event.code == "source_encrypted"
    assert world.accept() == [event]
    assert world.surveys.looks == 1
    assert not world.state.held(leases.planning(JOB))


def test_a_verdict_absorbs() -> None:
    world = World()
    verdict = ending.decide(
        world.store, job=JOB, tenant="acme", state="cancelled", code="cancelled", reason="x",
        now_s=0.0,
    )  # fmt: skip
    assert [type(event).__name__ for event in world.accept()] == ["JobCancelled"]
    world.store.delete(layout.open_marker(verdict.job))
    assert world.accept() == []
    assert world.surveys.looks == 0


def test_a_verdict_that_comes_while_planning_leaves_no_task_waiting() -> None:
    world = World()

    def cancel() -> None:
        ending.decide(
            world.store, job=JOB, tenant="acme", state="cancelled", code="cancelled", reason="x",
            now_s=0.0,
        )  # fmt: skip

    world.surveys.meanwhile = cancel
    assert [type(event).__name__ for event in world.accept()] == ["JobCancelled"]
    assert world.state.admit("cpu", cause="x", limit=9, ttl_s=9) == []


def test_a_source_without_an_index_is_prepared_and_then_planned_from_its_mezzanine() -> None:
    mezzanine = replace(SOURCE, bucket="work", key="sources/x/mezzanine")
    world = World(Surveys(found=UNINDEXED, remuxed=replace(FILM, source=mezzanine)))
    assert tasks(world.accept()) == ["m1"]
    assert world.plan(1).kind == "prepare"
    world.state.complete(JOB, 1, "m1", total=1)
    events = list(world.chunker().source_prepared(PREPARED))
    assert tasks(events) == ["v0000", "v0001", "v0002", "v0003"]
    assert {event.generation for event in events if isinstance(event, TaskReady)} == {2}
    assert world.plan(2).source == mezzanine


def test_a_mezzanine_that_is_not_there_yet_is_waited_for() -> None:
    world = World(Surveys(found=UNINDEXED))
    world.accept()
    with pytest.raises(Unavailable):
        list(world.chunker().source_prepared(PREPARED))
    assert not world.state.held(leases.planning(JOB))


def test_a_job_without_a_manifest_is_waited_for() -> None:
    world = World()
    world.store.delete(layout.manifest(JOB))
    with pytest.raises(Unavailable):
        world.accept()


def test_settings_come_from_the_environment() -> None:
    settings = Settings.read(
        {"KINORA_STORE": "/s", "KINORA_STATE": "/t", "KINORA_SCRATCH": "/x", "KINORA_ENCODERS": "3"}
    )
    assert (settings.encoders, settings.window.limit) == (3, 5)
    assert str(settings.scratch) == "/x/kinora-chunker"
    assert settings.bounds == guard.Bounds()
    with pytest.raises(ValueError, match="KINORA_STORE"):
        Settings.read({})
    with pytest.raises(ValueError, match="KINORA_MAX_PIXELS"):
        Settings.read({"KINORA_STORE": "s", "KINORA_STATE": "t", "KINORA_MAX_PIXELS": "-1"})
