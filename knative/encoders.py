"""The functions whose bound is a setting, since others count by it: plans and admission.

How many pods such a function may have at most is said once, in the ConfigMap, and copied from there
to the function and to whoever counts. A pod that takes several tasks at a time changes nothing
about it: the setting stays the number of pods.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

SETTINGS: Final = "kinora-settings"
"""The ConfigMap that a deploy copies from."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """Where the bound of an encoder stands besides."""

    variable: str
    """Of whoever counts by it."""
    setting: str
    """In the ConfigMap."""
    copier: str
    """The component that copies it from there."""


COUNTED: Final[Mapping[str, Counted]] = {
    "encoder": Counted(variable="KINORA_ENCODERS", setting="encoders", copier="settings"),
    "encoder-gpu": Counted(variable="KINORA_GPU_ENCODERS", setting="gpus", copier="gpu-encoder"),
}
