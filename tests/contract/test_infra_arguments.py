"""Programs of `infra` that change the machine do nothing where they are called wrongly."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

INFRA = Path(__file__).resolve().parent.parent.parent / "infra"


def called(words: Sequence[str], home: Path, **env: str) -> subprocess.CompletedProcess[str]:
    # A home of its own: a cluster that is up is not to be touched, whatever the programs do.
    env = {**os.environ, "KINORA_CLUSTER_HOME": str(home), **env}
    program = str(INFRA / words[0])
    return subprocess.run([program, *words[1:]], env=env, capture_output=True, text=True)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["cluster/down", "--help"], "only --purge can be said"),
        (["cluster/down", "--purge", "now"], "only --purge can be said"),
        (["cluster/up", "--help"], "it takes no arguments"),
        (["cluster/build", "ls"], "there is no part ls"),
        (["cluster/build", "kubectl", "--help"], "there is no part --help"),
        (["cluster/load-image"], "which archives?"),
        (["cluster/restart"], "which part?"),
        (["image/build.sh", "--help"], "there is no image --help"),
        (["image/build.sh", "lean", "heavy"], "there is no image heavy"),
        (["image/build.sh", "--push", "lean"], "REPOSITORY names no registry"),
    ],
)
def test_what_is_mistyped_is_told_and_nothing_is_begun(
    words: list[str], said: str, tmp_path: Path
) -> None:
    ran = called(words, tmp_path / "home", REPOSITORY="dev.local")
    assert ran.returncode == 2
    assert ran.stdout == ""
    assert f"{said}; see the head of {INFRA / words[0]}\n" in ran.stderr
    assert not (tmp_path / "home").exists()


def test_only_two_builders_are_known(tmp_path: Path) -> None:
    ran = called(["image/build.sh", "lean"], tmp_path, BUILDER="podman")
    assert (ran.returncode, ran.stdout) == (2, "")
    assert "BUILDER is buildah or docker, not podman" in ran.stderr


def test_a_folder_that_is_no_home_is_not_purged(tmp_path: Path) -> None:
    (kept := tmp_path / "letters").write_text("dear")
    ran = called(["cluster/down", "--purge"], tmp_path)
    assert ran.returncode == 1
    assert f"{tmp_path} is no home of a cluster" in ran.stderr
    assert kept.read_text() == "dear"
