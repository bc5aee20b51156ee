"""Whose cluster is on the machine, as the programs of `infra/cluster` see it."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
from pathlib import Path

PLACE = Path(__file__).resolve().parents[2] / "infra/cluster/place.sh"


def lives(home: Path) -> bool:
    # The home is said where no argument of a process says it, which would be found instead.
    env = {**os.environ, "KINORA_CLUSTER_HOME": str(home)}
    return (
        subprocess.run(
            ["bash", "-c", f'. {shlex.quote(str(PLACE))}; living "$home"'], env=env
        ).returncode
        == 0
    )


def test_a_cluster_lives_as_long_as_one_process_that_names_its_state(tmp_path: Path) -> None:
    home = tmp_path / "home"
    assert not lives(home)
    sleep = shutil.which("sleep")
    assert sleep is not None
    process = subprocess.Popen([f"{home}/state/etcd", "600"], executable=sleep)
    try:
        assert lives(home)
        assert not lives(tmp_path / "hom")
    finally:
        process.kill()
        process.wait()
    assert not lives(home)
