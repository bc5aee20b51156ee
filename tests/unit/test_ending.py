"""Endings: one verdict, told of until somebody has listened."""

from __future__ import annotations

from eventing.contract import JobCompleted, JobFailed
from functions.jobs import ending, layout
from functions.jobs.verdict import State, Verdict
from functions.ports import Waiting
from tests.fakes import MemoryState, MemoryStore

JOB = "1" * 32


def decide(store: MemoryStore, state: State, code: str, reason: str = "") -> Verdict:
    return ending.decide(
        store, job=JOB, tenant="t1", state=state, code=code, reason=reason, now_s=5
    )


def test_there_is_no_verdict_before_one_is_decided() -> None:
    assert ending.read(MemoryStore(), JOB) is None


def test_the_first_verdict_counts() -> None:
    store = MemoryStore()
    first = decide(store, "completed", "completed")
    second = decide(store, "failed", "deadline", "Too late.")
    assert first == second == ending.read(store, JOB)
    assert first.state == "completed"


def test_a_reason_is_never_longer_than_the_contract_allows() -> None:
    assert len(decide(MemoryStore(), "failed", "deadline", "x" * 5000).reason) == 2000


def test_a_verdict_is_told_while_the_job_is_marked_open() -> None:
    store, state = MemoryStore(), MemoryState()
    verdict = decide(store, "failed", "deadline", "Too late.")
    store.create(layout.open_marker(JOB), b"")
    told = JobFailed(job=JOB, tenant="t1", code="deadline", reason="Too late.")
    assert list(ending.conclude(store, state, verdict)) == [told]
    assert list(ending.conclude(store, state, verdict)) == [told]
    store.delete(layout.open_marker(JOB))
    assert list(ending.conclude(store, state, verdict)) == []


def test_a_completed_verdict_names_what_can_be_played() -> None:
    store = MemoryStore()
    store.create(layout.open_marker(JOB), b"")
    (told,) = ending.conclude(store, MemoryState(), decide(store, "completed", "completed"))
    assert isinstance(told, JobCompleted)
    assert told.master == f"media/{JOB}/master.m3u8"
    assert told.manifest == f"media/{JOB}/manifest.mpd"
    assert told.report == f"media/{JOB}/report.json"


def test_an_ended_job_leaves_nothing_in_the_state_store() -> None:
    store, state = MemoryStore(), MemoryState()
    state.enqueue(
        [Waiting(job=JOB, generation=1, task="v0", tenant="t1", accelerator="cpu", order=0)]
    )
    list(ending.conclude(store, state, decide(store, "cancelled", "cancelled")))
    assert not state.remembered()


def test_a_job_without_a_result_keeps_no_outputs() -> None:
    store, state = MemoryStore(), MemoryState()
    store.create(layout.media(JOB, "360p/00000-ab.m4s"), b"1")
    store.create(layout.media(JOB, "early.m3u8"), b"2")
    store.create(layout.media("2" * 32, "early.m3u8"), b"3")
    list(ending.conclude(store, state, decide(store, "failed", "deadline")))
    assert [info.key for info in store.list("media/")] == [layout.media("2" * 32, "early.m3u8")]


def test_a_result_stays() -> None:
    store, state = MemoryStore(), MemoryState()
    store.create(layout.media(JOB, "master.m3u8"), b"1")
    list(ending.conclude(store, state, decide(store, "completed", "completed")))
    assert store.head(layout.media(JOB, "master.m3u8")) is not None
