"""A machine has one cluster: what lives is nobody else's to take away."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.cluster.kube import HOME, ROOT, Kube

pytestmark = pytest.mark.cluster


@pytest.mark.parametrize("command", ["up", "down"])
def test_a_cluster_that_lives_is_left_alone_by_the_commands_of_another_home(
    cluster: Kube, command: str, tmp_path: Path
) -> None:
    other = tmp_path / "home"
    (other / "stamps").mkdir(parents=True)
    (other / "stamps/all").touch()
    ran = subprocess.run(
        [ROOT / "infra/cluster" / command],
        env={**os.environ, "KINORA_CLUSTER_HOME": str(other)},
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        timeout=60,
    )
    assert ran.returncode == 1
    assert "another cluster is up on this machine; take it down first" in ran.stderr
    assert f"KINORA_CLUSTER_HOME={HOME} " in ran.stderr
    assert not (other / "state").exists()
    assert cluster.get("nodes")["items"]
