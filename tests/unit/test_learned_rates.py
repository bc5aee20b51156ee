"""What a job took becomes votes, and the next plan goes by them."""

from __future__ import annotations

from dataclasses import replace

import msgspec
import pytest

from functions.jobs import layout, rates, record
from functions.jobs.plan import AudioTask, Plan, Task
from functions.jobs.receipt import Receipt
from functions.media.cutting.rates import BUILT_IN, Rates
from tests.fakes.store import MemoryStore
from tests.surveys import SETTING, long_film, plan

FILM = plan(long_film())
SLOWER = 1.5
"""Than what is built in: the machine of these tests, with everything."""


def receipt(task: Task, factor: float = SLOWER, job: str = FILM.job) -> Receipt:
    cpu_ms = (task.cost_ms - BUILT_IN["start"]) * factor
    return Receipt(
        job=job,
        generation=1,
        task=task.id,
        tracks=(),
        worker="w",
        started_s=0.0,
        finished_s=cpu_ms / 1000,
        cpu_ms=round(cpu_ms),
        source_bytes_read=0,
    )


def done(made: Plan, factor: float = SLOWER) -> list[tuple[Task, Receipt]]:
    return [(task, receipt(task, factor)) for task in made.tasks]


def test_a_job_votes_on_what_it_did() -> None:
    found = dict(rates.votes(FILM, done(FILM)))
    assert found.keys() == {"encode/medium", "decode/h264", "sound"}
    assert found["sound"] == pytest.approx(BUILT_IN["sound"] * SLOWER, rel=0.01)
    # The plan's share of scaling is not learned: what it took is put down to the other two.
    assert found["encode/medium"] == pytest.approx(BUILT_IN["encode/medium"] * SLOWER, rel=0.1)
    assert found["decode/h264"] == pytest.approx(BUILT_IN["decode/h264"] * SLOWER, rel=0.3)


def test_one_task_that_was_held_up_does_not_count() -> None:
    held_up = [
        (task, receipt(task, 20.0 if number == 5 else SLOWER))
        for number, (task, _) in enumerate(done(FILM))
    ]
    assert dict(rates.votes(FILM, held_up))["encode/medium"] == pytest.approx(
        dict(rates.votes(FILM, done(FILM)))["encode/medium"], rel=0.01
    )


def test_what_is_over_at_once_tells_nothing() -> None:
    first = [(task, receipt(task)) for task in FILM.tasks[:1]]
    assert dict(rates.votes(FILM, first)) == {}


def test_three_jobs_teach_the_next_plan() -> None:
    store = MemoryStore()
    for number in range(3):
        job = f"{number:032x}"
        made = plan(long_film())
        rates.vote(store, replace(made, job=job), done(made))
        rates.vote(store, replace(made, job=job), done(made))
    learned = rates.read(store)
    assert {len(votes) for votes in learned.votes.values()} == {3}
    better = plan(long_film(), setting=replace(SETTING, rates=learned))
    took_ms = sum(made.cpu_ms for _, made in done(FILM))
    assert sum(task.cost_ms for task in better.tasks) == pytest.approx(took_ms, rel=0.1)
    assert better.basis.rates["encode/medium"].jobs == 3
    assert FILM.basis.rates["encode/medium"].jobs == 0


@pytest.mark.parametrize("data", [b"", b"{", b'{"votes": 3}', b"[]"])
def test_an_odd_record_means_the_built_in_rates_until_a_job_votes(data: bytes) -> None:
    store = MemoryStore()
    store.put(layout.RATES, data)
    assert rates.read(store) == Rates()
    rates.vote(store, FILM, done(FILM))
    assert "sound" in rates.read(store).votes


def test_the_record_stays_small() -> None:
    store = MemoryStore()
    for number in range(40):
        rates.vote(store, replace(FILM, job=f"{number:032x}"), done(FILM))
    assert len(store.get(layout.RATES)) < 10_000


def test_a_plan_from_before_there_were_rates_has_no_vote() -> None:
    old = record.load(record.dump(FILM).replace(b'"basis"', b'"former"'), Plan)
    assert [name for name, _ in rates.votes(old, done(old))] == ["sound"]


def test_chunks_that_a_gpu_encoded_are_no_measure_of_the_core() -> None:
    tasks = [
        (task, receipt(task)) if isinstance(task, AudioTask) else (_on_gpu(task), receipt(task))
        for task in FILM.tasks
    ]
    assert [name for name, _ in rates.votes(FILM, tasks)] == ["sound"]


def _on_gpu(task: Task) -> Task:
    return msgspec.structs.replace(task, accelerator="gpu")
