"""Rates are learned from jobs, and no odd one leads them astray."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.jobs import record
from functions.media.cutting.rates import (
    BUILT_IN,
    KEPT_VOTES,
    LEAST_VOTES,
    Rate,
    Rates,
    Vote,
    learn,
)

MEDIUM = BUILT_IN["encode/medium"]


def voted(name: str, *values: float) -> Rates:
    rates = Rates()
    for number, value in enumerate(values):
        rates = learn(rates, f"job-{number}", {name: value})
    return rates


def test_what_nobody_voted_on_is_built_in() -> None:
    assert Rates().of("encode/medium") == Rate(MEDIUM, jobs=0)
    assert Rates().of("decode/cinepak").value == BUILT_IN["decode/h264"]
    with pytest.raises(KeyError):
        Rates().of("coffee")


def test_a_rate_is_learned_once_enough_jobs_voted() -> None:
    assert voted("encode/medium", 30, 30).of("encode/medium").jobs < LEAST_VOTES
    assert voted("encode/medium", 30, 40, 31).of("encode/medium") == Rate(31, jobs=3)


def test_a_job_votes_once() -> None:
    rates = voted("sound", 10, 10, 10)
    assert learn(rates, "job-1", {"sound": 20}) == rates


@given(st.lists(st.floats(40, 50), min_size=5, max_size=15), st.floats(0, 1e9))
def test_one_odd_job_moves_a_rate_no_further_than_to_a_neighbour(
    usual: list[float], odd: float
) -> None:
    before = voted("encode/medium", *usual)
    after = learn(before, "odd", {"encode/medium": odd}).of("encode/medium").value
    assert min(usual) * 0.999 <= after <= max(usual) * 1.001


def test_what_is_beyond_all_measure_is_no_vote() -> None:
    assert voted("encode/medium", 1e6, 0, -5, float("nan")).votes == {}


def test_only_the_latest_jobs_count() -> None:
    slow_then_fast = [90.0] * KEPT_VOTES + [45.0] * KEPT_VOTES
    rates = voted("encode/medium", *slow_then_fast)
    assert len(rates.votes["encode/medium"]) == KEPT_VOTES
    assert rates.of("encode/medium") == Rate(45.0, jobs=KEPT_VOTES)


def test_a_core_that_is_slow_with_one_preset_is_slow_with_all() -> None:
    rates = voted("encode/medium", *[2 * MEDIUM] * 3)
    assert rates.of("encode/fast") == Rate(2 * BUILT_IN["encode/fast"], jobs=0)
    assert rates.of("decode/av1").value == 2 * BUILT_IN["decode/av1"]
    assert rates.of("start").value == BUILT_IN["start"]


def test_rates_are_a_record() -> None:
    rates = voted("encode/medium", 30, 40, 31)
    assert record.load(record.dump(rates), Rates) == rates


@pytest.mark.parametrize("name", ["encode/medium", "sounds", "encode"])
@pytest.mark.parametrize("value", [0.0, -1.0, 1e300])
def test_a_record_of_nonsense_changes_no_estimate(name: str, value: float) -> None:
    odd = Rates(votes={name: tuple(Vote(str(n), value) for n in range(LEAST_VOTES))})
    assert {each: odd.of(each).value for each in BUILT_IN} == BUILT_IN
