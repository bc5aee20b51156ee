"""Settings that differ between two setups, one by one, under the names they have in manifests."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Final

from knative.tuning.setup import Setup

_SECONDS: Final = ("window_ms", "scale_down_delay_ms")
_SCALING: Final = {
    "container_concurrency": "containerConcurrency",
    "target_utilization_percent": "target-utilization-percentage",
    "min_scale": "min-scale",
    "max_scale": "max-scale",
    "window_ms": "window",
    "panic_window_percent": "panic-window-percentage",
    "scale_down_delay_ms": "scale-down-delay",
}
CHUNK: Final = "chunk_s"


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One setting."""

    name: str
    """Of the annotation without its prefix, of the field, or of the profile's `chunk_s`."""
    before: str
    after: str
    why: str = ""

    def undone(self, proposed: Setup, current: Setup) -> Setup:
        """Without this change."""
        if self.name == CHUNK:
            return replace(proposed, chunk_s=current.chunk_s)
        fields = [field for field, name in _SCALING.items() if name == self.name]
        # The panic window is a share of the other one: they come and go together.
        if self.name in ("window", "panic-window-percentage"):
            fields = ["window_ms", "panic_window_percent"]
        old: dict[str, Any] = {field: getattr(current.scaling, field) for field in fields}
        return replace(proposed, scaling=replace(proposed.scaling, **old))


def changed(before: Setup, after: Setup) -> Iterator[Change]:
    for field, name in _SCALING.items():
        old, new = getattr(before.scaling, field), getattr(after.scaling, field)
        if old != new:
            yield Change(name=name, before=_text(field, old), after=_text(field, new))
    if before.chunk_s != after.chunk_s:
        yield Change(name=CHUNK, before=str(before.chunk_s), after=str(after.chunk_s))


def _text(field: str, value: float) -> str:
    """As a manifest has it."""
    return f"{value / 1_000:g}s" if field in _SECONDS else f"{value:g}"
