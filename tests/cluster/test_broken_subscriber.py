"""A function that cannot do its work: its events are parked, and that is nobody's verdict."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

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
    # Nobody repairs meanwhile: what is parked stays so, or is again after a last tick.
    with installation.without_tick(), installation.variables("chunker", KINORA_STATE=NOWHERE):
        dropped = [installation.drop(short, f"broken-{number}.mp4") for number in range(JOBS)]
        until(
            "an event of each is parked",
            lambda: _are_parked(installation, dropped),
            within_s=JOB_S,
            every_s=0.5,
        )
        jobs = installation.jobs_of(dropped)
        assert not any(installation.verdict(job) for job in jobs.values())
    installation.ended(dropped, within_s=JOB_S)
    for number, key in enumerate(dropped):
        installation.assert_exact(jobs[key], short, frames_of=not number)
    until("nothing is parked", lambda: not installation.below(layout.PARKED_PREFIX), every_s=0.5)


def _are_parked(installation: Installation, dropped: Sequence[str]) -> bool:
    jobs = installation.jobs_of(dropped)
    parked = {key.split("/")[2] for key in installation.below(layout.PARKED_PREFIX)}
    return set(jobs) == set(dropped) and parked.issuperset(jobs.values())
