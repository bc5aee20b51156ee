from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from knative.local import orphans


@contextmanager
def sleeping(cwd: Path, **env: str) -> Iterator[subprocess.Popen[bytes]]:
    """A process that waits, in a group of its own. It has its environment once it has answered."""
    process = subprocess.Popen(
        ["cat"],
        cwd=cwd,
        env=env,
        start_new_session=True,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    try:
        assert process.stdin is not None and process.stdout is not None
        process.stdin.write(b"\n")
        process.stdin.flush()
        assert process.stdout.read(1) == b"\n"
        yield process
    finally:
        process.kill()
        process.communicate()


def test_whatever_was_given_the_folder_is_ended(tmp_path: Path) -> None:
    folder = tmp_path / "scratch"
    (folder / "deep").mkdir(parents=True)
    with (
        sleeping(tmp_path, KINORA_SCRATCH=str(folder)) as function,
        sleeping(folder, HOME=str(folder / "deep")) as program,
    ):
        assert set(orphans.living_in(folder)) == {function.pid, program.pid}
        assert orphans.end(folder) == 2
        assert (function.wait(60), program.wait(60)) == (-9, -9)


def test_nobody_else_is(tmp_path: Path) -> None:
    folder = tmp_path / "scratch"
    folder.mkdir()
    with (
        sleeping(folder, PWD=str(folder)) as shell,
        sleeping(tmp_path, HOME=f"{folder}-of-another") as neighbour,
    ):
        assert list(orphans.living_in(folder)) == []
        assert orphans.end(folder) == 0
        assert (shell.poll(), neighbour.poll()) == (None, None)
