"""Looking again tells what looking for the first time would have told."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from functions.gateway.live.board import Board
from functions.gateway.live.outlook import JobLook
from functions.jobs import leases, overview, tasks
from functions.jobs.overview import Overview
from functions.ports import Waiting
from tests import trails
from tests.fakes import ManualClock, MemoryState
from tests.trails import JOB, CountedStore

TASKS = ("v00000", "v00001", "v00002", "a1")
ACTIONS = ("begins", "goes on", "is done", "fails", "is left")


def shown(seen: Overview) -> dict[str, Any]:
    return overview.as_json(seen, now_s=trails.ACCEPTED_S + 100)


def newest(board: Board) -> dict[str, bytes]:
    return {note.name: note.wire for _, note in board.after(0)}


@settings(deadline=None)
@given(
    steps=st.lists(
        st.tuples(st.sampled_from(ACTIONS), st.sampled_from(TASKS), st.booleans()), max_size=20
    ),
    prepared=st.booleans(),
    end=st.sampled_from(["completed", "failed", "cancelled", None]),
)
def test_a_board_shows_a_job_as_it_is_whatever_happened_since_the_last_look(
    steps: list[tuple[str, str, bool]], prepared: bool, end: Any
) -> None:
    clock = ManualClock(trails.ACCEPTED_S)
    store, state = CountedStore(clock=clock), MemoryState(clock=clock)
    look = JobLook(store, state, JOB, shown=shown)
    board = Board()

    def looks() -> None:
        board.put(look().notes)
        fresh = Board()
        fresh.put(JobLook(store, state, JOB, shown=shown)().notes)
        # What was told of an earlier plan has no task in the newer one.
        known = {name: wire for name, wire in newest(board).items() if name != "task m1"}
        assert known == {name: wire for name, wire in newest(fresh).items() if name != "task m1"}

    trails.put(store, trails.manifest())
    looks()
    generation = 2 if prepared else 1
    if prepared:
        trails.put(store, trails.plan(trails.preparation()))
        looks()
        trails.put(store, trails.receipt("m1"))
    trails.put(store, trails.plan(trails.plan_of(3, generation=generation)))
    for number, (what, task, look_now) in enumerate(steps):
        lease = leases.task(JOB, generation, task)
        match what:
            case "begins":
                waiting = Waiting(
                    job=JOB,
                    generation=generation,
                    task=task,
                    tenant="acme",
                    accelerator="cpu",
                    order=number,
                )
                state.enqueue([waiting])
                state.admit("cpu", cause=str(number), limit=9, ttl_s=60)
                state.acquire(lease, f"one/{number}", ttl_s=60)
            case "goes on":
                state.report_progress(JOB, generation, task, 7 * number)
            case "is done":
                trails.put(store, trails.receipt(task, generation=generation))
                state.complete(JOB, generation, task, total=4)
            case "fails":
                trails.put(store, trails.failure(task, number + 1, generation=generation))
            case "is left":
                state.release_all("")
        if look_now:
            looks()
    if end is not None:
        trails.put(store, trails.verdict(end))
    looks()


def test_more_receipts_than_are_read_at_a_time_are_read_bit_by_bit() -> None:
    store = CountedStore()
    many = tasks.RECEIPTS + 50
    trails.put(store, trails.manifest(), trails.plan(trails.plan_of(many, sound=False)))
    for number in range(many):
        trails.put(store, trails.receipt(f"v{number:05d}"))
    look = JobLook(store, MemoryState(), JOB, shown=shown)

    def told() -> tuple[int, int]:
        """How many tasks were told to be done, and of how many it was told who did them."""
        seen = [note.wire for note in look().notes if note.name.startswith("task ")]
        return (
            sum(b'"state":"done"' in wire for wire in seen),
            sum(b"worker-of-" in wire for wire in seen),
        )

    assert told() == (many, tasks.RECEIPTS)
    store.requests = 0
    assert told() == (50, 50)
    assert store.requests == 51
    assert told() == (0, 0)
