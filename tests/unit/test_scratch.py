"""Scratch folders: gone with their use, or with the next one's start."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from eventing.errors import Unavailable
from functions.adapters import scratch


def test_a_folder_is_empty_and_gone_afterwards(tmp_path: Path) -> None:
    with scratch.folder(tmp_path / "scratch") as folder:
        assert list(folder.iterdir()) == []
        (folder / "source").write_bytes(b"x")
        (folder / "deep").mkdir()
    assert list((tmp_path / "scratch").iterdir()) == []


def test_a_folder_is_gone_after_an_error(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError), scratch.folder(tmp_path):
        raise RuntimeError
    assert list(tmp_path.iterdir()) == []


def test_two_folders_live_side_by_side(tmp_path: Path) -> None:
    with scratch.folder(tmp_path) as one, scratch.folder(tmp_path) as two:
        assert one != two
        assert one.exists() and two.exists()
        scratch.remove_stale(tmp_path)
        assert one.exists() and two.exists()


def test_what_a_killed_process_left_goes_with_the_next_folder(tmp_path: Path) -> None:
    code = (
        "import os, signal, sys; from pathlib import Path\n"
        "from functions.adapters import scratch\n"
        "with scratch.folder(Path(sys.argv[1])) as folder:\n"
        "    (folder / 'source').write_bytes(b'x')\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=False)
    (left,) = tmp_path.iterdir()
    with scratch.folder(tmp_path):
        assert not left.exists()
    assert list(tmp_path.iterdir()) == []


def test_there_is_nothing_to_remove_where_there_is_no_root(tmp_path: Path) -> None:
    scratch.remove_stale(tmp_path / "none")


def test_a_root_that_cannot_be_made_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(Unavailable), scratch.folder(tmp_path / "file" / "scratch"):
        pass


def test_the_lock_is_not_inherited_by_children(tmp_path: Path) -> None:
    with scratch.folder(tmp_path) as folder:
        said = subprocess.run(
            ["ls", "-l", "/proc/self/fd"], capture_output=True, text=True, check=True
        ).stdout
        assert str(folder.parent / "lock") not in said
        assert (folder.parent / "lock").exists()
