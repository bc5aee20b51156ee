"""knative/components/gpu-encoder/encoder.yaml: the encoder once more, under another name.

What it takes to be where a GPU is comes by patches beside it. A copy, because kustomize would still
find one that it renamed by its first name, and take it for the other encoder.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from eventing.topology import DETOURS

_BASE: Final = Path(__file__).resolve().parents[2] / "knative/base/encoder.yaml"
_HEAD: Final = "# Generated from knative/base/encoder.yaml by `make generate`: edit that.\n"
_CHANGES: Final = (("\n  name: encoder\n", "\n  name: {name}\n"), ("`encoders`", "`gpus`"))
"""The name, and which setting bounds it. The program and its keys are the same."""


def files() -> dict[str, str]:
    """By path."""
    (detour,) = (each for each in DETOURS if not each.job)
    text = _BASE.read_text()
    for old, new in _CHANGES:
        if text.count(old) != 1:
            raise ValueError(f"{_BASE.name} has {old!r} {text.count(old)} times, not once")
        text = text.replace(old, new.format(name=detour.name))
    return {f"knative/components/{detour.component}/encoder.yaml": _HEAD + text}
