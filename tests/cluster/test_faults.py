"""Faults in the middle of jobs: each is completed all the same, exact, and told of by one id."""

from __future__ import annotations

import random
import time
from pathlib import Path

import pytest

from functions.jobs import layout
from tests.cluster.faults import FAULTS
from tests.cluster.installation import JOB_S, NEIGHBOUR, TENANT, Installation
from tests.e2e.command import until
from tests.e2e.inbox import Receiver

pytestmark = pytest.mark.cluster

SEEDS = 3
ROUNDS = [sorted(FAULTS)[seed::SEEDS] for seed in range(SEEDS)]
"""Every fault strikes once at least."""


@pytest.mark.parametrize("seed", range(SEEDS))
def test_whatever_fails_in_mid_job_every_job_is_completed_exact_and_told_of_once(
    installation: Installation,
    inboxes: dict[str, Receiver],
    clip: Path,
    figures: list[str],
    seed: int,
) -> None:
    choose = random.Random(seed)
    faults = choose.sample(ROUNDS[seed], len(ROUNDS[seed]))
    # What needs an encoder at work comes while there is one.
    faults.sort(key=lambda name: name != "scale-down")
    tenants = [TENANT, NEIGHBOUR, TENANT]
    began_s = time.monotonic()
    dropped = [
        installation.drop(
            clip, f"fault-{seed}-{number}.mp4", tenant=tenant, options={"chunk-segments": "1"}
        )
        for number, tenant in enumerate(tenants)
    ]
    told = []
    for name in faults:
        # Anywhere in the middle: jobs of this size take some seconds.
        time.sleep(choose.uniform(0.0, 4.0))
        told.append(FAULTS[name](installation, choose))
    jobs = installation.ended(dropped, within_s=2 * JOB_S)
    took_s = time.monotonic() - began_s
    for number, (key, tenant) in enumerate(zip(dropped, tenants, strict=True)):
        installation.assert_exact(jobs[key], clip, frames_of=not number)
        inbox = inboxes[tenant]
        until(f"{tenant} is told of {key}", lambda: bool(inbox.verdicts(jobs[key])), every_s=0.3)  # noqa: B023
        assert len({each.id for each in inbox.verdicts(jobs[key])}) == 1
        assert not inbox.unverified
    until("nothing is open", lambda: not installation.below(layout.OPEN_PREFIX), every_s=0.5)
    until("nothing is parked", lambda: not installation.below(layout.PARKED_PREFIX), every_s=0.5)
    figures.append(f"faults, seed {seed}: {'; '.join(told)}: all done after {took_s:.0f} s")
