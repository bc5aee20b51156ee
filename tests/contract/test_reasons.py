"""Every value of the manifests that somebody chose says why, where it stands."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.kustomized import KNATIVE
from tests.policy.reasons import unexplained

FILES = [
    file
    for folder in ("base", "components", "overlays")
    for file in sorted((KNATIVE / folder).rglob("*.yaml"))
]


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(KNATIVE)))
def test_every_value_that_was_chosen_has_its_reason(file: Path) -> None:
    assert list(unexplained(file.read_text())) == []


SERVICE = """\
spec:
  template:
    spec:
      {above}
      timeoutSeconds: 600{beside}
      containers:
        - name: function
          {whole}
          resources:
            requests: {{cpu: "1"}}
            limits: {{memory: 1Gi}}
"""


@pytest.mark.parametrize(
    ("above", "beside", "whole", "left"),
    [
        ("# As long as a task.", "", "# One core.", []),
        ("", " # as long as a task", "# One core.", []),
        ("", "", "# One core.", ["5: timeoutSeconds"]),
        ("# As long as a task.", "", "", ["10: requests", "11: limits"]),
    ],
)
def test_a_reason_is_beside_above_or_over_the_whole(
    above: str, beside: str, whole: str, left: list[str]
) -> None:
    text = SERVICE.format(above=above, beside=beside, whole=whole)
    assert list(unexplained(text)) == left


PATCH = """\
patches:
  - target: {{kind: Service}}
    patch: |
      {reason}
      - {{op: add, path: /spec/template/spec/runtimeClassName, value: nvidia}}
"""


def test_a_patch_says_why_too() -> None:
    assert list(unexplained(PATCH.format(reason="# Brings the driver."))) == []
    assert list(unexplained(PATCH.format(reason=""))) == ["3: patch"]
    ops = "- op: replace\n  path: /spec/template/spec/containers/0/resources/limits\n  value: {}\n"
    assert list(unexplained(ops)) == ["2: path"]
    assert list(unexplained("# Less.\n" + ops)) == []
