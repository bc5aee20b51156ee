"""Which binaries are used, and the digest that every task of a plan checks."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from functions.adapters import binaries

ASK = (
    "from functions.adapters import binaries as b; f = b.fingerprint(); print(f.version, f.sha256)"
)


def ask(temporary: Path, **env: str) -> tuple[str, str]:
    """What a fresh process says, so that nothing is remembered but files."""
    done = subprocess.run(
        [sys.executable, "-c", ASK],
        env={"PATH": os.environ["PATH"], "TMPDIR": str(temporary), **env},
        capture_output=True,
        text=True,
        check=True,
    )
    version, sha256 = done.stdout.split()
    return version, sha256


def program(path: Path, version: str) -> Path:
    path.write_text(f"#!/bin/sh\necho ffmpeg version {version} Copyright\n")
    path.chmod(0o755)
    return path


@pytest.mark.parametrize("find", [binaries.ffmpeg, binaries.ffprobe, binaries.packager])
def test_the_wheels_binaries_run(find: object) -> None:
    assert callable(find)
    path = find()
    assert os.access(path, os.X_OK)
    option = "--version" if "packager" in path.name else "-version"
    assert subprocess.run([path, option], capture_output=True, check=True).stdout


def test_the_fingerprint_is_the_files_digest(tmp_path: Path) -> None:
    fake = program(tmp_path / "ffmpeg", "n1")
    version, sha256 = ask(tmp_path, KINORA_FFMPEG=str(fake))
    assert (version, sha256) == ("n1", hashlib.sha256(fake.read_bytes()).hexdigest())


def test_another_process_finds_the_digest_without_hashing_again(tmp_path: Path) -> None:
    fake = program(tmp_path / "ffmpeg", "n1")
    ask(tmp_path, KINORA_FFMPEG=str(fake))
    (kept,) = tmp_path.glob("kinora-fingerprints-*/*.json")
    kept.write_text('{"version": "kept", "sha256": "abc"}')
    assert ask(tmp_path, KINORA_FFMPEG=str(fake)) == ("kept", "abc")


@pytest.mark.parametrize(("more_bytes", "believed"), [(0, True), (1, False)])
def test_what_lies_beside_a_program_is_believed_if_it_is_of_that_size(
    tmp_path: Path, more_bytes: int, believed: bool
) -> None:
    fake = program(tmp_path / "ffmpeg", "n1")
    size_bytes = fake.stat().st_size + more_bytes
    beside = {"version": "beside", "sha256": "abc", "size_bytes": size_bytes}
    (tmp_path / "fingerprint-ffmpeg.json").write_text(json.dumps(beside))
    assert (ask(tmp_path, KINORA_FFMPEG=str(fake)) == ("beside", "abc")) is believed


def test_a_replaced_binary_has_a_new_fingerprint(tmp_path: Path) -> None:
    fake = program(tmp_path / "ffmpeg", "n1")
    before = ask(tmp_path, KINORA_FFMPEG=str(fake))
    fake.unlink()
    after = ask(tmp_path, KINORA_FFMPEG=str(program(tmp_path / "ffmpeg", "n2-longer")))
    assert (before[0], after[0]) == ("n1", "n2-longer")
    assert before[1] != after[1]


def test_a_damaged_record_is_made_anew(tmp_path: Path) -> None:
    fake = program(tmp_path / "ffmpeg", "n1")
    first = ask(tmp_path, KINORA_FFMPEG=str(fake))
    (kept,) = tmp_path.glob("kinora-fingerprints-*/*.json")
    kept.write_text("{")
    assert ask(tmp_path, KINORA_FFMPEG=str(fake)) == first


def test_a_folder_that_others_may_write_to_is_not_believed(tmp_path: Path) -> None:
    fake = program(tmp_path / "ffmpeg", "n1")
    first = ask(tmp_path, KINORA_FFMPEG=str(fake))
    (kept,) = tmp_path.glob("kinora-fingerprints-*/*.json")
    kept.write_text('{"version": "planted", "sha256": "abc"}')
    kept.parent.chmod(0o777)
    assert ask(tmp_path, KINORA_FFMPEG=str(fake)) == first
