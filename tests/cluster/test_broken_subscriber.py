"""A function that cannot do its work: its events are parked, and that is nobody's verdict."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from functions.jobs import layout
from tests.cluster.installation import JOB_S, Installation
from tests.e2e.command import until

pytestmark = pytest.mark.cluster

NOWHERE = "redis://127.0.0.1:9/0"
JOBS = 3


def test_what_a_broken_function_could_not_take_is_parked_and_done_after_the_mend(
    installation: Installation, short: Path
) -> None:
    installation.pause_tick()  # nobody repairs meanwhile: what is parked stays so
    right = _state(installation)
    _set_state(installation, NOWHERE)
    dropped = [installation.drop(short, f"broken-{number}.mp4") for number in range(JOBS)]
    until(
        "an event of each is parked",
        lambda: len(_parked_jobs(installation)) == JOBS,
        within_s=JOB_S,
        every_s=0.5,
    )
    jobs = installation.jobs_of(dropped)
    assert set(jobs) == set(dropped) and set(jobs.values()) == _parked_jobs(installation)
    assert not any(installation.verdict(job) for job in jobs.values())
    _set_state(installation, right)
    installation.resume_tick()
    installation.ended(dropped, within_s=JOB_S)
    for number, key in enumerate(dropped):
        installation.assert_exact(jobs[key], short, frames_of=not number)
    until("nothing is parked", lambda: not installation.below(layout.PARKED_PREFIX), every_s=0.5)


def _parked_jobs(installation: Installation) -> set[str]:
    return {key.split("/")[2] for key in installation.below(layout.PARKED_PREFIX)}


def _environment(installation: Installation) -> list[Any]:
    service = installation.kube.get("ksvc", "chunker")
    found: list[Any] = service["spec"]["template"]["spec"]["containers"][0]["env"]
    return found


def _state(installation: Installation) -> str:
    (found,) = (
        each["value"] for each in _environment(installation) if each["name"] == "KINORA_STATE"
    )
    return str(found)


def _set_state(installation: Installation, address: str) -> None:
    """A new revision of the chunker, which keeps its state there."""
    names = [each["name"] for each in _environment(installation)]
    path = f"/spec/template/spec/containers/0/env/{names.index('KINORA_STATE')}/value"
    change = json.dumps([{"op": "replace", "path": path, "value": address}])
    installation.kube("patch", "ksvc", "chunker", "--type=json", "--patch", change)
    installation.kube("wait", "--for=condition=ready", "ksvc/chunker", "--timeout=120s")
