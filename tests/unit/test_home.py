"""A runtime's folder is taken by one at a time, and tells who has it."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from knative.local.home import AlreadyRunning, Home
from knative.local.stores import Stores


def test_a_folder_is_taken_by_one_at_a_time(tmp_path: Path) -> None:
    home = Home(tmp_path / "deep" / "site")
    lock = home.take()
    with pytest.raises(AlreadyRunning):
        home.take()
    os.close(lock)
    os.close(home.take())
    assert {path.name for path in home.root.iterdir()} == {"runtime"}


def test_buckets_are_made_in_the_folder_unless_they_are_elsewhere(tmp_path: Path) -> None:
    here, elsewhere = Home(tmp_path / "here"), Home(tmp_path / "elsewhere")
    for home, stores in ((here, Stores()), (elsewhere, Stores(objects="s3://kinora"))):
        os.close(home.take())
        home.settle(stores)
    assert {path.name for path in here.root.iterdir()} == {"uploads", "work", "media", "runtime"}
    assert {path.name for path in elsewhere.root.iterdir()} == {"runtime"}


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
