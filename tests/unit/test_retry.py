"""When a delivery is tried again."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.webhooks.retry import DELAYS_S, JITTER, LONGEST_ASKED_S, Schedule, asked_s

KEYS = st.text(max_size=40)


@given(KEYS, st.integers(1, len(DELAYS_S)))
def test_a_delay_is_that_of_the_schedule_give_or_take_the_jitter(key: str, attempts: int) -> None:
    delay_s = Schedule().delay_s(attempts, key=key)
    assert delay_s is not None
    assert abs(delay_s / DELAYS_S[attempts - 1] - 1) <= JITTER
    assert delay_s == Schedule().delay_s(attempts, key=key)


def test_deliveries_that_fail_together_are_not_tried_together() -> None:
    delays = {Schedule().delay_s(2, key=str(number)) for number in range(100)}
    assert len(delays) == 100


def test_after_the_last_delay_it_is_given_up() -> None:
    assert Schedule().delay_s(len(DELAYS_S) + 1, key="x") is None


def test_all_attempts_together_take_more_than_a_day() -> None:
    assert 27 * 3600 < sum(DELAYS_S) < 29 * 3600
    assert 1 + len(DELAYS_S) == 8


def test_what_is_asked_for_counts_where_it_is_longer_and_not_for_ever() -> None:
    assert Schedule().delay_s(1, key="x", asked_s=1) == Schedule().delay_s(1, key="x")
    assert Schedule().delay_s(1, key="x", asked_s=600) == 600
    assert Schedule().delay_s(1, key="x", asked_s=1e12) == LONGEST_ASKED_S


@given(KEYS)
def test_what_cannot_be_tried_waits_less_than_the_first_long_delay(key: str) -> None:
    assert 15 <= Schedule().pause_s(key) <= 45
    assert Schedule().breaker_s == 60
    quick = Schedule(delays_s=(0.1,))
    assert quick.pause_s(key) < 0.1
    assert quick.breaker_s < 0.1


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0", 0),
        ("120", 120),
        (" 7 ", 7),
        ("9" * 400, 999_999_999_999),
        ("Fri, 15 Jan 2027 08:02:00 GMT", 120),
        ("Friday, 15-Jan-27 08:02:00 GMT", 120),
        ("Fri Jan 15 08:02:00 2027", 120),
        ("Fri, 15 Jan 2027 07:00:00 GMT", 0),
        ("", None),
        ("soon", None),
        ("-5", None),
        ("1.5", None),
        ("١٢", None),
        ("Fri, 99 Jan 2027 08:02:00 GMT", None),
    ],
)
def test_a_retry_after_is_seconds_or_a_date_or_nothing(text: str, seconds: float | None) -> None:
    assert asked_s(text, now_s=1_800_000_000) == seconds


@given(st.text(max_size=40))
def test_no_retry_after_does_any_harm(text: str) -> None:
    found = asked_s(text, now_s=1_800_000_000)
    assert found is None or found >= 0


def test_a_schedule_is_read_from_the_environment() -> None:
    assert Schedule.read({}) == Schedule()
    assert Schedule.read({"KINORA_WEBHOOK_RETRIES_S": "0.1, 2,3"}).delays_s == (0.1, 2, 3)


@pytest.mark.parametrize("text", ["0", "-1", "x", "1,,2", "inf", "nan", ","])
def test_a_schedule_that_cannot_be_read_names_its_variable(text: str) -> None:
    with pytest.raises(ValueError, match="KINORA_WEBHOOK_RETRIES_S"):
        Schedule.read({"KINORA_WEBHOOK_RETRIES_S": text})
