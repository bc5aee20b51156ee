"""A file that is handed to a runtime over buckets."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from functions.adapters.connect import object_store
from functions.jobs.manifest import SourceObject
from knative.cli.main import app
from knative.local.home import Home
from knative.local.stores import Stores
from tests import servers
from tests.s3_buckets import fresh_buckets

pytestmark = pytest.mark.servers


def test_a_file_is_submitted_into_the_bucket_once_and_its_job_is_found_before_it_begins(
    minio_server: servers.Minio, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in minio_server.environment.items():
        monkeypatch.setenv(name, value)
    location = fresh_buckets(minio_server, versioned=True)
    site = tmp_path / "site"
    home = Home(site)
    home.own.mkdir(parents=True)
    home.settle(Stores(objects=location))
    film = tmp_path / "film.mp4"
    film.write_bytes(b"x" * 1000)

    def kinora(command: str, *arguments: str) -> Result:
        return CliRunner().invoke(app, [command, *arguments, "--dir", str(site)])

    submitted = kinora("submit", str(film), "-t", "acme", "-p", "fast")
    assert submitted.exit_code == 0, submitted.output
    assert f"kinora up --dir {site} --store {location}" in submitted.stderr
    store = object_store(location)
    info = store.head("uploads/acme/film.mp4")
    assert info is not None and info.version
    job = submitted.stdout.strip()
    assert job == SourceObject.of(info).created.job
    assert json.loads(store.get("uploads/acme/film.mp4.json")) == {"profile": "fast"}
    assert "has not begun" in kinora("show", job[:12]).stderr
    again = kinora("submit", str(film), "-t", "acme")
    assert again.exit_code == 2
    assert "already" in again.stderr
