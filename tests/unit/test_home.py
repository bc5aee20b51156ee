"""A runtime's folder is taken by one at a time, and tells who has it."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from knative.local.home import AlreadyRunning, Home


def test_a_folder_is_taken_by_one_at_a_time(tmp_path: Path) -> None:
    home = Home(tmp_path / "deep" / "site")
    lock = home.take()
    with pytest.raises(AlreadyRunning):
        home.take()
    os.close(lock)
    os.close(home.take())
    assert {path.name for path in home.root.iterdir()} == {"uploads", "work", "media", "runtime"}


def test_the_brokers_address_is_known_while_its_process_lives(tmp_path: Path) -> None:
    home = Home(tmp_path)
    os.close(home.take())
    assert home.broker_url() == ""
    home.announce("http://127.0.0.1:1/default/kinora")
    assert home.broker_url() == "http://127.0.0.1:1/default/kinora"
    home.withdraw()
    assert home.broker_url() == ""


@pytest.mark.parametrize(
    "left", ["", "[]", "{}", json.dumps({"pid": 2**22 + 1, "broker_url": "http://127.0.0.1:1/"})]
)
def test_what_a_dead_runtime_left_is_no_address(tmp_path: Path, left: str) -> None:
    home = Home(tmp_path)
    os.close(home.take())
    (home.own / "runtime.json").write_text(left)
    assert home.broker_url() == ""


def test_clearing_leaves_no_scratch_and_puts_long_logs_aside(tmp_path: Path) -> None:
    home = Home(tmp_path)
    os.close(home.take())
    (home.scratch / "worker-1").mkdir(parents=True)
    home.logs.mkdir()
    for name, size_bytes in (("short.log", 100), ("long.log", 11 * 1024 * 1024)):
        with (home.logs / name).open("wb") as log:
            log.truncate(size_bytes)
    home.clear()
    assert not home.scratch.exists()
    assert {path.name for path in home.logs.iterdir()} == {"short.log", "long.log.1"}
