"""Whatever dies, and whenever: every job ends once, completed, with its frames, and clean."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e import kills

RUNS = 8
"""Each kind of victim dies at least three times; `make campaign` goes on with hundreds."""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[kills.Site]:
    running = kills.Site(tmp_path_factory.mktemp("kills"))
    kills.make_clip(running.directory / "clip.mp4")
    running.start()
    try:
        yield running
    finally:
        running.stop()


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(RUNS))
def test_a_job_survives_the_kill_of_anything(site: kills.Site, seed: int) -> None:
    clip: Path = site.directory / "clip.mp4"
    kills.run_one(site, clip, seed)
