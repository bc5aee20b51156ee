"""What happened to a job is told from its records, and from nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from eventing import contract
from eventing.contract import identity
from eventing.envelope import unwrap, wrap
from functions.jobs import history, layout
from functions.jobs.history import Fact, History
from functions.jobs.manifest import Manifest
from functions.jobs.trail import Trail
from functions.jobs.verdict import Verdict
from tests import trails
from tests.fakes import ManualClock, MemoryStore
from tests.trails import JOB, CountedStore, Record


def told(*records: Record) -> list[Fact]:
    """The facts of records that were written a second apart."""
    clock = ManualClock(trails.ACCEPTED_S)
    store = MemoryStore(clock=clock)
    for each in records:
        trails.put(store, each)
        clock.advance(1)
    return history.read(store, JOB)


def words(facts: Sequence[Fact]) -> list[str]:
    return [
        f"{fact.event.type.removeprefix('dev.kinora.').removesuffix('.v1')}"
        f" {getattr(fact.event, 'task', '')}".strip()
        for fact in facts
    ]


def causes(facts: Sequence[Fact]) -> dict[str, str]:
    """What followed from what, in words."""
    names = dict(zip((fact.id for fact in facts), words(facts), strict=True))
    return {names[fact.id]: names.get(fact.cause, fact.cause) for fact in facts}


def test_a_job_that_went_well_is_told_from_its_acceptance_to_its_verdict() -> None:
    facts = told(*trails.completed())
    assert words(facts) == [
        "job.accepted",
        "task.ready v00000",
        "task.completed v00000",
        "task.completed v00001",
        "task.completed a1",
        "job.encoded",
        "job.completed",
    ]
    assert [fact.time_s - trails.ACCEPTED_S for fact in facts] == [0, 1, 2, 3, 4, 4, 5]
    assert causes(facts) == {
        "job.accepted": "",
        "task.ready v00000": "job.accepted",
        "task.completed v00000": "task.ready v00000",
        "task.completed v00001": "job.accepted",
        "task.completed a1": "job.accepted",
        "job.encoded": "task.completed a1",
        "job.completed": "job.encoded",
    }


def test_a_fact_is_the_event_that_was_published() -> None:
    for fact in told(*trails.completed(), trails.failure("v00001", 1)):
        shown = history.as_json(fact)
        event = wrap(fact.event, producer=fact.producer, time=shown["time"])
        assert (shown["id"], shown["type"], shown["subject"]) == (
            event.id,
            event.type,
            event.subject,
        )
        assert unwrap(event) == fact.event
        assert fact.id == identity(fact.event)


def test_a_dropped_file_begins_with_its_notification() -> None:
    kept = trails.manifest()[1]
    assert isinstance(kept, Manifest)
    source = kept.source
    created = contract.ObjectCreated(
        bucket=source.bucket, key=source.key, etag=source.etag, size_bytes=source.size_bytes
    )
    store = MemoryStore()
    trails.put(store, (layout.manifest(created.job), replace(kept, job=created.job)))
    facts = history.read(store, created.job)
    assert facts[0].event == created
    assert causes(facts) == {"object.created": "", "job.accepted": "object.created"}
    assert [fact.producer for fact in facts] == ["source", "ingest"]


def test_a_file_that_was_refused_was_never_accepted() -> None:
    facts = told(trails.verdict("rejected", code="source_empty"), trails.manifest(profile=None))
    assert words(facts) == ["job.rejected"]
    assert [fact.producer for fact in facts] == ["gateway"]


def test_a_source_that_could_not_be_planned_was_accepted_first() -> None:
    facts = told(trails.manifest(), trails.verdict("rejected", code="no_streams"))
    assert causes(facts) == {"job.accepted": "", "job.rejected": "job.accepted"}


def test_a_job_fails_because_of_the_attempt_that_its_verdict_names() -> None:
    attempts = [trails.failure("v00001", number) for number in (1, 2, 3)]
    reason = "Attempt 3 at v00001 failed."
    facts = told(
        trails.manifest(),
        trails.plan(trails.plan_of(2)),
        *attempts,
        trails.verdict("failed", code="decode_failed", reason=reason),
    )
    assert words(facts)[-4:] == [*["task.failed v00001"] * 3, "job.failed"]
    assert facts[-1].cause == facts[-2].id
    assert facts[-1].producer == "assembler"
    failed = facts[-2].event
    assert isinstance(failed, contract.TaskFailed)
    assert (failed.attempt, failed.reason) == (3, reason)


def test_a_job_that_ran_out_of_time_says_who_ended_it_and_anybody_may_have_called_one_off() -> None:
    late = told(trails.manifest(), trails.verdict("failed", code="deadline"))
    assert (late[-1].producer, late[-1].cause) == ("sweeper", "")
    called_off = told(trails.manifest(), trails.verdict("cancelled"))
    assert (called_off[-1].producer, called_off[-1].cause) == ("", "")


def test_a_source_that_was_made_seekable_is_planned_again() -> None:
    facts = told(
        trails.manifest(),
        trails.plan(trails.preparation()),
        trails.receipt("m1"),
        trails.plan(trails.plan_of(1, generation=2)),
    )
    assert causes(facts) == {
        "job.accepted": "",
        "task.ready m1": "job.accepted",
        "task.completed m1": "task.ready m1",
        "source.prepared": "task.completed m1",
        "task.ready v00000": "source.prepared",
    }


def test_in_a_clock_of_whole_seconds_what_follows_comes_later() -> None:
    store = MemoryStore(clock=ManualClock())
    trails.put(store, *reversed(trails.completed()), trails.failure("v00000", 1))
    said = words(history.read(store, JOB))
    assert said[:3] == ["job.accepted", "task.ready v00000", "task.failed v00000"]
    assert said[-2:] == ["job.encoded", "job.completed"]


def test_a_job_that_is_not_there_has_no_facts() -> None:
    assert told() == []
    assert told(trails.verdict()) == []


def test_ten_thousand_tasks_cost_one_listing() -> None:
    store = CountedStore()
    plan = trails.plan_of(10_000, sound=False)
    trails.put(store, trails.manifest(), trails.plan(plan))
    for task in plan.tasks:
        store.create(layout.receipt(JOB, 1, task.id), b"")
    store.requests = 0
    facts = history.read(store, JOB)
    assert len(facts) == 10_003
    assert store.requests == 13  # eleven pages, the manifest and the plan


@settings(deadline=None)
@given(
    order=st.permutations(
        [
            trails.manifest(),
            trails.plan(trails.preparation()),
            trails.receipt("m1"),
            trails.plan(trails.plan_of(2, generation=2)),
            trails.failure("v00001", 1, generation=2),
            trails.receipt("v00001", generation=2),
            trails.receipt("v00000", generation=2),
            trails.receipt("a1", generation=2),
            trails.verdict(),
        ]
    ),
    data=st.data(),
)
def test_in_whatever_order_records_show_each_fact_is_told_once_and_none_without_its_record(
    order: list[Record], data: st.DataObject
) -> None:
    clock = ManualClock(trails.ACCEPTED_S)
    store = MemoryStore(clock=clock)
    trail, learner, said = Trail(store, JOB), History(), list[Fact]()
    for each in order:
        trails.put(store, each)
        clock.advance(data.draw(st.integers(0, 2)))
        if data.draw(st.booleans()):
            trail.follow()
            news = learner.learn(trail)
            assert {fact.id for fact in news} <= {fact.id for fact in history.read(store, JOB)}
            said += news
    trail.follow()
    said += learner.learn(trail)
    whole = history.read(store, JOB)
    # What a verdict followed from is told by records that come before it, unless shuffled.
    assert [fact.id for fact in sorted(said, key=lambda fact: fact.order)] == [
        fact.id for fact in whole
    ]
    assert len({fact.id for fact in whole}) == len(whole) == 11
    assert isinstance(trail.verdict(), Verdict)
