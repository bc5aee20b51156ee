"""From reports to what the same films would have cost, cut another way."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from functions.assembler.report import Report
from functions.jobs import record
from functions.jobs.profile import Options
from knative.field import Invalid
from knative.tuning.observation import Times, observe, percentile
from knative.tuning.setup import Setup
from knative.tuning.workload import Work, arrivals
from tests.flow.media import Film
from tests.flow.stage import Stage
from tests.observed import film, observations, service, video, whole

START_S = 0.25


def setup(chunk_s: int = 60, most: int = 4) -> Setup:
    return Setup.parse(service({"max-scale": str(most)}), chunk_s=chunk_s)


def report() -> Report:
    stage = Stage(Film(chunks=3, rungs=2, sounds=1))
    stage.finish()
    return record.load(stage.text("report.json").encode(), Report)


def test_a_report_tells_when_a_job_came_and_what_its_tasks_took() -> None:
    told = report()
    seen = observe([told])
    (job,) = seen.jobs
    assert (job.job, job.tenant, job.accepted_s) == (told.job, told.tenant, told.accepted_s)
    (tasks,) = job.stages
    assert [task.whole for task in tasks] == [each.kind == "audio" for each in told.tasks]
    assert [(task.start, task.stop) for task in tasks] == [(t.start, t.stop) for t in told.tasks]
    assert seen.span_s == 3_600.0
    took_s = told.finished_s - told.accepted_s
    assert seen.times == Times(p50_s=took_s, p95_s=took_s)


def test_the_lead_is_the_shortest_way_to_a_first_task() -> None:
    told = report()
    first_s = min(task.started_s for task in told.tasks)
    quick = replace(told, accepted_s=first_s - 0.75)
    slow = replace(told, accepted_s=first_s - 9.0)
    assert observe([slow, quick]).lead_s == 0.75
    assert [job.accepted_s for job in observe([quick, slow]).jobs] == sorted(
        [quick.accepted_s, slow.accepted_s]
    )


def test_a_film_cut_by_force_stays_cut_as_it_was() -> None:
    told = report()
    forced = replace(told, options=Options(chunk_segments=1))
    assert observe([told]).jobs[0].timeline is not None
    assert observe([forced]).jobs[0].timeline is None


@pytest.mark.parametrize(
    ("values", "share", "found"),
    [([3.0, 1.0, 2.0], 50, 2.0), ([1.0], 95, 1.0), (list(range(1, 101)), 95, 95)],
)
def test_a_percentile_is_one_of_the_values(values: list[float], share: int, found: float) -> None:
    assert percentile(values, share) == found


def test_there_is_no_percentile_of_nothing() -> None:
    with pytest.raises(ValueError, match="nothing"):
        percentile([], 50)


# Cut another way.


def test_what_cannot_be_cut_stays_as_it_was_measured() -> None:
    seen = observations(film(0, [whole(3.0), whole(0.001, cores=0.5)]))
    (arrival,) = arrivals(seen, setup())
    assert arrival.stages == ((Work(3_000, 1.0), Work(1, 0.5)),)
    assert arrival.lead_ms == 500


def test_hard_scenes_stay_hard_wherever_the_cut_is() -> None:
    # Ten segments, the first five at 1 s and the others at 3 s each.
    tasks = [video(0, 5, 5 + START_S), video(5, 10, 15 + START_S)]
    (arrival,) = arrivals(observations(film(0, tasks, segments=10)), setup(chunk_s=4, most=2))
    assert [work.wall_ms for work in arrival.stages[0]] == [1_250] * 5 + [3_250] * 5


def test_each_group_of_renditions_costs_its_own() -> None:
    tasks = [video(0, 2, 2 + START_S, group="a"), video(0, 2, 4 + START_S, cores=0.5, group="b")]
    (arrival,) = arrivals(observations(film(0, tasks, segments=2)), setup(chunk_s=4))
    assert arrival.stages[0] == (
        Work(1_250, 1.0), Work(2_250, 0.5), Work(1_250, 1.0), Work(2_250, 0.5),
    )  # fmt: skip


def test_a_first_chunk_in_two_tasks_is_no_more_work_than_in_one() -> None:
    """Its lowest rung is done before all others, so that something plays soon."""
    low, high = video(0, 1, 0.5 + START_S, group="low"), video(0, 1, 1.5 + START_S, group="high")
    rest = replace(video(1, 10, 18 + START_S), group=("high", "low"))
    seen = observations(film(0, [low, high, rest], segments=10))
    (arrival,) = arrivals(seen, setup(chunk_s=4))
    assert [work.wall_ms for work in arrival.stages[0]] == [2_250] * 10


def test_a_mezzanine_is_not_cut() -> None:
    job = film(0, [video(0, 2, 2 + START_S)], segments=2)
    job = replace(job, stages=((whole(9.0),), *job.stages))
    (arrival,) = arrivals(observations(job), setup())
    assert arrival.stages[0] == (Work(9_000, 1.0),)


@settings(deadline=None)
@given(
    st.lists(st.floats(0.3, 60), min_size=1, max_size=6),
    st.integers(1, 8),
    st.sampled_from([4, 8, 30, 60]),
)
def test_the_same_work_is_done_however_it_is_cut(
    walls: list[float], most: int, chunk_s: int
) -> None:
    tasks = [video(3 * n, 3 * n + 3, wall) for n, wall in enumerate(walls)]
    seen = observations(film(0, [*tasks, whole(1.0)], segments=3 * len(walls)))
    (arrival,) = arrivals(seen, setup(chunk_s=chunk_s, most=most))
    (cut,) = arrival.stages
    pure_ms = sum(work.wall_ms for work in cut) - 1_000 - 250 * (len(cut) - 1)
    assert pure_ms == pytest.approx(1_000 * (sum(walls) - START_S * len(walls)), abs=len(cut))
    assert len(cut) - 1 >= 3 * len(walls) * 4 / chunk_s


# The setup.


def test_a_service_tells_its_setup() -> None:
    found = Setup.parse(service({"max-scale": "7"}), chunk_s=12)
    assert (found.name, found.scaling.max_scale, found.chunk_s) == ("encoder", 7, 12)
    assert (found.cores, found.timeout_s) == (1.0, 600)
    assert (found.encoders, found.slots) == (7, 9)


def test_a_service_that_cannot_be_read_is_named_by_its_field() -> None:
    with pytest.raises(Invalid, match="max-scale"):
        Setup.parse(service({"max-scale": "many"}))
    with pytest.raises(Invalid, match="containers"):
        Setup.parse(service(containers=[]))
