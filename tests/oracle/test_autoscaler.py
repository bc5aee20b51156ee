"""The autoscaler's model decides as Knative's own code does, tick for tick."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import pytest

from knative.autoscaling.autoscaler import Autoscaler
from knative.autoscaling.scaling import Scaling
from knative.autoscaling.window import Average
from knative.field import Field
from tests.oracle.autoscaler import Decided, Oracle, Trace, built
from tests.oracle.traces import trace

pytestmark = pytest.mark.go

TRACES: Final = 1_000


@pytest.fixture(scope="module")
def oracle() -> Oracle:
    return built()


def played(trace: Trace) -> list[Decided | None]:
    """What the model decides."""
    scaling = Scaling.parse(Field("annotations", trace.annotations), trace.container_concurrency)
    scaling = replace(
        scaling,
        max_scale_up_rate=float(trace.cluster.get("max-scale-up-rate", scaling.max_scale_up_rate)),
        max_scale_down_rate=float(
            trace.cluster.get("max-scale-down-rate", scaling.max_scale_down_rate)
        ),
    )
    autoscaler = Autoscaler(scaling, now_ms=trace.start_ms, ready=trace.ready)
    stable = Average(scaling.window_ms, scaling.bucket_ms)
    panic = Average(scaling.panic_window_ms, scaling.bucket_ms)
    decided: list[Decided | None] = []
    for tick in trace.ticks:
        for sample in tick.samples:
            autoscaler.record(sample.at_ms, sample.concurrency)
            stable.record(sample.at_ms, sample.concurrency)
            panic.record(sample.at_ms, sample.concurrency)
        decision = autoscaler.decide(tick.at_ms, tick.ready)
        decided.append(
            Decided(
                stable=stable.average(tick.at_ms),
                panic=panic.average(tick.at_ms),
                desired=decision.desired,
                excess=decision.excess_burst_capacity,
                panicking=decision.panicking,
            )
            if decision
            else None
        )
    return decided


def test_a_thousand_random_traces_are_decided_alike(oracle: Oracle) -> None:
    traces = [trace(seed) for seed in range(TRACES)]
    told = oracle.decide(traces)
    assert len(told) == TRACES
    for seed, (each, theirs) in enumerate(zip(traces, told, strict=True)):
        for number, (own, wanted) in enumerate(zip(played(each), theirs, strict=True)):
            assert own == wanted, f"seed {seed}, tick {number}"


def test_the_traces_see_every_state_there_is(oracle: Oracle) -> None:
    every = [tick for told in oracle.decide([trace(seed) for seed in range(100)]) for tick in told]
    known = [tick for tick in every if tick is not None]
    assert 0 < len(known) < len(every)
    assert {tick.panicking for tick in known} == {False, True}
    assert {0, 1, 2} <= {tick.desired for tick in known}
    assert max(tick.desired for tick in known) > 100
    assert {-1, 0} < {tick.excess for tick in known}
    assert any(tick.stable > tick.panic > 0 for tick in known)
    assert any(tick.panic > tick.stable > 0 for tick in known)
