"""Jobs through the simulated site: cases worked out by hand, and laws."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from knative.autoscaling.scaling import Scaling
from knative.tuning.forecast import Request, pods
from knative.tuning.pod import Pod
from knative.tuning.setup import Setup
from knative.tuning.simulation import Count, Course, simulate
from knative.tuning.turns import Turns
from knative.tuning.workload import Arrival, Work

COLD_MS = 1_500
LEAD_MS = 500


def setup(**scaling: Any) -> Setup:
    """An encoder as the base has it, but for `scaling`."""
    return Setup(
        scaling=Scaling(
            **{
                "container_concurrency": 1,
                "target_utilization_percent": 100.0,
                "target_burst_capacity": -1.0,
                "max_scale": 4,
                "window_ms": 30_000,
                "panic_window_percent": 20.0,
                **scaling,
            }
        )
    )


def job(*wall_ms: int, at_ms: int = 0, tenant: str = "t", cores: float = 1.0) -> Arrival:
    works = tuple(Work(each, cores) for each in wall_ms)
    return Arrival(at_ms=at_ms, tenant=tenant, lead_ms=LEAD_MS, stages=(works,))


def play(*jobs: Arrival, setup: Setup, span_ms: int = 0) -> Course:
    return simulate(jobs, setup, cold_start_ms=COLD_MS, span_ms=span_ms)


def test_one_task_from_zero_takes_lead_cold_start_and_itself() -> None:
    course = play(job(10_000), setup=setup())
    assert course.job_ms == (LEAD_MS + COLD_MS + 10_000,)
    assert course.answer_ms == COLD_MS + 10_000
    assert (course.cold_starts, course.pods_started, course.most_pods) == (1, 1, 1)


def test_from_zero_to_zero_a_pod_starts_works_waits_a_window_and_drains() -> None:
    course = play(job(10_000), setup=setup())
    assert course.counts[:3] == (
        Count(0, ready=0, starting=0, leaving=0),
        Count(LEAD_MS, ready=0, starting=1, leaving=0),
        Count(LEAD_MS + COLD_MS, ready=1, starting=0, leaving=0),
    )
    leaves, gone = course.counts[3:]
    # Done at 12.0 s; the last sample that is not 0 leaves the window 30 s later, and the tick after
    # the stable window sees it.
    assert 42_000 <= leaves.at_ms <= 46_000
    assert (leaves.ready, leaves.leaving) == (0, 1)
    assert gone == Count(leaves.at_ms + 30_000, ready=0, starting=0, leaving=0)
    assert course.pod_ms == gone.at_ms - LEAD_MS


def test_who_finds_a_pod_waits_for_nothing() -> None:
    course = play(job(10_000), setup=setup(min_scale=1))
    assert course.job_ms == (LEAD_MS + 10_000,)
    assert (course.cold_starts, course.pods_started) == (0, 0)


def test_the_second_pod_comes_with_the_next_tick_after_the_first_task() -> None:
    course = play(job(10_000, 10_000, 10_000, 10_000), setup=setup(max_scale=2))
    # One pod is asked for at 0.5 s, at once; four are in flight at the tick at 2.5 s. The first
    # works from 2.0, the second from 4.0 s, two tasks each.
    assert course.job_ms == (24_000,)
    assert course.most_pods == 2


def test_jobs_that_come_within_a_window_find_the_pods_of_the_one_before() -> None:
    apart = [job(10_000), job(10_000, at_ms=25_000)]
    course = play(*apart, setup=setup())
    assert course.job_ms == (12_000, 10_500)
    assert course.cold_starts == 1
    late = [job(10_000), job(10_000, at_ms=125_000)]
    course = play(*late, setup=setup())
    assert course.job_ms == (12_000, 12_000)
    assert course.cold_starts == 2


def test_a_scale_down_delay_keeps_pods_between_jobs() -> None:
    jobs = [job(10_000, at_ms=at_ms) for at_ms in (0, 90_000, 180_000)]
    assert play(*jobs, setup=setup()).cold_starts == 3
    assert play(*jobs, setup=setup(scale_down_delay_ms=60_000)).cold_starts == 1


def test_admission_lets_two_more_in_than_there_are_encoders() -> None:
    # The third of those let in at once waits longest: for the start and for two others.
    course = play(job(*[10_000] * 9), setup=setup(max_scale=1))
    assert course.answer_ms == COLD_MS + 30_000
    assert course.job_ms == (LEAD_MS + COLD_MS + 90_000,)


def test_a_mezzanine_comes_before_what_is_made_of_it() -> None:
    arrival = Arrival(
        at_ms=0,
        tenant="t",
        lead_ms=LEAD_MS,
        stages=((Work(5_000, 1.0),), (Work(10_000, 1.0), Work(10_000, 1.0))),
    )
    course = simulate([arrival], setup(min_scale=2), cold_start_ms=COLD_MS)
    assert course.job_ms == (LEAD_MS + 15_000,)


def test_pods_that_are_kept_cost_all_the_time() -> None:
    course = play(job(1_000), setup=setup(min_scale=2, max_scale=2), span_ms=3_600_000)
    assert course.pod_ms == 2 * 3_600_000


def test_no_job_at_all_costs_nothing() -> None:
    assert play(setup=setup()).pod_ms == 0
    assert play(setup=setup(min_scale=1), span_ms=1_000).pod_ms == 1_000


def test_requests_that_come_by_themselves_wait_for_no_slot() -> None:
    # Nine at once for one pod: more than admission would let in.
    requests = [Request(0, 1_000)] * 9
    counts = pods(requests, setup(max_scale=1).scaling, cold_start_ms=COLD_MS, drain_ms=0)
    assert counts[0] == Count(0, ready=0, starting=1, leaving=0)
    assert counts[1] == Count(COLD_MS, ready=1, starting=0, leaving=0)
    assert max(count.ready for count in counts) == 1
    assert counts[-1].pods == 0
    # From the last answer a window passes at least.
    assert counts[-1].at_ms >= COLD_MS + 9_000 + 30_000


# A pod's cores.


@pytest.mark.parametrize(
    ("cores", "tasks", "done_ms"),
    [(1.0, 1, 10_000), (1.0, 2, 20_000), (0.5, 2, 10_000), (0.75, 2, 15_000), (3.0, 1, 10_000)],
)
def test_tasks_in_one_pod_share_its_cores(cores: float, tasks: int, done_ms: int) -> None:
    pod: Pod[str] = Pod(1.0, 0, ready=True)
    for number in range(tasks):
        pod.begin(0, str(number), Work(10_000, cores))
    assert pod.next_ms() == done_ms
    assert len(pod.ended(done_ms)) == tasks


def test_who_comes_later_slows_down_who_is_there() -> None:
    pod: Pod[str] = Pod(1.0, 0, ready=True)
    pod.begin(0, "first", Work(10_000, 1.0))
    pod.begin(5_000, "second", Work(10_000, 1.0))
    assert pod.next_ms() == 15_000
    assert pod.ended(15_000) == ["first"]
    assert pod.next_ms() == 20_000


# Turns.


def test_tenants_take_turns_and_then_their_jobs() -> None:
    turns: Turns[str] = Turns()
    turns.add("a", "a1", [Work(1, 1.0), Work(2, 1.0)])
    turns.add("a", "a2", [Work(3, 1.0)])
    turns.add("b", "b1", [Work(4, 1.0), Work(5, 1.0)])
    taken = []
    while due := turns.take():
        taken.append((due[0], due[1].wall_ms))
    assert taken == [("a1", 1), ("b1", 4), ("a2", 3), ("b1", 5), ("a1", 2)]


# Laws.

jobs = st.lists(
    st.builds(
        lambda at_s, tenant, walls: job(*walls, at_ms=at_s * 1_000, tenant=tenant),
        st.integers(0, 600),
        st.sampled_from(["a", "b"]),
        st.lists(st.integers(1, 60_000), min_size=1, max_size=6),
    ),
    min_size=1,
    max_size=8,
)
setups = st.builds(
    lambda most, least, window_s, delay_s, limit: setup(
        max_scale=most,
        min_scale=min(least, most),
        window_ms=window_s * 1_000,
        scale_down_delay_ms=delay_s * 1_000,
        container_concurrency=limit,
    ),
    st.integers(1, 5),
    st.integers(0, 2),
    st.sampled_from([6, 30, 60]),
    st.sampled_from([0, 30]),
    st.integers(1, 2),
)


@settings(deadline=None, max_examples=60)
@given(jobs, setups)
def test_every_job_ends_no_sooner_than_it_can(arrivals: list[Arrival], setup: Setup) -> None:
    course = play(*arrivals, setup=setup)
    for arrival, took_ms in zip(arrivals, course.job_ms, strict=True):
        assert took_ms >= LEAD_MS + max(work.wall_ms for work in arrival.stages[0])
    work_ms = sum(work.wall_ms for each in arrivals for work in each.stages[0])
    assert course.pod_ms >= work_ms  # one core each, all of it busy
    assert course.end_ms >= work_ms / setup.scaling.max_scale


@settings(deadline=None, max_examples=60)
@given(jobs, setups)
def test_there_are_as_many_pods_as_may_be(arrivals: list[Arrival], setup: Setup) -> None:
    course = play(*arrivals, setup=setup)
    scaling = setup.scaling
    for count in course.counts:
        assert scaling.min_scale <= count.ready + count.starting <= scaling.max_scale
    assert course.counts[-1].pods == scaling.min_scale
    assert course.pods_started >= course.cold_starts
    assert bool(course.cold_starts) == (not scaling.min_scale)


@settings(deadline=None, max_examples=60)
@given(jobs)
def test_with_a_pod_for_every_task_nothing_waits(arrivals: list[Arrival]) -> None:
    every = sum(len(each.stages[0]) for each in arrivals)
    course = play(*arrivals, setup=setup(max_scale=every, min_scale=every))
    for arrival, took_ms in zip(arrivals, course.job_ms, strict=True):
        assert took_ms == LEAD_MS + max(work.wall_ms for work in arrival.stages[0])


@settings(deadline=None, max_examples=60)
@given(jobs, setups)
def test_a_slower_start_makes_no_first_job_faster(arrivals: list[Arrival], setup: Setup) -> None:
    first = min(arrivals, key=lambda each: each.at_ms)
    alone = replace(setup, scaling=replace(setup.scaling, container_concurrency=1))
    quick = simulate([first], alone, cold_start_ms=0)
    slow = simulate([first], alone, cold_start_ms=5_000)
    assert slow.job_ms[0] >= quick.job_ms[0]


def test_where_tasks_share_a_pod_a_slower_start_may_end_sooner() -> None:
    first = job(1_000, 10_000, 10_000, 1_000)
    shared = setup(max_scale=2, container_concurrency=2)
    # A pod that is there at once works on the first two, and takes the third when the short one is
    # done at 2.5 s: both long ones share its core until 21.5 s. Where it takes 5 s to start, the
    # second pod is there when the short one is done, and takes the third.
    assert simulate([first], shared, cold_start_ms=0).job_ms == (21_500,)
    assert simulate([first], shared, cold_start_ms=5_000).job_ms == (18_500,)
