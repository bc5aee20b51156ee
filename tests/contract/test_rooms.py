"""The rooms: anyone can guess the file from the task, and every fact is written once."""

from __future__ import annotations

import re
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
import yaml

from eventing.topology import FUNCTIONS

ROOT = Path(__file__).parents[2]
SOURCES = [
    path
    for room in ("eventing", "functions", "knative", "infra", "tests")
    for path in (ROOT / room).rglob("*.py")
]
VAGUE = {"utils", "util", "common", "helpers", "helper", "manager", "base", "core", "misc"}
NAMES = [function.name for function in FUNCTIONS]


def test_import_names_are_ours_alone() -> None:
    owners = packages_distributions()
    for name in ("eventing", "functions", "knative"):
        assert owners.get(name, ["kinora"]) == ["kinora"]


def test_no_module_has_a_vague_name() -> None:
    assert not [path for path in SOURCES if path.stem in VAGUE]


@pytest.mark.parametrize("function", NAMES)
def test_every_function_has_a_handler_settings_and_a_target(function: str) -> None:
    # The gateway has routes instead.
    handler = "app.py" if function == "gateway" else "handler.py"
    for name in (handler, "settings.py", "main.py"):
        assert (ROOT / "functions" / function / name).is_file()


@pytest.mark.parametrize("function", NAMES)
def test_every_function_has_a_service_of_its_name(function: str) -> None:
    service = yaml.safe_load((ROOT / "knative/base" / f"{function}.yaml").read_text())
    assert service["kind"] == "Service"
    assert service["metadata"]["name"] == function


def test_every_manifest_is_in_the_kustomization() -> None:
    base = ROOT / "knative/base"
    listed = yaml.safe_load((base / "kustomization.yaml").read_text())["resources"]
    present = {path.name for path in base.iterdir()} - {"kustomization.yaml"}
    assert set(listed) == present


def test_no_lock_names_an_address() -> None:
    for lock in (ROOT / "infra/locks").glob("*.txt"):
        assert not re.search(r"https?://|--index|--find-links", lock.read_text()), lock.name


def test_every_locked_line_has_a_hash() -> None:
    for lock in (ROOT / "infra/locks").glob("*.txt"):
        for requirement in lock.read_text().replace("\\\n", " ").splitlines():
            assert "--hash=sha256:" in requirement, f"{lock.name}: {requirement}"
