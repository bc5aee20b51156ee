"""The server takes every overlay, each with any one component more, and all that go together.

Nothing is kept: what is sent goes through defaults, schemas, webhooks and pod security, and is
forgotten. An object that several installations have in common is sent once.
"""

from __future__ import annotations

import copy
import json
import os
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from tests import kustomized
from tests.cluster.kube import ROOT, Kube
from tests.policy.names import NAMESPACE

pytestmark = pytest.mark.cluster

EMPTY: Final = "kinora-dry-run"
"""Where none of it is yet, so that each object is made and not changed."""
_UNKNOWN: Final = re.compile(r"^\| `(\S+) (\w+)` \|", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Sent:
    """One object, and who has it."""

    manifest: Any
    by: tuple[kustomized.Combination, ...]

    @property
    def kind(self) -> str:
        return f"{self.manifest['apiVersion']} {self.manifest['kind']}"


@pytest.fixture(scope="module")
def namespace(cluster: Kube) -> Iterator[Kube]:
    """Empty, and as strict as that of an installation; and it tells of what would be refused."""
    own = yaml.safe_load((ROOT / "infra/platform/namespace/namespace.yaml").read_text())
    labels = own["metadata"]["labels"]
    level = labels["pod-security.kubernetes.io/enforce"]
    manifest = {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {
            "name": EMPTY,
            "labels": {**labels, "pod-security.kubernetes.io/warn": level},
        },
    }
    cluster("apply", "--filename", "-", stdin=json.dumps(manifest))
    yield cluster.within(EMPTY)
    cluster("delete", "namespace", EMPTY, "--wait=false")


@pytest.fixture(scope="module")
def objects() -> list[Sent]:
    """Every object of every installation, once."""
    combinations = tuple(kustomized.combinations())
    kustomized.prepare(combinations)
    had: dict[str, tuple[Any, list[kustomized.Combination]]] = {}
    for combination in combinations:
        for found in kustomized.objects(*combination):
            moved = elsewhere(found)
            had.setdefault(json.dumps(moved, sort_keys=True), (moved, []))[1].append(combination)
    return [Sent(manifest, tuple(by)) for manifest, by in had.values()]


def elsewhere(found: Any) -> Any:
    """The object in the empty namespace."""
    moved = copy.deepcopy(found)
    moved["metadata"]["namespace"] = EMPTY
    spec = moved.get("spec", {})
    for place in (spec, spec.get("config", {})):
        if place.get("namespace") == NAMESPACE:
            place["namespace"] = EMPTY
    return moved


@pytest.fixture(scope="module")
def served(cluster: Kube) -> set[str]:
    """The kinds that the cluster knows, with their version."""
    lines = cluster("api-resources", "--no-headers").splitlines()
    return {" ".join(line.split()[-3::2]) for line in lines}


def documented() -> set[str]:
    """What docs/knative.md says is not run here."""
    page = (ROOT / "docs/knative.md").read_text()
    _, _, table = page.partition("## What is not tried on a cluster")
    return {" ".join(found) for found in _UNKNOWN.findall(table)}


def test_what_the_cluster_cannot_judge_is_what_the_page_says(
    objects: list[Sent], served: set[str], figures: list[str]
) -> None:
    unknown = {each.kind for each in objects} - served
    figures += [
        f"not run, {kind} is not installed: {', '.join(sorted(having(objects, kind)))}"
        for kind in sorted(unknown)
    ]
    assert unknown == documented()


def having(objects: list[Sent], kind: str) -> Iterator[str]:
    """The overlays that have objects of that kind, and `+` the components that bring them."""
    by = {each for sent in objects if sent.kind == kind for each in sent.by}
    overlays = {overlay for overlay, components in by if not components}
    yield from overlays
    yield from {f"+{c[0]}" for overlay, c in by if len(c) == 1 and overlay not in overlays}


def test_the_server_takes_every_object(
    namespace: Kube,
    objects: list[Sent],
    served: set[str],
    tmp_path: Path,
    figures: list[str],
) -> None:
    sent = [each for each in objects if each.kind in served]
    for number, each in enumerate(sent):
        # Complaints name the file.
        overlay, components = each.by[0]
        name = "+".join((f"{number:03}", overlay, *components[:3]))
        (tmp_path / f"{name}.json").write_text(json.dumps(each.manifest))
    taken, complaints = judged(namespace, tmp_path)
    # Warnings too: of pod security, and of what a later version will refuse.
    assert complaints == []
    assert len([line for line in taken if line.endswith("(server dry run)")]) == len(sent)
    combinations = {by for each in sent for by in each.by}
    figures.append(f"the server takes {len(combinations)} installations, {len(sent)} objects")


# What the two tests above rest on: the server does look.
def test_the_server_refuses_what_serving_does_not_allow(
    namespace: Kube, objects: list[Sent], tmp_path: Path
) -> None:
    wrong = next(
        copy.deepcopy(each.manifest)
        for each in objects
        if each.kind == "serving.knative.dev/v1 Service"
    )
    wrong["spec"]["template"]["spec"]["timeoutSeconds"] = 601_000
    (tmp_path / "wrong.json").write_text(json.dumps(wrong))
    _, complaints = judged(namespace, tmp_path)
    assert any("timeoutSeconds" in line for line in complaints)


def judged(namespace: Kube, folder: Path) -> tuple[list[str], list[str]]:
    """What kubectl says of each file of a folder, and what it complains about."""
    ran = subprocess.run(
        ["kubectl", "--namespace", EMPTY, "apply", "--dry-run=server", "--filename", str(folder)],
        env={**os.environ, **namespace.env},
        capture_output=True,
        text=True,
        timeout=120,
    )
    return ran.stdout.splitlines(), ran.stderr.splitlines()
