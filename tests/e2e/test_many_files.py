"""Twenty files at once: all become streams side by side, and then nothing runs any more."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.e2e import kills
from tests.e2e.command import until

FILES = 20


def spans(root: Path) -> list[tuple[float, float]]:
    """Of each completed job: when its first task began and when its last one ended."""
    found = []
    for path in root.glob("media/*/report.json"):
        tasks = json.loads(path.read_text())["tasks"]
        found.append(
            (min(t["started_s"] for t in tasks), max(t["finished_s"] for t in tasks)),
        )
    return found


def states(root: Path, names: Sequence[str]) -> list[str]:
    """The verdict of each dropped file, "" while there is none."""
    return [kills.verdict_of(root, kills.job_of(root, name)).get("state", "") for name in names]


@pytest.mark.slow
def test_twenty_files_share_the_encoders_and_the_functions_go_when_all_is_done(
    tmp_path: Path,
) -> None:
    # No tick of its own: it would keep the sweeper there. Nor a gateway, which always stays.
    site = kills.Site(tmp_path, options=("--tick", "3600", "--idle", "2", "--listen", "off"))
    clip = tmp_path / "clip.mp4"
    kills.make_clip(clip)
    site.start()
    try:
        for number in range(FILES):
            site.drop(clip, f"clip-{number}.mp4")
        names = [f"clip-{number}.mp4" for number in range(FILES)]
        until("every file has its verdict", lambda: all(states(site.root, names)), within_s=400)
        assert states(site.root, names) == ["completed"] * FILES
        jobs = spans(site.root)
        for began, _ in jobs:
            assert sum(ended < began for _, ended in jobs) < FILES - 1
        # Slots go round over the jobs: others had begun before the first was done.
        first_end = min(ended for _, ended in jobs)
        assert sum(began < first_end for began, _ in jobs) > 1

        until("every function's process is gone", lambda: not site.tree(), within_s=60)
        site.drop(clip, "late.mp4")
        until("the next file brings them back", lambda: len(site.tree()) > 0)
        until("it has its verdict", lambda: all(states(site.root, ["late.mp4"])))
        assert states(site.root, ["late.mp4"]) == ["completed"]
    finally:
        site.stop()
