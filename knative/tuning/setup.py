"""What can be tuned of an encoder's Service, as it is now or as it might be."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from functions.jobs.admission import SPARE_SLOTS
from knative.autoscaling.scaling import Scaling
from knative.field import Field

CHUNK_S: Final = 60
"""A profile's longest chunk where it says nothing else."""
_TIMEOUT_S: Final = 300
_UNBOUNDED: Final = 10
"""Encoders that are planned for where nothing bounds them: the base's own number."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    """One encoder Service and what is planned by it."""

    name: str = "encoder"
    scaling: Scaling
    chunk_s: int = CHUNK_S
    """Seconds of the longest chunk, as the profile says."""
    cores: float = 1.0
    """What one pod may count on."""
    timeout_s: int = _TIMEOUT_S
    """From a request's arrival to its answer, time in the queue included."""

    @classmethod
    def parse(cls, service: Mapping[str, object], *, chunk_s: int = CHUNK_S) -> Setup:
        """Read a manifest, or what the API server says of a Service. Raises Invalid."""
        root = Field("", service)
        template = root["spec"]["template"]
        spec = template["spec"]
        annotations = template["metadata"]["annotations"]
        containers = spec["containers"].items()
        if not containers:
            raise spec["containers"].invalid("is required")
        timeout_s = spec["timeoutSeconds"].count(_TIMEOUT_S)
        return cls(
            name=root["metadata"]["name"].text(),
            scaling=Scaling.parse(annotations, spec["containerConcurrency"].count(0)),
            chunk_s=chunk_s,
            cores=containers[0]["resources"]["requests"]["cpu"].cores() or 1.0,
            timeout_s=timeout_s,
        )

    @property
    def encoders(self) -> int:
        """What plans are cut for and admission counts by: pods, whatever each takes at a time, as
        the setting has it (`knative.encoders`)."""
        return self.scaling.max_scale or _UNBOUNDED

    @property
    def slots(self) -> int:
        """Tasks that admission lets be in flight."""
        return self.encoders + SPARE_SLOTS
