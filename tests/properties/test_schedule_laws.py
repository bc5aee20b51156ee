"""Whatever the tasks: workers who take them in order end within reach of what no order beats."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.media.cutting import schedule

COSTS = st.lists(st.floats(0, 1e6), min_size=1, max_size=60)
WORKERS = st.integers(1, 80)


@given(COSTS, WORKERS)
def test_no_run_is_shorter_than_a_fair_share_or_the_longest_task(
    costs: list[float], workers: int
) -> None:
    run = schedule.run(costs, workers)
    assert run.wall_ms >= schedule.bound_ms(costs, workers) * (1 - 1e-9)
    assert run.wall_ms <= sum(costs) / workers + max(costs) + 1e-6
    assert 0 <= run.idle_ms <= run.wall_ms
    assert run.last_ms in (0.0, *costs)


@given(COSTS)
def test_one_worker_does_one_after_the_other(costs: list[float]) -> None:
    run = schedule.run(costs, 1)
    assert run.wall_ms == pytest.approx(sum(costs))
    assert run.idle_ms == 0


@given(COSTS)
def test_with_a_worker_for_each_the_longest_task_is_all(costs: list[float]) -> None:
    assert schedule.run(costs, len(costs)).wall_ms == max(costs)


@given(st.lists(st.floats(0, 1000), min_size=1, max_size=30), st.floats(0, 1e5))
def test_poured_work_is_all_done_at_its_level_and_by_nobody_who_is_busy_longer(
    free: list[float], work: float
) -> None:
    level = schedule.level(free, work)
    poured = sum(max(0.0, level - busy) for busy in free)
    assert poured == pytest.approx(work, rel=1e-6, abs=1e-6)


def test_where_nobody_is_there_nothing_is_done() -> None:
    with pytest.raises(ValueError, match="nobody"):
        schedule.level([], 1.0)
    assert schedule.bound_ms([], 3) == 0.0
    assert schedule.run([], 3).wall_ms == 0.0
