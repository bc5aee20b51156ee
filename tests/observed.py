"""Jobs as they might have been measured, for tests of tuning."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

from functions.media.cutting.timeline import Timeline
from knative.tuning.observation import Job, Observations, Task

RATE = 25
SEGMENT_FRAMES = 100


def timeline(segments: int) -> Timeline:
    """So many whole segments of four seconds."""
    return Timeline(
        timebase=Fraction(1, 12_800),
        origin=0,
        rate=Fraction(RATE),
        frames=segments * SEGMENT_FRAMES,
        constant=True,
        timescale=12_800,
        segment_frames=SEGMENT_FRAMES,
    )


def video(start: int, stop: int, wall_s: float, *, cores: float = 1.0, group: str = "a") -> Task:
    """Segments [start, stop)."""
    return Task(
        wall_s=wall_s,
        cores=cores,
        group=(group,),
        start=start * SEGMENT_FRAMES,
        stop=stop * SEGMENT_FRAMES,
    )


def whole(wall_s: float, *, cores: float = 1.0) -> Task:
    return Task(wall_s=wall_s, cores=cores, group=("audio-1",), start=0, stop=0)


def film(
    accepted_s: float,
    tasks: Sequence[Task],
    *,
    segments: int | None = None,
    finished_s: float | None = None,
    tenant: str = "t",
) -> Job:
    """Without `segments` it is not cut another way."""
    return Job(
        job=f"job-{accepted_s:g}",
        tenant=tenant,
        accepted_s=accepted_s,
        finished_s=accepted_s + 60 if finished_s is None else finished_s,
        stages=(tuple(tasks),),
        timeline=None if segments is None else timeline(segments),
    )


def observations(*jobs: Job, lead_s: float = 0.5, cold_start_s: float = 1.5) -> Observations:
    """Over an hour."""
    return Observations(jobs=jobs, lead_s=lead_s, cold_start_s=cold_start_s, span_s=3_600.0)


def service(annotations: Mapping[str, str] | None = None, **spec: Any) -> dict[str, object]:
    """The encoder's Service as the base has it, as far as tuning looks."""
    prefix = "autoscaling.knative.dev/"
    said = {
        "target-utilization-percentage": "100",
        "target-burst-capacity": "-1",
        "min-scale": "0",
        "max-scale": "4",
        "window": "30s",
        "panic-window-percentage": "20",
        **(annotations or {}),
    }
    return {
        "apiVersion": "serving.knative.dev/v1",
        "kind": "Service",
        "metadata": {"name": "encoder", "namespace": "kinora"},
        "spec": {
            "template": {
                "metadata": {"annotations": {prefix + key: said[key] for key in said}},
                "spec": {
                    "containerConcurrency": 1,
                    "timeoutSeconds": 600,
                    "containers": [
                        {"name": "function", "resources": {"requests": {"cpu": "1"}}},
                    ],
                    **spec,
                },
            }
        },
    }
