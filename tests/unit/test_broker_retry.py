"""When a delivery is tried again, and how long it waits before."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knative.local.broker.manifest import Delivery
from knative.local.broker.retry import LONGEST_WAIT_S, Again, Hopeless, after_failure, is_retried
from knative.local.broker.retry import wait_s as wait
from knative.local.broker.waiting import Waiting


@given(code=st.integers(min_value=100, max_value=999))
def test_exactly_the_codes_of_knative_are_retried(code: int) -> None:
    assert is_retried(code) == (code in (404, 408, 409, 429) or code >= 500)


def test_no_answer_at_all_is_retried() -> None:
    assert is_retried(None)


@pytest.mark.parametrize(
    ("policy", "expected_s"),
    [
        ("exponential", [0.5, 1.0, 2.0, 4.0, 8.0]),
        ("linear", [0.0, 0.5, 1.0, 1.5, 2.0]),
        ("", [0.0, 0.0, 0.0, 0.0, 0.0]),
    ],
)
def test_the_wait_grows_as_its_policy_says(policy: str, expected_s: list[float]) -> None:
    delivery = Delivery(backoff_policy=policy, backoff_delay_s=0.5)
    assert [wait(delivery, n) for n in range(5)] == expected_s


@given(n=st.integers(min_value=0, max_value=10**9), policy=st.sampled_from(["exponential", ""]))
def test_no_wait_is_longer_than_a_day(n: int, policy: str) -> None:
    delivery = Delivery(backoff_policy=policy, backoff_delay_s=0.5)
    assert 0 <= wait(delivery, n) <= LONGEST_WAIT_S


def test_the_default_delivery_gives_up_after_retry_and_one_attempts() -> None:
    delivery = Delivery(retry=2, backoff_policy="exponential", backoff_delay_s=0.2)
    steps = [after_failure(delivery, 503, failures) for failures in (1, 2, 3)]
    assert steps == [Again(0.2), Again(0.4), Hopeless()]


def test_a_final_code_ends_it_at_once() -> None:
    assert after_failure(Delivery(retry=9), 422, 1) == Hopeless()


@given(dues_s=st.lists(st.floats(min_value=0, max_value=100)), now_s=st.floats(0, 100))
def test_what_is_due_comes_out_in_order_and_the_rest_stays(
    dues_s: list[float], now_s: float
) -> None:
    waiting: Waiting[int] = Waiting()
    for index, due_s in enumerate(dues_s):
        waiting.put(index, due_s)
    taken = waiting.take(now_s)
    due = [index for index, due_s in enumerate(dues_s) if due_s <= now_s]
    assert taken == sorted(due, key=lambda index: (dues_s[index], index))
    left = [due_s for due_s in dues_s if due_s > now_s]
    assert len(waiting) == len(left)
    assert waiting.next_due_s() == min(left, default=None)
