"""What differs on one machine from a cluster, in one place. Everything else is the manifests'."""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from knative.local.service import Service

ENCODER: Final = "encoder"
"""The Service whose processes are counted as encoders."""
BEGINNING: Final = ("ingest", "chunker")
"""The Services that a job needs once, before anything is encoded."""
THROUGHOUT: Final = (ENCODER, "assembler")
"""Those that it needs from then on until it ends."""


def cores() -> int:
    """How many cores this process may keep busy: its affinity, less where its group has less."""
    usable = len(os.sched_getaffinity(0))
    with suppress(OSError, ValueError):
        quota, period = Path("/sys/fs/cgroup/cpu.max").read_text().split()
        usable = min(usable, max(1, round(int(quota) / int(period))))
    return usable


@dataclass(frozen=True, slots=True, kw_only=True)
class Overlay:
    """Changes every Service before it is run."""

    cores: int
    encoders: int
    """Most encoders at a time."""
    for_one_job: bool = False
    """Whether the runtime lives for one job: what that needs is started before anybody asks for
    it, side by side and not one after the other, and what it needs throughout stays."""
    window_ms: int = 10_000
    """A process starts in a fraction of a second here and its memory is needed by the encoders:
    ten seconds without a request are enough to let it go, and short chunks follow each other
    quickly enough to keep the assembler."""
    tick_ms: int = 250
    """A machine has few functions and no scraping: looking four times a second costs nothing, and
    the second encoder starts as soon as there is a second chunk."""

    def apply(self, service: Service) -> Service:
        """The Service as it is run here."""
        scaling = service.scaling
        if service.name == ENCODER:
            most = self.encoders
        else:
            # More processes than cores would only take turns.
            most = max(1, int(self.cores // max(1.0, service.cpu_request)))
            if scaling.max_scale:
                most = min(most, scaling.max_scale)
        kept = min(max(scaling.min_scale, self._kept(service.name)), most)
        return replace(
            service,
            scaling=replace(
                scaling,
                max_scale=most,
                min_scale=kept,
                activation_scale=min(scaling.activation_scale, most),
                # A revision is never first rolled out here: nothing runs until it is expected.
                initial_scale=max(kept, int(self.for_one_job and service.name in BEGINNING)),
                window_ms=self.window_ms,
                tick_ms=self.tick_ms,
                bucket_ms=self.tick_ms,
                # The activator is always in the path here: there is nothing to wait for.
                grace_ms=0,
            ),
        )

    def _kept(self, name: str) -> int:
        """Two encoders have something to do soon: the film's beginning and its sound. Whether more
        do shows when there is a plan."""
        if not self.for_one_job or name not in THROUGHOUT:
            return 0
        return min(self.cores, 2) if name == ENCODER else 1
