"""`kinora keys`: makes, lists and revokes keys where the gateway looks for them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from functions.adapters.directory import DirectoryStore
from functions.jobs import apikey, layout
from knative.cli.main import app

RUNNER = CliRunner()


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("KINORA_STORE", raising=False)
    monkeypatch.delenv("KINORA_DIR", raising=False)
    (tmp_path / "uploads").mkdir()
    (tmp_path / "work").mkdir()
    return tmp_path


def keys(folder: Path, *arguments: str) -> tuple[int, str, str]:
    ran = RUNNER.invoke(app, ["keys", *arguments, "--dir", str(folder)])
    return ran.exit_code, ran.stdout, ran.stderr


def test_a_key_is_printed_once_and_works(folder: Path) -> None:
    code, out, err = keys(folder, "create", "--tenant", "acme", "--name", "laptop")
    text = out.strip()
    tenant, key_id = apikey.address(text) or ("", "")
    assert (code, tenant) == (0, "acme")
    assert text not in err
    key = apikey.read(DirectoryStore(folder), "acme", key_id)
    assert key is not None and key.admits(text, now_s=key.created_s)
    assert key.scopes == apikey.SCOPES
    for path in folder.rglob("*"):
        if path.is_file():
            assert text.rpartition("_")[2].encode() not in path.read_bytes()


def test_a_key_may_have_few_scopes_and_days(folder: Path) -> None:
    _, out, _ = keys(
        folder, "create", "-t", "acme", "--scope", "jobs:read", "--days", "2", "--json"
    )
    facts = json.loads(out)
    assert facts["scopes"] == ["jobs:read"]
    assert facts["expires"] > facts["created"]
    assert facts["key"].startswith("kinora_acme_")


def test_keys_are_listed_and_revoked_by_id(folder: Path) -> None:
    made = json.loads(keys(folder, "create", "-t", "acme", "--json")[1])
    assert keys(folder, "revoke", made["id"], "-t", "acme")[0] == 0
    assert keys(folder, "revoke", made["id"], "-t", "acme")[0] == 0
    (listed,) = json.loads(keys(folder, "list", "-t", "acme", "--json")[1])
    assert (listed["id"], listed["state"]) == (made["id"], "revoked")
    assert "key" not in listed
    assert made["id"] in keys(folder, "list", "-t", "acme")[1]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("create", "-t", "Acme"), "no tenant"),
        (("create", "-t", "acme", "--scope", "all"), "there is no scope"),
        (("revoke", "0" * 16, "-t", "acme"), "has no key"),
        (("revoke", "../../x", "-t", "acme"), "has no key"),
    ],
)
def test_what_cannot_be_done_is_a_sentence(
    folder: Path, arguments: tuple[str, ...], words: str
) -> None:
    code, out, err = keys(folder, *arguments)
    assert (code, out) == (2, "")
    assert words in err


def test_the_store_of_the_environment_counts_first(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = tmp_path / "elsewhere"
    monkeypatch.setenv("KINORA_STORE", str(elsewhere))
    assert keys(folder, "create", "-t", "acme")[0] == 0
    assert list(DirectoryStore(elsewhere).list(layout.keys_prefix("acme")))
    assert not list(DirectoryStore(folder).list(layout.keys_prefix("acme")))
    monkeypatch.setenv("KINORA_STORE", "ftp://x")
    code, _, err = keys(folder, "list", "-t", "acme")
    assert (code, "KINORA_STORE" in err) == (2, True)
