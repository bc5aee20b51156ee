"""The pod autoscaler's model against tables worked out from Knative's formulas, and its laws."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from knative.autoscaling.autoscaler import ACTIVATION_TIMEOUT_MS, Activity, Autoscaler, Decision
from knative.autoscaling.scaling import Scaling

TICK_MS = 2_000
ONE_AT_A_TIME = Scaling(container_concurrency=1, target_utilization_percent=100)
TEN = Scaling(target=10, target_utilization_percent=100)


def after(
    scaling: Scaling, samples: list[float], *, ready: int, already: int = 0
) -> Decision | None:
    """The decision after one sample a second; the last is of the second of the decision."""
    autoscaler = Autoscaler(scaling, now_ms=0, ready=already)
    for second, concurrency in enumerate(samples):
        autoscaler.record(second * 1_000, concurrency)
    return autoscaler.decide((len(samples) - 1) * 1_000, ready)


@pytest.mark.parametrize(
    ("why", "scaling", "samples", "ready", "desired"),
    [
        ("one request at the default of 70 % wants two", Scaling(container_concurrency=1),
         [1.0] * 60, 1, 2),
        ("at 100 % it wants one", ONE_AT_A_TIME, [1.0] * 60, 1, 1),
        ("without a limit one process bears 100 at 70 %", Scaling(), [141.0] * 60, 2, 3),
        ("the target counts where there is no limit", TEN, [95.0] * 60, 9, 10),
        ("of target and limit the smaller counts",
         Scaling(container_concurrency=5, target=10, target_utilization_percent=100),
         [10.0] * 60, 2, 2),
        ("up by the rate at most", replace(TEN, max_scale_up_rate=2.0), [100.0] * 60, 3, 6),
        ("but always by one", replace(TEN, max_scale_up_rate=1.1), [30.0] * 60, 2, 3),
        ("down by half at most", TEN, [0.0] * 60, 10, 5),
        ("from one down to zero", TEN, [0.0] * 60, 1, 0),
        ("at zero it counts as one ready", TEN, [15.0] * 60, 0, 2),
        ("on the way up from zero at least the activation scale",
         replace(TEN, activation_scale=4), [1.0] * 60, 1, 4),
        ("but zero stays zero", replace(TEN, activation_scale=4), [0.0] * 60, 1, 0),
    ],
)  # fmt: skip
def test_a_steady_concurrency_wants(
    why: str, scaling: Scaling, samples: list[float], ready: int, desired: int
) -> None:
    decision = after(scaling, samples, ready=ready)
    assert decision is not None
    assert decision.desired == desired, why


def test_without_samples_nothing_is_decided() -> None:
    assert Autoscaler(TEN, now_ms=0).decide(0, 1) is None
    autoscaler = Autoscaler(TEN, now_ms=0)
    autoscaler.record(0, 5.0)
    assert autoscaler.decide(60_000, 1) is not None
    assert autoscaler.decide(61_000, 1) is None


def test_a_burst_over_the_threshold_panics_and_goes_by_the_panic_window() -> None:
    decision = after(TEN, [10.0] * 54 + [100.0] * 6, ready=1)
    assert decision == Decision(desired=10, excess_burst_capacity=-301, panicking=True)


def test_a_burst_under_the_threshold_goes_by_the_stable_window() -> None:
    decision = after(TEN, [10.0] * 54 + [19.0] * 6, ready=1)
    assert decision is not None
    assert decision.panicking  # ceil(1.9) / 1 is exactly the threshold
    calm = after(replace(TEN, panic_threshold_percent=201), [10.0] * 54 + [19.0] * 6, ready=1)
    assert calm is not None
    assert (calm.desired, calm.panicking) == (2, False)


def test_panic_ends_a_whole_stable_window_after_the_last_tick_over_the_threshold() -> None:
    autoscaler = Autoscaler(TEN, now_ms=0)
    for second in range(6):
        autoscaler.record(second * 1_000, 100.0)
    over_ms = 5_000
    first = autoscaler.decide(over_ms, 1)
    assert first is not None and first.panicking
    panicking = {}
    for second in range(6, 90):
        autoscaler.record(second * 1_000, 0.0)
        decision = autoscaler.decide(second * 1_000, 10)
        assert decision is not None
        panicking[second * 1_000] = decision
    assert all(d.panicking and d.desired == 10 for ms, d in panicking.items() if ms <= 65_000)
    assert not any(d.panicking for ms, d in panicking.items() if ms > 65_000)
    assert panicking[66_000].desired == 5  # and from here down by half a tick


def test_a_restarted_autoscaler_keeps_the_scale_that_is_there() -> None:
    decision = after(TEN, [0.0], ready=7, already=7)
    assert decision is not None
    assert (decision.desired, decision.panicking) == (7, True)
    alone = after(TEN, [0.0], ready=1, already=1)
    assert alone is not None
    assert (alone.desired, alone.panicking) == (0, False)


def test_scaling_down_is_delayed_by_the_largest_wish_within_the_delay() -> None:
    scaling = replace(TEN, scale_down_delay_ms=10_000, window_ms=6_000)
    autoscaler = Autoscaler(scaling, now_ms=0)
    wishes = []
    for second in range(0, 40):
        autoscaler.record(second * 1_000, 10.0 if second < 10 else 0.0)
        if second % 2 == 0:
            decision = autoscaler.decide(second * 1_000, 1)
            assert decision is not None
            wishes.append((second, decision.desired))
    # The window still holds some of the load until 14 s, and the delay is five ticks.
    assert [second for second, desired in wishes if desired == 0] == list(range(24, 40, 2))


@pytest.mark.parametrize(
    ("burst", "ready", "samples", "excess"),
    [(0, 3, [50.0], 0), (-1, 3, [50.0], -1), (10, 3, [5.0], 15), (211, 3, [0.0], -181),
     (10, 1, [2.5], -3)],
)  # fmt: skip
def test_the_excess_burst_capacity_is_room_less_burst_less_load(
    burst: float, ready: int, samples: list[float], excess: int
) -> None:
    decision = after(replace(TEN, target_burst_capacity=burst), samples, ready=ready)
    assert decision is not None
    assert decision.excess_burst_capacity == excess


class Revision:
    """A revision whose processes are ready at the next tick."""

    def __init__(self, scaling: Scaling) -> None:
        self.scaling = scaling
        self.autoscaler = Autoscaler(scaling, now_ms=0)
        self.activity = Activity(scaling, now_ms=0)
        self.scale = 0
        self.ready = 0
        self.now_ms = 0
        self.decision: Decision | None = None

    def tick(self, concurrency: float) -> None:
        self.now_ms += TICK_MS
        for back_ms in (1_000, 0):
            self.autoscaler.record(self.now_ms - back_ms, concurrency)
        self.decision = self.autoscaler.decide(self.now_ms, self.ready)
        wanted = self.activity.scale(self.now_ms, self.decision, self.ready)
        self.scale = self.scale if wanted is None else wanted
        self.ready = self.scale


def test_to_zero_it_takes_a_window_of_silence_and_the_grace_period() -> None:
    # Burst capacity 0: the activator leaves the path while there is a process.
    revision = Revision(replace(TEN, initial_scale=0, target_burst_capacity=0))
    for _ in range(50):
        revision.tick(5.0)
    assert revision.scale == 1
    silent_ms = revision.now_ms
    ended = {}
    while revision.scale:
        revision.tick(0.0)
        ended[revision.activity.condition] = revision.now_ms - silent_ms
    assert 58_000 <= ended["active"] <= 60_000
    # Inactive is seen at the same tick; then 30 s in the path of requests.
    assert ended["inactive"] - ended["active"] == 32_000


def test_always_in_the_path_the_grace_period_is_over_already() -> None:
    revision = Revision(replace(TEN, initial_scale=0, target_burst_capacity=-1))
    for _ in range(50):
        revision.tick(5.0)
    silent_ms = revision.now_ms
    while revision.scale:
        revision.tick(0.0)
    assert revision.now_ms - silent_ms <= 64_000


def test_the_retention_period_keeps_the_last_process() -> None:
    revision = Revision(
        replace(TEN, initial_scale=0, target_burst_capacity=-1, retention_ms=600_000)
    )
    for _ in range(50):
        revision.tick(5.0)
    silent_ms = revision.now_ms
    while revision.scale:
        revision.tick(0.0)
    assert revision.now_ms - silent_ms >= 600_000


def test_a_request_that_came_and_went_keeps_its_process_for_a_stable_window() -> None:
    revision = Revision(replace(TEN, initial_scale=0, target_burst_capacity=-1))
    revision.tick(1.0)
    active_ms = revision.now_ms
    while revision.scale:
        revision.tick(0.0)
    assert revision.now_ms - active_ms >= 60_000


def test_what_never_becomes_ready_is_given_up_after_the_progress_deadline() -> None:
    activity = Activity(replace(TEN, initial_scale=0), now_ms=0)
    wanted = Decision(desired=1, excess_burst_capacity=-1, panicking=False)
    nobody = Decision(desired=0, excess_burst_capacity=-1, panicking=False)
    assert activity.scale(1_000, wanted, 0) == 1
    assert activity.scale(1_000 + ACTIVATION_TIMEOUT_MS - 1, nobody, 0) is None
    assert activity.scale(1_000 + ACTIVATION_TIMEOUT_MS, nobody, 0) == 0
    assert activity.condition == "inactive"


def test_the_initial_scale_holds_until_it_was_reached() -> None:
    activity = Activity(replace(TEN, initial_scale=3, min_scale=0), now_ms=0)
    one = Decision(desired=1, excess_burst_capacity=-1, panicking=False)
    assert activity.scale(0, None, 0) == 3
    assert activity.scale(2_000, one, 2) == 3
    assert activity.scale(4_000, one, 3) == 3
    assert activity.scale(6_000, one, 3) == 1


loads = st.lists(
    st.tuples(st.integers(0, 200_000).map(lambda n: n / 1_000), st.integers(1, 40)),
    min_size=1,
    max_size=8,
).map(lambda parts: [load for load, ticks in parts for _ in range(ticks)])


@st.composite
def scalings(draw: st.DrawFn) -> Scaling:
    most = draw(st.one_of(st.just(0), st.integers(1, 50)))
    least = draw(st.integers(0, min(most, 5) if most else 5))
    return Scaling(
        container_concurrency=draw(st.sampled_from([0, 1, 2, 8])),
        target=draw(st.sampled_from([None, 0.5, 3.0])),
        target_utilization_percent=draw(st.sampled_from([70.0, 100.0])),
        min_scale=least,
        max_scale=most,
        initial_scale=draw(st.integers(0, 3)),
        activation_scale=draw(st.sampled_from([0, 0, max(2, least)])) if most != 1 else 0,
        window_ms=draw(st.sampled_from([6_000, 10_000, 60_000])),
        target_burst_capacity=draw(st.sampled_from([-1.0, 0.0, 211.0])),
        scale_down_delay_ms=draw(st.sampled_from([0, 10_000])),
        max_scale_up_rate=draw(st.sampled_from([1_000.0, 2.0, 1.1])),
        grace_ms=draw(st.sampled_from([0, 30_000])),
    )


@settings(deadline=None)
@given(scalings(), loads)
def test_the_scale_stays_within_its_bounds(scaling: Scaling, load: list[float]) -> None:
    revision = Revision(scaling)
    for concurrency in load:
        revision.tick(concurrency)
        if revision.now_ms > TICK_MS:
            assert revision.scale >= scaling.min_scale
        assert not scaling.max_scale or revision.scale <= scaling.max_scale


@settings(deadline=None)
@given(scalings(), loads)
def test_in_panic_the_wish_only_grows(scaling: Scaling, load: list[float]) -> None:
    revision = Revision(scaling)
    before: Decision | None = None
    for concurrency in load:
        revision.tick(concurrency)
        now = revision.decision
        if before and now and before.panicking and now.panicking and not (
            scaling.scale_down_delay_ms
        ):  # fmt: skip
            assert now.desired >= before.desired
        before = now


@settings(deadline=None)
@given(scalings(), loads)
def test_zero_comes_only_after_a_window_of_zeros(scaling: Scaling, load: list[float]) -> None:
    revision = Revision(scaling)
    # Down to zero at the end of every load.
    for position, concurrency in enumerate(played := load + [0.0] * 60):
        had = revision.scale
        revision.tick(concurrency)
        if had and not revision.scale:
            ticks = -(-scaling.window_ms // TICK_MS)
            assert not any(played[max(0, position + 1 - ticks) : position + 1])


@settings(deadline=None)
@given(scalings(), loads)
def test_without_load_everything_goes(scaling: Scaling, load: list[float]) -> None:
    revision = Revision(replace(scaling, min_scale=0))
    for concurrency in load + [0.0] * 400:
        revision.tick(concurrency)
    assert revision.scale == 0
