"""`kinora evidence --cluster`: everything of a job that ran there, and nothing that is secret."""

from __future__ import annotations

import base64
import json
import tarfile
from pathlib import Path

import pytest

from tests.cluster.installation import Installation

pytestmark = pytest.mark.cluster


def test_evidence_of_a_job_has_its_records_and_everybodys_logs_and_no_secret(
    installation: Installation, short: Path, tmp_path: Path
) -> None:
    dropped = installation.drop(short, "evidence.mp4")
    (job,) = installation.ended([dropped]).values()
    file = tmp_path / "found.tar.gz"
    words = ("evidence", job[:12], "--cluster", "-o", str(file), "--json")
    told = json.loads(installation.kinora(*words))
    with tarfile.open(file) as opened:
        found = {
            name.removeprefix("found/"): member.read().decode()
            for name in opened.getnames()
            if (member := opened.extractfile(name))
        }
    assert sorted(told["files"]) == sorted(found)
    assert json.loads(found[f"job/jobs/{job}/verdict.json"])["state"] == "completed"
    assert json.loads(found["job/report.json"])["job"] == job
    history = [each["type"] for each in json.loads(found["job/history.json"])]
    assert history[0] == "dev.kinora.object.created.v1"
    assert history[-1] == "dev.kinora.job.completed.v1"
    assert "encoder" in found["objects/services.serving.knative.dev.yaml"]
    assert any(name.startswith("knative/knative-serving/logs/activator") for name in found)
    # A pod's log goes with the pod; MinIO's stays.
    assert "logs/minio-0/minio.log" in found
    whole = "".join(found.values())
    for secret in installation.kube.get("secrets")["items"]:
        for key, value in secret.get("data", {}).items():
            if key != "event":  # of a JobSink's Job
                assert value not in whole, (secret["metadata"]["name"], key)
                plain = base64.b64decode(value).decode()
                assert plain not in whole, (secret["metadata"]["name"], key)
