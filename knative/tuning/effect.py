"""What a setup would have done to the jobs that were observed, by the model."""

from __future__ import annotations

from dataclasses import dataclass

from knative.tuning.observation import Observations, percentile
from knative.tuning.setup import Setup
from knative.tuning.simulation import simulate
from knative.tuning.workload import arrivals


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """Times of a job are from its acceptance to the end of its last task."""

    p50_s: float
    p95_s: float
    pod_s: float
    """Pods times seconds over the whole time, those that start and those that drain as well."""
    cold_starts: int
    """Times that a task came and no pod was there."""
    most_pods: int
    answer_s: float
    """The longest that a request took, its time in the activator included."""


def predict(observations: Observations, setup: Setup) -> Effect:
    """Raises ValueError where no job was observed."""
    if not observations.jobs:
        raise ValueError("no completed job to go by")
    jobs = arrivals(observations, setup)
    course = simulate(
        jobs,
        setup,
        cold_start_ms=round(observations.cold_start_s * 1_000),
        span_ms=round(observations.span_s * 1_000),
    )
    job_s = [ms / 1_000 for ms in course.job_ms]
    return Effect(
        p50_s=percentile(job_s, 50),
        p95_s=percentile(job_s, 95),
        pod_s=course.pod_ms / 1_000,
        cold_starts=course.cold_starts,
        most_pods=course.most_pods,
        answer_s=course.answer_ms / 1_000,
    )
