"""Random traces for the autoscaler: any settings that Knative accepts, loads of every shape."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Final

from knative.autoscaling.scaling import PREFIX
from tests.oracle.autoscaler import Sample, Tick, Trace

_TICK_MS: Final = 2_000


def trace(seed: int) -> Trace:
    """The same for the same seed."""
    chance = random.Random(seed)
    start_ms = chance.randrange(10_000)
    ready = chance.choice((0, 0, 1, 2, 7))
    return Trace(
        container_concurrency=chance.choice((0, 1, 1, 1, 3, 10, 100)),
        annotations={PREFIX + key: value for key, value in _annotations(chance)},
        cluster=dict(_cluster(chance)),
        start_ms=start_ms,
        ready=ready,
        ticks=tuple(_ticks(chance, start_ms, ready)),
    )


def _annotations(chance: random.Random) -> Iterator[tuple[str, str]]:
    for key, values in (
        ("target", ("0.01", "0.5", "1", "3", "7.3", "100")),
        ("target-utilization-percentage", ("100", "70", "33.3", "1", "85.5")),
        ("window", ("6s", "10s", "16s", "30s", "60s", "90s", "1m40s")),
        ("panic-window-percentage", ("1", "10", "12.5", "20", "33.3", "100")),
        ("panic-threshold-percentage", ("110", "150", "200", "333.3", "1000")),
        ("target-burst-capacity", ("-1", "0", "1", "17.5", "211")),
        ("scale-down-delay", ("0s", "2s", "5s", "15s", "60s")),
        ("activation-scale", ("2", "3", "10")),
        ("initial-scale", ("1", "3")),
    ):
        if chance.random() < 0.5:
            yield key, chance.choice(values)
    if chance.random() < 0.3:
        # Knows of them, and leaves them to whoever applies its decisions.
        yield "max-scale", "20"
        yield "min-scale", chance.choice(("0", "2"))


def _cluster(chance: random.Random) -> Iterator[tuple[str, str]]:
    if chance.random() < 0.5:
        yield "max-scale-up-rate", chance.choice(("1.1", "1.5", "2", "10"))
    if chance.random() < 0.5:
        yield "max-scale-down-rate", chance.choice(("1.1", "1.3", "3", "100"))


def _ticks(chance: random.Random, start_ms: int, ready: int) -> Iterator[Tick]:
    now_ms, measured_ms = start_ms, start_ms
    load, steps = 0.0, 0
    digits = chance.choice((0, 1, 3, 6))
    for _ in range(chance.randrange(20, 120)):
        now_ms += _TICK_MS + chance.choice((0, 0, 0, 1, -1, 37, 1_999))
        samples = []
        while measured_ms + 1_000 <= now_ms:
            measured_ms += 1_000
            if not steps:
                load = _load(chance)
                steps = chance.randrange(1, 40)
            steps -= 1
            # None at all: nobody was there to measure.
            if load >= 0:
                noise = chance.choice((1.0, 1.0, chance.uniform(0.5, 1.5)))
                late_ms = chance.choice((0, 0, 0, 1, 500, 3_000, 70_000))
                at_ms = max(0, measured_ms - late_ms)
                samples.append(Sample(at_ms, round(load * noise, digits)))
        ready = _ready(chance, ready)
        yield Tick(now_ms, ready, tuple(samples))


def _load(chance: random.Random) -> float:
    return chance.choice(
        (
            0.0,
            0.0,
            -1.0,
            1.0,
            2.0,
            chance.uniform(0, 3),
            chance.uniform(0, 50),
            chance.uniform(0, 2e3),
        )
    )


def _ready(chance: random.Random, ready: int) -> int:
    """Pods come and go, and need not be as many as were asked for."""
    return chance.choice(
        (ready, ready, ready, ready + 1, max(0, ready - 1), chance.randrange(30), 0)
    )
