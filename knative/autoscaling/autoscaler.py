"""Knative's pod autoscaler as a model: concurrency samples in, wanted scales out.

It knows no clock, no process and no thread; whoever runs it brings the time in milliseconds.
`Autoscaler` follows `pkg/autoscaler/scaling/autoscaler.go`, `Activity` follows the reconciler
(`pkg/reconciler/autoscaling/kpa/{kpa,scaler}.go`), step by step and in their order.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final, Literal

from knative.autoscaling.scaling import Scaling
from knative.autoscaling.window import Average, Maximum

ACTIVATION_TIMEOUT_MS: Final = 630_000
"""Progress deadline (600 s) and a buffer: a revision that is not ready by then is given up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What the samples ask for, before min and max scale."""

    desired: int
    excess_burst_capacity: int
    """Negative: the activator belongs in the path of requests."""
    panicking: bool


class Autoscaler:
    """Decides for one revision. `ready` at the start keeps a scale that is already there."""

    def __init__(self, scaling: Scaling, *, now_ms: int, ready: int = 0) -> None:
        self._scaling = scaling
        self._stable = Average(scaling.window_ms, scaling.bucket_ms)
        self._panic = Average(scaling.panic_window_ms, scaling.bucket_ms)
        self._delayed = (
            Maximum(scaling.scale_down_delay_ms, scaling.tick_ms)
            if scaling.scale_down_delay_ms
            else None
        )
        # Without history a restarted autoscaler would scale down at once.
        self._panicking_since_ms = now_ms if ready > 1 else None
        self._most_in_panic = ready

    def record(self, now_ms: int, concurrency: float) -> None:
        """Note how many requests were waited for or worked on, on average, around `now_ms`."""
        self._stable.record(now_ms, concurrency)
        self._panic.record(now_ms, concurrency)

    def decide(self, now_ms: int, ready: int) -> Decision | None:
        """The scale wanted now that `ready` processes are; None while there are no samples."""
        scaling = self._scaling
        if self._stable.empty(now_ms):
            return None
        stable, panic = self._stable.average(now_ms), self._panic.average(now_ms)
        at_least_one = max(1, ready)
        most = math.ceil(scaling.max_scale_up_rate * at_least_one)
        least = math.floor(at_least_one / scaling.max_scale_down_rate)
        by_stable = math.ceil(stable / scaling.target_value)
        by_panic = math.ceil(panic / scaling.target_value)

        desired = self._activated(by_stable, min(max(by_stable, least), most))
        desired_in_panic = self._activated(by_panic, min(max(by_panic, least), most))

        over = by_panic / at_least_one >= scaling.panic_threshold_percent / 100.0
        if over:
            self._panicking_since_ms = now_ms
        elif (
            self._panicking_since_ms is not None
            and self._panicking_since_ms + scaling.window_ms < now_ms
        ):
            self._panicking_since_ms = None
            self._most_in_panic = 0
        if self._panicking_since_ms is not None:
            desired = self._most_in_panic = max(desired, desired_in_panic, self._most_in_panic)

        if self._delayed is not None:
            desired = self._delayed.record(now_ms, desired)
        return Decision(
            desired=desired,
            excess_burst_capacity=self._excess(ready, panic),
            panicking=self._panicking_since_ms is not None,
        )

    def _activated(self, wanted: int, limited: int) -> int:
        if self._scaling.activation_scale > 1 and wanted > 0:
            return max(limited, self._scaling.activation_scale)
        return limited

    def _excess(self, ready: int, panic: float) -> int:
        burst = self._scaling.target_burst_capacity
        if burst == 0:
            return 0
        if burst < 0:
            return -1
        return math.floor(ready * self._scaling.total - burst - panic)


Condition = Literal["activating", "active", "inactive"]


class Activity:
    """Turns decisions into a number of processes: bounds, and the way down to zero.

    A revision that has been active for a stable window and is wanted no more becomes inactive;
    its last process goes when the activator has been in the path for the grace period and the
    retention period is over.
    """

    def __init__(self, scaling: Scaling, *, now_ms: int) -> None:
        self._scaling = scaling
        self.condition: Condition = "activating" if scaling.initial_scale else "inactive"
        self._since_ms = now_ms
        self._proxied_since_ms: int | None = now_ms
        self._initial_reached = scaling.initial_scale == 0

    def scale(self, now_ms: int, decision: Decision | None, ready: int) -> int | None:
        """How many processes there should be; None: leave it as it is."""
        least = max(self._scaling.min_scale, 0 if self._initial_reached else self._initial)
        wanted, applies = self._wanted(now_ms, decision, least)
        self._initial_reached = self._initial_reached or ready >= self._initial
        proxied = (
            wanted == 0
            or (decision is not None and decision.excess_burst_capacity < 0)
            or (wanted is None and self.condition == "inactive")
        )
        if not proxied:
            self._proxied_since_ms = None
        elif self._proxied_since_ms is None:
            self._proxied_since_ms = now_ms
        self._become(now_ms, wanted, ready >= max(1, least))
        return wanted if applies else None

    @property
    def _initial(self) -> int:
        most = self._scaling.max_scale
        return min(self._scaling.initial_scale, most) if most else self._scaling.initial_scale

    def _wanted(
        self, now_ms: int, decision: Decision | None, least: int
    ) -> tuple[int | None, bool]:
        """The scale, None for unknown, and whether it is to be applied."""
        if decision is None and self.condition != "activating":
            return None, False
        desired = max(least, self._scaling.bounded(decision.desired if decision else 0))
        if desired:
            return desired, True
        age_ms = now_ms - self._since_ms
        match self.condition:
            case "activating":
                return (0, True) if age_ms >= ACTIVATION_TIMEOUT_MS else (None, False)
            case "active":
                return (0, False) if age_ms >= self._scaling.window_ms else (1, True)
            case "inactive":
                proxied_ms = now_ms - (
                    now_ms if self._proxied_since_ms is None else self._proxied_since_ms
                )
                applies = (
                    proxied_ms >= self._scaling.grace_ms and age_ms >= self._scaling.retention_ms
                )
                return 0, applies

    def _become(self, now_ms: int, wanted: int | None, enough: bool) -> None:
        condition: Condition
        if wanted == 0 or (wanted is None and self.condition == "inactive"):
            condition = "inactive"
        else:
            condition = "active" if enough else "activating"
        if condition != self.condition:
            self.condition = condition
            self._since_ms = now_ms
