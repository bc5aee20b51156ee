"""What was advised, as a kustomize component for an overlay."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from knative.autoscaling.scaling import PREFIX
from knative.encoders import COUNTED, SETTINGS
from knative.tuning.change import CHUNK, Change
from knative.tuning.setup import Setup

_LAST: Final = "settings"
"""The component that stands after this one, and so copies what this one sets."""
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
    counted = COUNTED.get(proposed.name)
    bound = next((change for change in changes if change.name == "max-scale"), None)
    for change in changes:
        if change.name == CHUNK:
            yield f"# Profiles: chunk_s = {change.after} # was {change.before}: {change.why}"
    if counted and bound and counted.copier != _LAST:
        # Too late here: that component brought the Service, and has copied the setting.
        yield (
            f"# {SETTINGS}: {counted.setting} = {proposed.encoders}, by a configMapGenerator of the"
            f" overlay{_said(bound)}"
        )
    elsewhere = (CHUNK, "max-scale") if counted else (CHUNK,)
    service = [change for change in changes if change.name not in elsewhere]
    here = bound if counted and counted.copier == _LAST else None
    if here is None and not service:
        return
    yield "patches:"
    if counted and here:
        # Whoever counts encoders reads this, the encoder's own max-scale too.
        yield from _patch("v1", "ConfigMap", SETTINGS)
        yield "      data:"
        yield f'        {counted.setting}: "{proposed.encoders}"{_said(here)}'
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
