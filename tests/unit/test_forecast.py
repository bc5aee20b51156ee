"""What a plan will cost: the numbers that follow from its tasks."""

from __future__ import annotations

from dataclasses import replace

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.gateway.jobs import forecast
from functions.jobs.plan import AudioTask, Plan
from tests.films import plan as planned


def with_costs(costs_ms: list[int]) -> Plan:
    tasks = tuple(
        AudioTask(id=f"a{number}", renditions=("audio-1",), cost_ms=cost_ms)
        for number, cost_ms in enumerate(costs_ms)
    )
    return replace(planned(), tasks=tasks)


COSTS = st.lists(st.integers(0, 100_000), min_size=1, max_size=40)


@given(COSTS, st.integers(1, 50))
def test_the_wall_lies_between_the_bounds_of_every_schedule(
    costs_ms: list[int], encoders: int
) -> None:
    found = forecast.of(with_costs(costs_ms), encoders=encoders)
    work_s = sum(costs_ms) / 1000
    least_s = max(work_s / encoders, max(costs_ms) / 1000)
    assert least_s - 0.1 <= found.wall_s <= work_s / encoders + max(costs_ms) / 1000 + 0.1
    assert found.cpu_s == pytest.approx(work_s, abs=0.06)


@given(COSTS)
def test_one_encoder_takes_as_long_as_the_work(costs_ms: list[int]) -> None:
    found = forecast.of(with_costs(costs_ms), encoders=1)
    assert found.wall_s == found.cpu_s


def test_encoders_with_a_gpu_work_beside_the_others() -> None:
    plan = with_costs([6000, 6000, 6000, 6000])
    moved = tuple(msgspec.structs.replace(task, accelerator="gpu") for task in plan.tasks[:3])
    plan = replace(plan, tasks=(*moved, plan.tasks[3]))
    assert forecast.of(plan, encoders=1, gpu_encoders=1).wall_s == 18.0
    assert forecast.of(plan, encoders=1, gpu_encoders=3).wall_s == 6.0


def test_a_film_is_as_long_and_as_large_as_its_renditions_allow() -> None:
    plan = planned()
    assert plan.timeline is not None
    found = forecast.of(plan, encoders=2)
    assert found.duration_s == pytest.approx(float(plan.timeline.duration_s), abs=0.001)
    bits = sum(rung.maxrate_bps for rung in plan.video) * float(plan.timeline.duration_s)
    assert found.bytes_at_most >= bits / 8
    assert found.tasks == len(plan.tasks)
