"""How a revision wants to be scaled: Knative's autoscaling annotations as one validated value.

Keys, defaults and bounds are those of `pkg/apis/autoscaling` and of the ConfigMap
`config-autoscaler`; whole milliseconds stand for durations.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from knative.duration import go_milliseconds
from knative.field import Field

PREFIX: Final = "autoscaling.knative.dev/"
UNLIMITED: Final = 0
"""A `max_scale` that bounds nothing."""

_CLASS: Final = "kpa.autoscaling.knative.dev"
_TARGET_WITHOUT_LIMIT: Final = 100.0
_HOUR_MS: Final = 3_600_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Scaling:
    """What the autoscaler goes by. The defaults are Knative's."""

    container_concurrency: int = 0
    """Requests that one process takes at a time; 0: as many as come."""
    target: float | None = None
    """Wanted concurrency of one process; None: `container_concurrency`, or 100 where that is 0."""
    target_utilization_percent: float = 70.0
    min_scale: int = 0
    max_scale: int = UNLIMITED
    initial_scale: int = 1
    activation_scale: int = 0
    """Least scale when coming up from zero; 0: none."""
    window_ms: int = 60_000
    panic_window_percent: float = 10.0
    panic_threshold_percent: float = 200.0
    target_burst_capacity: float = 211.0
    scale_down_delay_ms: int = 0
    retention_ms: int = 0
    """How long the last process stays after the revision became inactive."""
    # From here on a cluster sets it for everybody, not a revision for itself.
    grace_ms: int = 30_000
    max_scale_up_rate: float = 1_000.0
    max_scale_down_rate: float = 2.0
    tick_ms: int = 2_000
    """Time between two decisions."""
    bucket_ms: int = 1_000
    """Time that one concurrency sample speaks of."""

    @property
    def total(self) -> float:
        """Concurrency that one process can bear."""
        if self.target is None:
            return float(self.container_concurrency) or _TARGET_WITHOUT_LIMIT
        if self.container_concurrency:
            return min(self.target, float(self.container_concurrency))
        return self.target

    @property
    def target_value(self) -> float:
        """Concurrency for which one process is wanted."""
        # In this order, or 3 at 70 % would be another number in its last digit.
        return max(0.01, self.total * (self.target_utilization_percent / 100.0))

    @property
    def panic_window_ms(self) -> int:
        """Share of the stable window in whole seconds, at least one sample."""
        seconds = int(self.window_ms * self.panic_window_percent / 100_000.0 + 0.5)
        return max(seconds * 1_000, self.bucket_ms)

    def bounded(self, scale: int) -> int:
        """`scale` within min and max."""
        if scale < self.min_scale:
            return self.min_scale
        return min(scale, self.max_scale) if self.max_scale else scale

    @classmethod
    def parse(cls, annotations: Field, container_concurrency: int) -> Scaling:
        """Read a revision template's annotations. Raises Invalid naming the annotation."""
        known = {
            _kebab(name.removeprefix(PREFIX)): Field(f"{annotations.path}.{name}", field.value)
            for name, field in annotations.members()
            if name.startswith(PREFIX)
        }
        for key, field in known.items():
            if key not in _READ and key not in ("class", "metric", "metric-aggregation-algorithm"):
                raise field.invalid("is no autoscaling annotation of a revision")
        for key, only in (
            ("class", _CLASS),
            ("metric", "concurrency"),
            ("metric-aggregation-algorithm", "linear"),
        ):
            if key in known and known[key].text() != only:
                raise known[key].invalid(f"only {only} is done here")
        values = {_READ[key][0]: _number(key, known[key]) for key in known if key in _READ}
        scaling = cls(container_concurrency=container_concurrency, **values)  # type: ignore[arg-type]
        if scaling.max_scale and scaling.min_scale > scaling.max_scale:
            raise annotations.invalid(
                f"min-scale {scaling.min_scale} is above max-scale {scaling.max_scale}"
            )
        if scaling.activation_scale and (
            scaling.activation_scale < scaling.min_scale
            or (scaling.max_scale and scaling.activation_scale > scaling.max_scale)
        ):
            raise annotations.invalid("activation-scale must be between min-scale and max-scale")
        return scaling


@dataclass(frozen=True, slots=True)
class _Range:
    """Kind and bounds of an annotation's value."""

    kind: str
    least: float
    most: float


_READ: Final[Mapping[str, tuple[str, _Range]]] = {
    "target": ("target", _Range("number", 0.01, float("inf"))),
    "target-utilization-percentage": ("target_utilization_percent", _Range("number", 1, 100)),
    "min-scale": ("min_scale", _Range("count", 0, 2**31 - 1)),
    "max-scale": ("max_scale", _Range("count", 0, 2**31 - 1)),
    "initial-scale": ("initial_scale", _Range("count", 0, 2**31 - 1)),
    "activation-scale": ("activation_scale", _Range("count", 2, 2**31 - 1)),
    "window": ("window_ms", _Range("duration", 6_000, _HOUR_MS)),
    "panic-window-percentage": ("panic_window_percent", _Range("number", 1, 100)),
    "panic-threshold-percentage": ("panic_threshold_percent", _Range("number", 110, 1_000)),
    "target-burst-capacity": ("target_burst_capacity", _Range("burst", -1, float("inf"))),
    "scale-down-delay": ("scale_down_delay_ms", _Range("duration", 0, _HOUR_MS)),
    "scale-to-zero-pod-retention-period": ("retention_ms", _Range("duration", 0, _HOUR_MS)),
}


def _kebab(name: str) -> str:
    """`minScale`, as older manifests have it, is `min-scale`."""
    return re.sub(r"[A-Z]", lambda found: f"-{found.group().lower()}", name)


def _number(key: str, field: Field) -> float | int:
    text, bounds = field.text(), _READ[key][1]
    value: float | int
    try:
        match bounds.kind:
            case "duration":
                value = go_milliseconds(text)
            case "count":
                value = int(text)
            case _:
                value = float(text)
    except ValueError:
        raise field.invalid(f"{text!r} is no {bounds.kind}") from None
    if not bounds.least <= value <= bounds.most:
        raise field.invalid(f"{text} is not between {bounds.least} and {bounds.most}")
    if bounds.kind == "burst" and -1 < value < 0:
        raise field.invalid(f"{text} is neither -1 nor at least 0")
    if key == "window" and value % 1_000:
        raise field.invalid(f"{text} is not a whole number of seconds")
    return value
