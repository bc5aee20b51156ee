"""The bench of the join runs, with few tasks, over each index."""

from __future__ import annotations

from pathlib import Path

from functions.adapters.sqlite import SqliteState
from functions.jobs.plan import AudioTask, VideoTask
from tests.bench import join
from tests.fakes import MemoryState

FEW = 60


def test_the_plan_has_about_as_many_tasks_as_were_asked_for() -> None:
    _, plan = join.drawn(FEW)
    assert FEW <= len(plan.tasks) <= FEW + 5
    assert {type(task) for task in plan.tasks} == {VideoTask, AudioTask}


def test_a_small_job_is_joined_over_memory_and_over_sqlite(tmp_path: Path) -> None:
    state = SqliteState(tmp_path / "state.sqlite")
    in_memory = join.Joined(MemoryState(), weighed=True).run(FEW)
    in_sqlite = join.Joined(state).run(FEW)
    state.close()
    assert in_memory.tasks == in_sqlite.tasks >= FEW
    assert in_memory.segments == in_sqlite.segments > FEW
    assert in_memory.assembly_mb > 0
    for made in (in_memory, in_sqlite):
        assert made.cpu_s >= made.assembly_s >= 0
