"""What was advised, as a kustomize component for an overlay."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from knative.autoscaling.scaling import PREFIX
from knative.tuning.change import CHUNK, Change
from knative.tuning.setup import Setup

COUNTED: Final = "encoder"
"""The Service whose bound is a setting, as others go by it."""
_HEAD: Final = """\
apiVersion: kustomize.config.k8s.io/v1alpha1
kind: Component
# Stands in an overlay's `components` before components/settings.
"""


def component(current: Setup, proposed: Setup, changes: Sequence[Change]) -> str:
    """The text of its kustomization.yaml; "" without changes. What a profile has to say stands in
    a comment."""
    if not changes:
        return ""
    return _HEAD + "".join(f"{line}\n" for line in _lines(current, proposed, changes))


def _lines(current: Setup, proposed: Setup, changes: Sequence[Change]) -> Iterator[str]:
    for change in changes:
        if change.name == CHUNK:
            yield f"# Profiles: chunk_s = {change.after} # was {change.before}: {change.why}"
    counted = proposed.name == COUNTED and proposed.encoders != current.encoders
    encoders = proposed.encoders if counted else None
    elsewhere = (CHUNK, "max-scale") if counted else (CHUNK,)
    service = [change for change in changes if change.name not in elsewhere]
    if encoders is None and not service:
        return
    yield "patches:"
    if encoders is not None:
        # Whoever counts encoders reads this, the encoder's own max-scale too.
        yield from _patch("v1", "ConfigMap", "kinora-settings")
        yield "      data:"
        why = next((change for change in changes if change.name == "max-scale"), None)
        yield f'        encoders: "{encoders}"' + (_said(why) if why else "")
    if not service:
        return
    yield from _patch("serving.knative.dev/v1", "Service", proposed.name)
    yield "      spec:"
    yield "        template:"
    annotations = [change for change in service if change.name != "containerConcurrency"]
    if annotations:
        yield "          metadata:"
        yield "            annotations:"
        for change in annotations:
            yield f'              {PREFIX}{change.name}: "{change.after}"{_said(change)}'
    for change in service:
        if change.name == "containerConcurrency":
            yield "          spec:"
            yield f"            containerConcurrency: {change.after}{_said(change)}"


def _patch(version: str, kind: str, name: str) -> Iterator[str]:
    yield "  - patch: |"
    yield f"      apiVersion: {version}"
    yield f"      kind: {kind}"
    yield "      metadata:"
    yield f"        name: {name}"


def _said(change: Change) -> str:
    return f" # was {change.before}: {change.why}"
