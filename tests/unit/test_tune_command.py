"""`kinora knative tune`: from the records of a store and a manifest to a patch."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from functions.adapters.directory import DirectoryStore
from functions.assembler.report import Report
from functions.jobs import layout, record
from knative.cli.main import app
from knative.cli.operating import tune as command
from knative.operating import reports
from tests.fakes import MemoryStore
from tests.observed import service
from tests.unit import cluster_samples as samples
from tests.unit.test_tuning_workload import report

NOW_S = 1_800_000_000.0


def keep(store: DirectoryStore | MemoryStore, job: str, tenant: str, accepted_s: float) -> Report:
    """A completed job as its records tell of it."""
    told = report()
    shift = accepted_s - told.accepted_s
    tasks = tuple(
        replace(task, started_s=task.started_s + shift, finished_s=task.finished_s + shift)
        for task in told.tasks
    )
    told = replace(
        told,
        job=job,
        tenant=tenant,
        accepted_s=accepted_s,
        finished_s=told.finished_s + shift,
        tasks=tasks,
    )
    store.create(layout.tenant_job(tenant, accepted_s, job), b"")
    store.create(layout.media(job, layout.REPORT), record.dump(told))
    return told


def test_the_newest_reports_of_all_tenants_come_first() -> None:
    store = MemoryStore()
    for number, tenant in enumerate(("acme", "ben", "acme", "cleo")):
        keep(store, f"{number}" * 32, tenant, NOW_S + number)
    store.create(layout.tenant_job("ben", NOW_S + 9, "f" * 32), b"")  # not completed
    store.create(layout.key("ben", "k"), b"{}")
    found = [each.job[0] for each in reports.newest(store, limit=3)]
    assert found == ["3", "2", "1"]
    late = [each.job[0] for each in reports.newest(store, limit=9, since_s=NOW_S + 2)]
    assert late == ["3", "2"]
    assert list(reports.tenants(store)) == ["acme", "ben", "cleo"]


def test_a_report_that_cannot_be_read_keeps_no_other_back() -> None:
    store = MemoryStore()
    keep(store, "1" * 32, "acme", NOW_S)
    store.create(layout.tenant_job("acme", NOW_S + 1, "2" * 32), b"")
    store.create(layout.media("2" * 32, layout.REPORT), b"{}")
    assert [each.job for each in reports.newest(store, limit=9)] == ["1" * 32]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    import time

    for name in ("KINORA_STORE", "KINORA_DIR"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "work").mkdir()
    store = DirectoryStore(tmp_path)
    for number in range(8):
        keep(store, f"{number}" * 32, "acme", time.time() - 3600 + number)
    (tmp_path / "encoder.yaml").write_text(yaml.safe_dump(service({"max-scale": "1"})))
    return tmp_path


def tune(folder: Path, *words: str) -> tuple[int, str, str]:
    manifest = str(folder / "encoder.yaml")
    ran = CliRunner().invoke(
        app, ["knative", "tune", "--dir", str(folder), "--manifest", manifest, *words]
    )
    return ran.exit_code, ran.stdout, ran.stderr


def test_more_encoders_are_proposed_where_one_was_too_few(folder: Path) -> None:
    code, out, _ = tune(folder, "--max", "8", "--json")
    assert code == 0
    told: Any = json.loads(out)
    assert told["jobs"] == 8
    assert told["after"]["p95_s"] <= told["before"]["p95_s"]
    assert {change["name"] for change in told["changes"]}
    assert yaml.safe_load(told["patch"])["kind"] == "Component"


def test_people_see_what_is_expected_and_the_patch_is_written(folder: Path) -> None:
    code, out, _ = tune(folder, "--max", "8", "--write", str(folder / "tuned"))
    assert code == 0
    assert "by the model" in out
    written = yaml.safe_load((folder / "tuned/kustomization.yaml").read_text())
    assert written["kind"] == "Component"


def test_reports_are_handed_on_line_by_line(folder: Path) -> None:
    ran = CliRunner().invoke(
        app, ["knative", "tune", "--reports", "--jobs", "3", "--dir", str(folder)]
    )
    lines = ran.stdout.splitlines()
    found = [record.load(line.encode(), Report).job[0] for line in lines]
    assert found == ["7", "6", "5"]


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("--days", "0.01"), 4, "No job was completed"),
        (("--function", "encoder-gpu"), 2, "holds no Service"),
    ],
)
def test_what_there_is_nothing_to_go_by_for_is_a_sentence(
    folder: Path, words: tuple[str, ...], code: int, said: str
) -> None:
    found, _, err = tune(folder, *words)
    assert found == code
    assert said in err


def test_where_nothing_helps_that_is_said(folder: Path) -> None:
    found = list(reports.newest(DirectoryStore(folder), limit=1))
    advice = command.advised(found, service({"max-scale": "1"}), 0.0, "latency", 1)
    unchanged = replace(advice, proposed=advice.current, after=advice.before, changes=())
    assert "Nothing that could be changed" in samples.printed(command.tables(unchanged, 1))
    assert command.as_values(unchanged, 1)["patch"] == ""


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"\xd0\x00", "is no text"),
        (b"a: [", "is no YAML"),
        (b"kind: Service\nmetadata:\n", "holds no Service"),
    ],
)
def test_a_manifest_that_cannot_be_read_is_named(
    folder: Path, content: bytes, said: str, tmp_path: Path
) -> None:
    (file := tmp_path / "settings.yaml").write_bytes(content)
    found, _, err = tune(folder, "--manifest", str(file))
    assert found == 2
    assert f"settings.yaml {said}" in " ".join(err.split())
