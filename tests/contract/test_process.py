"""The Process port's promises, kept by the adapter with real small programs."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import psutil
import pytest

from eventing.errors import Unavailable
from functions.adapters.process import run
from functions.ports import Finished, Limits, Process

LIMITS = Limits(wall_s=60, cpu_s=60, memory_bytes=1 << 30, output_bytes=1 << 20, stall_s=60)


def limits(**changed: float) -> Limits:
    values = {
        "wall_s": LIMITS.wall_s,
        "cpu_s": LIMITS.cpu_s,
        "stall_s": LIMITS.stall_s,
        "memory_bytes": LIMITS.memory_bytes,
        "output_bytes": LIMITS.output_bytes,
    } | changed
    return Limits(
        wall_s=values["wall_s"],
        cpu_s=values["cpu_s"],
        stall_s=values["stall_s"],
        memory_bytes=int(values["memory_bytes"]),
        output_bytes=int(values["output_bytes"]),
    )


def shell(
    script: str,
    cwd: Path,
    *,
    within: Limits = LIMITS,
    on_progress: Callable[[Mapping[str, str]], bool] | None = None,
) -> Finished:
    process: Process = run
    return process(["sh", "-c", script], limits=within, cwd=cwd, on_progress=on_progress)


def of_home(home: Path) -> list[int]:
    """Living processes that were started with this HOME."""
    found = []
    for process in psutil.process_iter():
        try:
            living = process.status() != psutil.STATUS_ZOMBIE
            if living and process.environ().get("HOME") == str(home):
                found.append(process.pid)
        except psutil.Error:
            continue
    return found


@pytest.fixture(autouse=True)
def nothing_is_left(tmp_path: Path) -> Iterator[None]:
    yield
    assert of_home(tmp_path) == []


def test_output_messages_and_exit_code_come_back(tmp_path: Path) -> None:
    finished = shell("echo out; echo err >&2; exit 3", tmp_path)
    assert (finished.returncode, finished.stdout, finished.stderr) == (3, b"out\n", "err\n")
    assert finished.stopped == ""


def test_a_large_output_comes_back_whole(tmp_path: Path) -> None:
    finished = shell("head -c 1000000 /dev/zero", tmp_path)
    assert finished.stdout == bytes(1_000_000)


def test_the_environment_holds_path_and_home_and_nothing_else(tmp_path: Path) -> None:
    finished = run(["env"], limits=LIMITS, cwd=tmp_path)
    names = {line.partition("=")[0] for line in finished.stdout.decode().splitlines()}
    assert names == {"PATH", "HOME"}
    assert f"HOME={tmp_path}" in finished.stdout.decode().splitlines()


def test_it_runs_in_its_folder_with_nothing_to_read(tmp_path: Path) -> None:
    finished = shell("pwd; cat", tmp_path)
    assert finished.stdout.decode() == f"{tmp_path}\n"


def test_it_leads_its_own_group_and_may_gain_no_privileges(tmp_path: Path) -> None:
    finished = shell("ps -o pgid= -p $$ || cut -d' ' -f5 /proc/$$/stat; echo $$", tmp_path)
    group, pid = finished.stdout.split()
    assert group == pid
    status = shell("cat /proc/self/status", tmp_path).stdout.decode()
    assert "NoNewPrivs:\t1" in status


def test_it_inherits_no_open_file(tmp_path: Path) -> None:
    with (tmp_path / "held").open("wb") as held:
        os.set_inheritable(held.fileno(), True)
        finished = shell("ls -l /proc/self/fd", tmp_path)
    assert "held" not in finished.stdout.decode()


def test_limits_stand_in_the_kernel(tmp_path: Path) -> None:
    finished = shell("ulimit -v; ulimit -t; ulimit -f; ulimit -c; ulimit -n", tmp_path)
    assert finished.stdout.split() == [b"1048576", b"60", b"2048", b"0", b"256"]


def test_only_the_last_64_kib_of_messages_are_kept(tmp_path: Path) -> None:
    finished = shell("head -c 300000 /dev/zero | tr '\\0' x >&2; printf END >&2", tmp_path)
    assert len(finished.stderr) == 64 * 1024
    assert finished.stderr.endswith("xEND")


def test_the_signal_that_ended_it_is_the_negative_exit_code(tmp_path: Path) -> None:
    finished = shell("kill -SEGV $$", tmp_path)
    assert (finished.returncode, finished.stopped) == (-signal.SIGSEGV, "")


@pytest.mark.parametrize(("maps_more", "code"), [(True, 0), (False, 1)])
def test_a_program_that_maps_more_than_it_uses_may_be_let(
    maps_more: bool, code: int, tmp_path: Path
) -> None:
    """As a GPU's driver does; what may be written to is bounded all the same."""
    within = Limits(
        wall_s=60, cpu_s=60, memory_bytes=1 << 30, output_bytes=1 << 20, maps_more=maps_more
    )
    reserve = "import mmap; mmap.mmap(-1, 1 << 33, prot=0)"
    private = "import mmap; mmap.mmap(-1, 1 << 33, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)"
    for program, expected in ((reserve, code), (private, 1)):
        ended = run([sys.executable, "-c", program], limits=within, cwd=tmp_path)
        assert ended.returncode == expected, ended.stderr


def test_cpu_time_and_memory_are_those_of_the_program(tmp_path: Path) -> None:
    finished = shell("i=0; while [ $i -lt 300000 ]; do i=$((i+1)); done", tmp_path)
    assert 0 < finished.cpu_s < 60
    assert finished.max_rss_bytes > 100_000
    assert finished.wall_s > 0


def test_a_program_that_sleeps_beyond_the_wall_limit_is_ended(tmp_path: Path) -> None:
    finished = shell("sleep 1000", tmp_path, within=limits(wall_s=0.5))
    assert finished.stopped == "wall"
    assert finished.returncode == -signal.SIGTERM


def test_a_program_that_ignores_sigterm_is_killed(tmp_path: Path) -> None:
    finished = shell(
        "trap '' TERM; while :; do sleep 1000; done", tmp_path, within=limits(wall_s=0.5)
    )
    assert (finished.returncode, finished.stopped) == (-signal.SIGKILL, "wall")


def test_a_silent_idle_program_counts_as_hung(tmp_path: Path) -> None:
    finished = shell("sleep 1000", tmp_path, within=limits(stall_s=1))
    assert finished.stopped == "stall"


def test_progress_that_repeats_itself_is_no_advance(tmp_path: Path) -> None:
    finished = shell(
        "while :; do printf 'frame=7\\nprogress=continue\\n'; sleep 0.2; done",
        tmp_path,
        within=limits(stall_s=1),
        on_progress=lambda _: True,
    )
    assert finished.stopped == "stall"


def test_a_program_that_computes_without_output_is_not_hung_but_has_a_cpu_limit(
    tmp_path: Path,
) -> None:
    finished = shell("while :; do :; done", tmp_path, within=limits(stall_s=0.3, cpu_s=1))
    assert finished.stopped == "cpu"
    # The kernel counts its limit in ticks, and a busy machine's are not all the program's own.
    assert finished.cpu_s > 0.3


def test_too_much_output_ends_it(tmp_path: Path) -> None:
    finished = shell("cat /dev/zero", tmp_path, within=limits(output_bytes=100_000))
    assert finished.stopped == "output"
    assert finished.stdout == bytes(100_000)


def test_a_file_beyond_the_limit_ends_it(tmp_path: Path) -> None:
    finished = run(
        ["dd", "if=/dev/zero", "of=big", "bs=1000000", "count=3"],
        limits=LIMITS,
        cwd=tmp_path,
    )
    assert finished.stopped == "output"
    assert (tmp_path / "big").stat().st_size == LIMITS.output_bytes


def test_progress_arrives_in_blocks(tmp_path: Path) -> None:
    blocks: list[Mapping[str, str]] = []

    def see(block: Mapping[str, str]) -> bool:
        blocks.append(dict(block))
        return True

    finished = shell(
        "printf 'frame=1\\nspeed= 2.0x\\nprogress=contin'; sleep 0.1;"
        "printf 'ue\\nframe=2\\nprogress=end\\nlost=1\\n'",
        tmp_path,
        on_progress=see,
    )
    assert [block for block in blocks if block] == [
        {"frame": "1", "speed": "2.0x", "progress": "continue"},
        {"frame": "2", "progress": "end"},
    ]
    assert finished.stdout == b""


def test_a_silent_program_still_ticks_and_can_be_called_off(tmp_path: Path) -> None:
    ticks: list[Mapping[str, str]] = []

    def see(block: Mapping[str, str]) -> bool:
        ticks.append(block)
        return len(ticks) < 2

    finished = shell("sleep 1000", tmp_path, on_progress=see)
    assert (ticks, finished.stopped) == ([{}, {}], "called off")


def test_an_endless_line_of_progress_is_bounded(tmp_path: Path) -> None:
    finished = shell(
        "head -c 5000000 /dev/zero; printf '\\nprogress=end\\n'",
        tmp_path,
        on_progress=lambda _: True,
    )
    assert finished.returncode == 0


def test_an_error_in_on_progress_ends_the_program_and_comes_through(tmp_path: Path) -> None:
    def see(block: Mapping[str, str]) -> bool:
        raise RuntimeError("seen")

    with pytest.raises(RuntimeError, match="seen"):
        shell("trap '' TERM; sleep 1000", tmp_path, on_progress=see)
    assert of_home(tmp_path) == []


@pytest.mark.parametrize(
    "script",
    [
        "sleep 1000 & exit 0",
        "(sleep 1000 &) ; exit 0",
        "setsid sleep 1000 & exit 0",
        "setsid sh -c 'setsid sleep 1000 & sleep 1000' & sleep 0.2; exit 0",
    ],
)
def test_what_it_left_in_the_background_is_gone(tmp_path: Path, script: str) -> None:
    finished = shell(script, tmp_path)
    assert (finished.returncode, finished.stopped) == (0, "")
    assert of_home(tmp_path) == []


def test_no_zombie_stays(tmp_path: Path) -> None:
    before = {child.pid for child in psutil.Process().children()}
    shell("sleep 1000 & sleep 1000 & setsid sleep 1000 & exit 0", tmp_path)
    assert {child.pid for child in psutil.Process().children()} <= before


def test_a_missing_program_is_unavailable(tmp_path: Path) -> None:
    with pytest.raises(Unavailable):
        run([str(tmp_path / "ffmpeg")], limits=LIMITS, cwd=tmp_path)


def test_a_missing_folder_is_unavailable(tmp_path: Path) -> None:
    with pytest.raises(Unavailable):
        run(["true"], limits=LIMITS, cwd=tmp_path / "gone")


def test_calls_side_by_side_do_not_disturb_each_other(tmp_path: Path) -> None:
    results: dict[int, bytes] = {}

    def call(number: int) -> None:
        home = tmp_path / str(number)
        home.mkdir()
        results[number] = shell(f"setsid sleep 1000 & sleep 0.1; echo {number}", home).stdout

    threads = [threading.Thread(target=call, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == {number: f"{number}\n".encode() for number in range(8)}
    assert all(of_home(tmp_path / str(number)) == [] for number in range(8))


def test_it_dies_with_the_process_that_started_it(tmp_path: Path) -> None:
    started = tmp_path / "started"
    program = tmp_path / "program"
    program.write_text(
        f"#!/bin/sh\necho $$ > {started}.part\nmv {started}.part {started}\nexec sleep 1000\n"
    )
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    call = (
        "import sys; from pathlib import Path\n"
        "from functions.adapters.process import run; from functions.ports import Limits\n"
        "limits = Limits(wall_s=60, cpu_s=60, memory_bytes=1 << 30, output_bytes=1 << 20)\n"
        "run([sys.argv[1]], limits=limits, cwd=Path(sys.argv[2]))"
    )
    parent = subprocess.Popen([sys.executable, "-c", call, str(program), str(tmp_path)])
    deadline_s = time.monotonic() + 30
    while not started.exists() and time.monotonic() < deadline_s:
        time.sleep(0.01)
    child = psutil.Process(int(started.read_text()))
    parent.kill()
    parent.wait()
    psutil.wait_procs([child], timeout=30)
    assert not child.is_running() or child.status() == psutil.STATUS_ZOMBIE
