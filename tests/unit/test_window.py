from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knative.autoscaling.window import Average, Maximum

SECOND = 1_000


def recorded(*values: float, window_s: int = 5) -> Average:
    window = Average(window_s * SECOND, SECOND)
    for second, value in enumerate(values):
        window.record(second * SECOND, value)
    return window


@pytest.mark.parametrize(
    ("values", "now_s", "average"),
    [
        ((), 0, 0.0),
        ((4,), 0, 4.0),  # over what was written, not over the whole window
        ((4, 2), 1, 3.0),
        ((1, 2, 3, 4, 5), 4, 3.0),
        ((1, 2, 3, 4, 5, 6), 5, 4.0),  # the first left the window
        ((1, 2, 3, 4, 5), 5, 3.5),  # nothing new: over what is left of the window
        ((1, 2, 3, 4, 5), 8, 5.0),
        ((1, 2, 3, 4, 5), 9, 0.0),
        ((1, 0, 0), 2, 0.333333),  # six digits
        ((2, 0, 0), 2, 0.666667),  # rounded
    ],
)
def test_the_average_is_over_what_of_the_window_was_written(
    values: tuple[float, ...], now_s: int, average: float
) -> None:
    assert recorded(*values).average(now_s * SECOND) == average


def test_values_in_one_bucket_add_up() -> None:
    window = Average(5 * SECOND, SECOND)
    window.record(0, 1.0)
    window.record(999, 2.0)
    assert window.average(999) == 3.0


def test_a_gap_within_the_window_counts_as_zeros() -> None:
    window = Average(5 * SECOND, SECOND)
    window.record(0, 4.0)
    window.record(3 * SECOND, 4.0)
    assert window.average(3 * SECOND) == 2.0


def test_a_gap_as_long_as_the_window_starts_it_anew() -> None:
    window = Average(5 * SECOND, SECOND)
    window.record(0, 4.0)
    window.record(5 * SECOND, 6.0)
    assert window.average(5 * SECOND) == 6.0


def test_a_late_value_counts_in_its_own_bucket_and_one_from_before_the_window_not_at_all() -> None:
    window = Average(5 * SECOND, SECOND)
    window.record(10 * SECOND, 3.0)
    window.record(9 * SECOND, 1.0)
    window.record(1 * SECOND, 100.0)
    assert window.average(10 * SECOND) == 2.0


def test_the_window_is_empty_once_nothing_was_written_for_longer_than_it() -> None:
    window = recorded(1)
    assert not window.empty(5 * SECOND)
    assert window.empty(6 * SECOND)
    assert Average(SECOND, SECOND).empty(0)


@given(
    st.lists(st.integers(0, 1000).map(lambda n: n / 1000), min_size=1, max_size=40),
    st.integers(1, 12),
)
def test_written_in_every_bucket_the_average_is_the_mean_of_the_last_ones(
    values: list[float], window_s: int
) -> None:
    window = recorded(*values, window_s=window_s)
    last = values[-window_s:]
    expected = sum(last) / len(last)
    assert math.isclose(
        window.average((len(values) - 1) * SECOND), expected, rel_tol=0, abs_tol=1.1e-6
    )


@given(
    st.lists(st.tuples(st.integers(0, 3), st.integers(0, 9)), min_size=1, max_size=40),
    st.integers(1, 6),
)
def test_the_maximum_is_the_largest_of_the_last_buckets(
    steps: list[tuple[int, int]], buckets: int
) -> None:
    window = Maximum(buckets * SECOND, SECOND)
    at, written = 0, []
    for gap, value in steps:
        at += gap
        written.append((at, value))
        largest = max(value for index, value in written if index > at - buckets)
        assert window.record(at * SECOND, value) == largest
