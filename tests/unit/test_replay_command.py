"""`kinora knative` where there is no cluster, and its `replay` beside the folder of a runtime."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from functions.adapters.directory import DirectoryStore
from functions.jobs import layout
from knative.cli.capture import Capture
from knative.cli.main import app
from knative.local.home import Home
from tests.unit.test_parked import accepted, park, ready

RUNNER = CliRunner()


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("KINORA_STORE", "KINORA_DIR", "K_SINK"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "none"))
    (tmp_path / "uploads").mkdir()
    (tmp_path / "work").mkdir()
    return tmp_path


def knative(*arguments: str) -> tuple[int, str, str]:
    ran = RUNNER.invoke(app, ["knative", *arguments])
    return ran.exit_code, ran.stdout, ran.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ("status",),
        ("rollout", "encoder", "--image", "x"),
        ("rollback", "encoder"),
        ("scale", "encoder", "--max", "3"),
        ("gpu",),
        ("replay",),
    ],
)
def test_without_a_cluster_it_says_how_to_name_one(
    folder: Path, arguments: tuple[str, ...]
) -> None:
    code, out, err = knative(*arguments)
    assert (code, out) == (2, "")
    assert "KUBECONFIG" in err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("rollout", "encoder"), "--image"),
        (("rollout", "encoder", "--image", "x", "--continue"), "--continue"),
        (("scale", "encoder"), "--min"),
        (("gpu", "--records"), "KINORA_STORE"),
    ],
)
def test_what_cannot_be_meant_is_a_sentence(
    folder: Path, arguments: tuple[str, ...], words: str
) -> None:
    code, out, err = knative(*arguments)
    assert (code, out) == (2, "")
    assert words in err


def test_parked_events_of_a_folder_are_listed_and_stay(folder: Path) -> None:
    store = DirectoryStore(folder)
    assert "Nothing is parked" in knative("replay", "--dir", str(folder))[1]
    park(store, ready("v0"))
    park(store, accepted(), code="500", said="KeyError")
    code, out, _ = knative("replay", "--dir", str(folder))
    assert code == 0
    assert "503 not now" in out
    facts = json.loads(knative("replay", "--dir", str(folder), "--json")[1])
    assert {group["function"] for group in facts["parked"]} == {"encoder", "chunker"}
    assert facts["replayed"] is None
    dry = json.loads(knative("replay", "--dir", str(folder), "--all", "--dry-run", "--json")[1])
    assert dry == facts
    assert len(list(store.list(layout.PARKED_PREFIX))) == 2


def test_a_runtime_that_is_down_is_named(folder: Path) -> None:
    park(DirectoryStore(folder), ready("v0"))
    code, _, err = knative("replay", "--all", "--dir", str(folder))
    assert code == 2
    assert "kinora up" in err


def test_those_chosen_reach_the_runtimes_broker(folder: Path) -> None:
    store = DirectoryStore(folder)
    chosen = park(store, ready("v0"), said="No space left")
    park(store, accepted())
    home = Home(folder)
    home.own.mkdir()
    with Capture() as broker:
        home.announce(broker.url)
        code, out, _ = knative("replay", "--reason", "no space", "--dir", str(folder), "--json")
        assert (code, json.loads(out)["replayed"]["delivered"]) == (0, 1)
        assert [event.id for event in broker.events] == [chosen.id]
    assert len(list(store.list(layout.PARKED_PREFIX))) == 1


def test_in_a_pod_the_environment_says_store_and_broker(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    park(DirectoryStore(folder), ready("v0"))
    monkeypatch.setenv("KINORA_STORE", str(folder))
    with Capture() as broker:
        monkeypatch.setenv("K_SINK", broker.url)
        assert json.loads(knative("replay", "--json")[1])["replayed"] is None
        assert json.loads(knative("replay", "--all", "--json")[1])["replayed"]["delivered"] == 1
        assert len(broker.events) == 1


def test_what_the_broker_does_not_take_stays_and_is_a_failure(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = DirectoryStore(folder)
    park(store, ready("v0"))
    monkeypatch.setenv("KINORA_STORE", str(folder))
    monkeypatch.setenv("K_SINK", "http://127.0.0.1:1/")
    code, _, err = knative("replay", "--all")
    assert code == 4
    assert "1 are parked as before" in err
    assert len(list(store.list(layout.PARKED_PREFIX))) == 1
