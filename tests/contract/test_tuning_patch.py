"""What tuning proposes can be put into an overlay, and does there what it says."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml

from knative.tuning.advice import Bounds, advise
from knative.tuning.setup import Setup
from tests import kustomized
from tests.observed import film, observations, whole


def test_the_component_makes_the_overlay_what_was_proposed(tmp_path: Path) -> None:
    (before,) = _encoders(kustomized.objects("local"))
    jobs = [film(120.0 * n, [whole(20.0)] * 6) for n in range(5)]
    bounds = Bounds(max_scale=8, min_scale=1, dearer=10)
    advice = advise(observations(*jobs), Setup.parse(before), "latency", bounds)
    assert {change.name for change in advice.changes} > {"max-scale"}

    folder = tmp_path.resolve()
    (folder / "tuned").mkdir()
    (folder / "tuned/kustomization.yaml").write_text(advice.patch())
    way = os.path.relpath(kustomized.KNATIVE, folder)
    overlay = {
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        "resources": [f"{way}/overlays/local"],
        "components": ["tuned", f"{way}/components/settings"],
    }
    (folder / "kustomization.yaml").write_text(yaml.safe_dump(overlay))
    rendered = subprocess.run(["kubectl", "kustomize", folder], check=True, stdout=subprocess.PIPE)
    (after,) = _encoders(yaml.safe_load_all(rendered.stdout))
    assert Setup.parse(after) == advice.proposed


def _encoders(found: Iterable[Any]) -> list[Any]:
    services = kustomized.of_kind(found, "Service", "serving.knative.dev")
    return [each for each in services if each["metadata"]["name"] == "encoder"]
