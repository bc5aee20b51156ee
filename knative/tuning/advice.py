"""Which settings would have served the observed jobs better, for a goal.

From the settings as they are it goes by single changes, each time the one that helps most, until
none helps by a hundredth; then it takes back whatever turns out not to matter. So what it proposes
is never worse in its goal than what is there, by the model.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Final, Literal

from knative.tuning import patch
from knative.tuning.change import Change, changed
from knative.tuning.effect import Effect, predict
from knative.tuning.observation import Observations, Times
from knative.tuning.setup import Setup

Goal = Literal["latency", "cost"]

_WORTH: Final = 0.01
"""Of what is to become less: a change that gains less is none."""
_WINDOWS_S: Final = (6, 10, 15, 20, 30, 45, 60, 90, 120, 180, 300)
_DELAYS_S: Final = (0, 15, 30, 60, 120, 300)
_UTILIZATIONS: Final = (50.0, 70.0, 100.0)
_CHUNKS_S: Final = (4, 8, 12, 20, 30, 45, 60)
_PANIC_MS: Final = 6_000
"""Of every window, or a burst would be seen late: what a minute's window has by default."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """What may be proposed."""

    max_scale: int | None = None
    """Pods that there is room for; None: as many as may be now."""
    min_scale: int = 1
    """Pods that may be kept for nobody."""
    concurrencies: tuple[int, ...] = (1, 2)
    """Tasks at a time in one pod."""
    dearer: float = 1.5
    """For latency: pod-seconds may grow to this multiple."""
    slower: float = 1.5
    """For cost: the 95th percentile of a job's time may grow to this multiple."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Advice:
    goal: Goal
    current: Setup
    proposed: Setup
    measured: Times
    """Of the jobs as they really were."""
    before: Effect
    after: Effect
    """Both by the model."""
    changes: tuple[Change, ...]

    def patch(self) -> str:
        """A kustomize component that makes the changes; "" where there are none."""
        return patch.component(self.current, self.proposed, self.changes)


def advise(
    observations: Observations, current: Setup, goal: Goal, bounds: Bounds | None = None
) -> Advice:
    """Raises ValueError where no job was observed."""
    search = _Search(observations, current, goal, bounds or Bounds())
    proposed = search.pruned(search.best())
    return Advice(
        goal=goal,
        current=current,
        proposed=proposed,
        measured=observations.times,
        before=search.effect(current),
        after=search.effect(proposed),
        changes=tuple(
            replace(change, why=search.why(proposed, change))
            for change in changed(current, proposed)
        ),
    )


@dataclass(slots=True)
class _Search:
    observations: Observations
    current: Setup
    goal: Goal
    bounds: Bounds
    _known: dict[Setup, Effect] = field(default_factory=dict)

    def effect(self, setup: Setup) -> Effect:
        if setup not in self._known:
            self._known[setup] = predict(self.observations, setup)
        return self._known[setup]

    def best(self) -> Setup:
        here = self.current
        while True:
            allowed = [setup for setup in self._neighbours(here) if self._allowed(setup)]
            there = min(allowed, key=lambda setup: self._rank(self.effect(setup)), default=here)
            if not self._better(self.effect(there), self.effect(here)):
                return here
            here = there

    def pruned(self, proposed: Setup) -> Setup:
        for change in changed(self.current, proposed):
            without = change.undone(proposed, self.current)
            if (
                _sound(without)
                and self._allowed(without)
                and not self._better(self.effect(proposed), self.effect(without))
                and self._rank(self.effect(without)) <= self._rank(self.effect(self.current))
            ):
                proposed = without
        return proposed

    def why(self, proposed: Setup, change: Change) -> str:
        without = change.undone(proposed, self.current)
        if not _sound(without):
            return "goes with the other changes"
        here, there = self.effect(proposed), self.effect(without)
        return (
            f"without it p95 {there.p95_s:.1f} s instead of {here.p95_s:.1f} s, "
            f"{there.pod_s:.0f} pod-seconds instead of {here.pod_s:.0f}"
        )

    def _rank(self, effect: Effect) -> tuple[float, ...]:
        """What counts, the weightiest first."""
        if self.goal == "latency":
            return (effect.p95_s, effect.p50_s, effect.pod_s)
        return (effect.pod_s, effect.p95_s, effect.p50_s)

    def _better(self, this: Effect, that: Effect) -> bool:
        """By enough, and in nothing that counts more worse."""
        for ours, theirs in zip(self._rank(this), self._rank(that), strict=True):
            if ours < theirs * (1 - _WORTH):
                return True
            if ours > theirs:
                return False
        return False

    def _allowed(self, setup: Setup) -> bool:
        before, after = self.effect(self.current), self.effect(setup)
        # An answer that comes after the timeout is none; what is so already may stay.
        if after.answer_s >= setup.timeout_s and after.answer_s > before.answer_s:
            return False
        if self.goal == "latency":
            return after.pod_s <= before.pod_s * self.bounds.dearer
        return after.p95_s <= before.p95_s * self.bounds.slower

    def _neighbours(self, setup: Setup) -> Iterator[Setup]:
        """One setting changed."""
        scaling = partial(replace, setup.scaling)
        most = self.bounds.max_scale or self.current.scaling.max_scale or self.current.encoders
        candidates = [scaling(max_scale=scale) for scale in _up_to(most)]
        candidates += [scaling(min_scale=scale) for scale in range(self.bounds.min_scale + 1)]
        for window_s in _WINDOWS_S:
            window_ms = window_s * 1_000
            panic_percent = max(10.0, round(100 * _PANIC_MS / window_ms, 1))
            candidates.append(scaling(window_ms=window_ms, panic_window_percent=panic_percent))
        candidates += [scaling(scale_down_delay_ms=delay_s * 1_000) for delay_s in _DELAYS_S]
        candidates += [scaling(target_utilization_percent=share) for share in _UTILIZATIONS]
        candidates += [scaling(container_concurrency=limit) for limit in self.bounds.concurrencies]
        setups = [replace(setup, scaling=each) for each in candidates]
        setups += [replace(setup, chunk_s=chunk_s) for chunk_s in _CHUNKS_S]
        return (each for each in setups if each != setup and _sound(each))


def _sound(setup: Setup) -> bool:
    """What Knative would take."""
    scaling = setup.scaling
    return (not scaling.max_scale or scaling.min_scale <= scaling.max_scale) and (
        not scaling.activation_scale
        or scaling.min_scale
        <= scaling.activation_scale
        <= (scaling.max_scale or scaling.activation_scale)
    )


def _up_to(most: int) -> list[int]:
    """Every number up to ten, then some."""
    return sorted({*range(1, min(most, 10) + 1), *range(10, most, 5), most})
