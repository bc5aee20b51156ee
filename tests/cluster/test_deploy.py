"""`kinora deploy` on a cluster: once makes everything, twice nothing; what fails is explained."""

from __future__ import annotations

import json
import subprocess
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.cluster.conftest import OVERLAY
from tests.cluster.installation import Installation
from tests.cluster.kube import Kube

pytestmark = pytest.mark.cluster

IMAGE = "dev.local/kinora-lean:dev"


def test_deploying_again_changes_nothing(installation: Installation) -> None:
    installation.deploy(OVERLAY)  # what other tests changed is the overlay's again
    secrets = installation.kube.get("secrets")
    kept = {each["metadata"]["name"]: each["data"] for each in secrets["items"]}
    revisions = {each["metadata"]["name"] for each in installation.kube.get("revisions")["items"]}
    told = json.loads(installation.kinora("deploy", "--overlay", str(OVERLAY), "--json"))
    changes = {(each["kind"], each["name"]): each["change"] for each in told["objects"]}
    assert changes.pop(("Job", "buckets")) == "run again"
    assert set(changes.values()) == {"same"}
    again = installation.kube.get("secrets")
    assert {each["metadata"]["name"]: each["data"] for each in again["items"]} == kept
    after = installation.kube.get("revisions")["items"]
    assert {each["metadata"]["name"] for each in after} == revisions


def test_a_trial_has_the_cluster_judge_and_changes_nothing(installation: Installation) -> None:
    before = installation.kube.get("ksvc", "encoder")["metadata"]["generation"]
    told = json.loads(
        installation.kinora(
            "deploy",
            "--overlay",
            str(OVERLAY),
            "--image",
            "kinora-media=dev.local/kinora-media:other",
            "--dry-run",
            "--json",
        )
    )
    changed = {each["name"] for each in told["objects"] if each["change"] == "changed"}
    assert {"encoder", "chunker"} <= changed
    assert "gateway" not in changed
    assert installation.kube.get("ksvc", "encoder")["metadata"]["generation"] == before


@pytest.fixture
def namespace(cluster: Kube, tmp_path: Path) -> Iterator[str]:
    """Of the test alone: one that goes lives on for a while."""
    name = f"deploy-{zlib.crc32(tmp_path.name.encode()):08x}"
    yield name
    cluster("delete", "namespace", name, "--ignore-not-found", "--wait=false")


def overlay(folder: Path, namespace: str, *objects: dict[str, Any]) -> Path:
    (folder / "objects.yaml").write_text(yaml.safe_dump_all(objects))
    built = {"namespace": namespace, "resources": ["objects.yaml"]}
    (folder / "kustomization.yaml").write_text(yaml.safe_dump(built))
    return folder


def service(name: str, command: list[str], **more: Any) -> dict[str, Any]:
    container = {"image": IMAGE, "name": "function", "command": command, **more}
    return {
        "apiVersion": "serving.knative.dev/v1",
        "kind": "Service",
        "metadata": {"name": name},
        "spec": {"template": {"spec": {"containers": [container]}}},
    }


def deployed(cluster: Kube, folder: Path, *words: str) -> tuple[int, Any, str]:
    """Exit code, what `--json` printed, and what was told beside it."""
    within = Installation(cluster.within("kinora"), folder)
    try:
        said = within.kinora("deploy", "--overlay", str(folder), "--json", *words)
    except subprocess.CalledProcessError as error:
        return error.returncode, json.loads(error.stdout), error.stderr
    return 0, json.loads(said), ""


def test_what_does_not_become_ready_is_explained_by_its_own_last_words(
    installation: Installation, cluster: Kube, namespace: str, tmp_path: Path
) -> None:
    dies = service("dies", ["python", "-c", "raise SystemExit('out of luck')"])
    code, told, said = deployed(cluster, overlay(tmp_path, namespace, dies), "--timeout", "25")
    assert (code, told["code"]) == (4, "not_ready")
    (unready,) = told["unready"]
    assert (unready["kind"], unready["name"]) == ("Service", "dies")
    assert "out of luck" in "\n".join(unready["log"])
    assert any("exit code 1" in each for each in unready["pods"])
    assert "Service dies" in told["reason"]
    assert "out of luck" in said


def test_a_secret_that_only_you_know_is_asked_for_before_anything_is_made(
    installation: Installation, cluster: Kube, namespace: str, tmp_path: Path
) -> None:
    reference = {"secretKeyRef": {"name": "registry-password", "key": "word"}}
    needs = service("needs", ["true"], env=[{"name": "WORD", "valueFrom": reference}])
    code, told, _ = deployed(cluster, overlay(tmp_path, namespace, needs))
    assert (code, told["code"]) == (4, "not_prepared")
    assert "kubectl create secret generic registry-password" in told["reason"]
    assert "--from-literal=word=" in told["reason"]
    names = [each["metadata"]["name"] for each in cluster.get("namespaces")["items"]]
    assert namespace not in names


def test_a_kind_that_the_cluster_does_not_know_is_named_with_who_brings_it(
    installation: Installation, cluster: Kube, namespace: str, tmp_path: Path
) -> None:
    unknown = {"apiVersion": "keda.sh/v1alpha9", "kind": "Scaler", "metadata": {"name": "x"}}
    code, told, _ = deployed(cluster, overlay(tmp_path, namespace, unknown))
    assert (code, told["code"]) == (4, "not_prepared")
    assert "Install KEDA first" in told["reason"]
