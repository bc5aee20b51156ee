from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from knative.autoscaling.concurrency import Concurrency


def test_a_bucket_is_averaged_over_its_time() -> None:
    concurrency = Concurrency(1_000, keep_ms=60_000, now_ms=0)
    concurrency.change(500, 2)
    concurrency.change(750, -1)
    assert concurrency.samples(1_999) == [(0, 0.75)]
    assert concurrency.samples(2_000) == [(1_000, 1.0)]
    assert concurrency.samples(2_000) == []


def test_after_a_long_silence_only_what_is_kept_is_told() -> None:
    concurrency = Concurrency(1_000, keep_ms=3_000, now_ms=0)
    year_ms = 365 * 86_400_000
    concurrency.change(year_ms, 1)
    assert concurrency.samples(year_ms + 1_000) == [
        (year_ms - 2_000, 0.0),
        (year_ms - 1_000, 0.0),
        (year_ms, 1.0),
    ]


@given(st.lists(st.tuples(st.integers(0, 700), st.integers(0, 5)), max_size=30))
def test_the_samples_hold_exactly_the_requests_time(changes: list[tuple[int, int]]) -> None:
    concurrency = Concurrency(250, keep_ms=60_000, now_ms=0)
    now_ms, area, told = 0, 0, 0.0
    for gap_ms, wanted in changes:
        area += concurrency.now * gap_ms
        now_ms += gap_ms
        concurrency.change(now_ms, wanted - concurrency.now)
        told += sum(average for _, average in concurrency.samples(now_ms)) * 250
    rest_ms = -now_ms % 250
    area += concurrency.now * rest_ms
    told += sum(average for _, average in concurrency.samples(now_ms + rest_ms)) * 250
    assert round(told, 6) == area
