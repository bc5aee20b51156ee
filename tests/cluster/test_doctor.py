"""`kinora doctor --cluster`: a cluster that is as it has to be, and where nothing is installed."""

from __future__ import annotations

import json
import subprocess
from typing import Any

import pytest

from knative.operating.diagnosis.versions import SUPPORTED, number
from tests.cluster.installation import Installation

pytestmark = pytest.mark.cluster


def findings(installation: Installation, *words: str) -> tuple[int, dict[str, Any]]:
    try:
        said = installation.kinora("doctor", "--cluster", "--json", *words)
        code = 0
    except subprocess.CalledProcessError as error:
        said, code = error.stdout, error.returncode
    return code, {each["what"]: each for each in json.loads(said)}


def test_nothing_is_missing_where_tests_run_and_events_in_memory_are_told(
    installation: Installation,
) -> None:
    code, found = findings(installation)
    assert code == 0, [each for each in found.values() if each["state"] == "missing"]
    assert found["durability"]["state"] == "poor"
    assert "in-memory" in found["durability"]["found"]
    for what in ("feature flags", "secrets", "functions", "broker", "sink", "triggers", "tick"):
        assert found[what]["state"] == "ok", found[what]


def test_tests_run_on_the_versions_that_are_said_to_be_tested(installation: Installation) -> None:
    _, found = findings(installation)
    for support in SUPPORTED:
        assert number(found[support.what]["found"]) == support.tested


def test_where_nothing_is_installed_that_is_what_is_missing(installation: Installation) -> None:
    code, found = findings(installation, "--namespace", "default")
    assert code == 4
    assert found["functions"]["state"] == "missing"
    assert found["broker"]["state"] == "missing"
    assert "kinora deploy" in found["functions"]["advice"]
