"""How an endpoint fares: disabled after days of nothing but failures, and not before."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from functions.webhooks import health
from functions.webhooks.endpoint import Endpoint
from functions.webhooks.health import DISABLE_S, Patience

HOUR_S = 3600.0
DAY_S = 24 * HOUR_S


def failing(times_s: Iterable[float], endpoint: Endpoint | None = None) -> Endpoint:
    found = endpoint or Endpoint(id="e", tenant="t1", url="https://app.example/")
    for now_s in times_s:
        found = Patience().after_failure(found, now_s=now_s)
    return found


def hours(*numbers: float) -> list[float]:
    return [number * HOUR_S for number in numbers]


def test_failures_over_days_disable_an_endpoint() -> None:
    every_hour = [number * HOUR_S for number in range(5 * 24 + 1)]
    assert failing(every_hour[:-1]).disabled == ""
    assert failing(every_hour).disabled == "failing"


def test_the_days_count_from_the_first_of_the_failures() -> None:
    assert failing(hours(0, 13, 5 * 24)).disabled == "failing"
    assert failing(hours(0, 13, 5 * 24 - 1)).disabled == ""


def test_one_failure_now_and_then_never_disables() -> None:
    assert failing(number * 2 * DAY_S for number in range(100)).disabled == ""


def test_a_moments_trouble_never_disables() -> None:
    moment = [number * 60.0 for number in range(60)]
    assert not failing([*moment, 6 * DAY_S]).counting


def test_a_delivery_that_goes_well_begins_it_all_anew() -> None:
    bad = failing(hours(0, 13))
    assert bad.counting
    good = health.well(bad)
    assert (good.failing_since_s, good.counting) == (None, False)
    assert failing(hours(5 * 24 + 1), good).disabled == ""


def test_most_failures_change_nothing_that_would_have_to_be_written() -> None:
    states = {failing(hours(*range(number))) for number in range(1, 100)}
    assert len(states) == 2


def test_an_endpoint_that_is_enabled_again_has_all_its_days_again() -> None:
    bad = failing(hours(*range(200)))
    good = health.enabled(bad)
    assert (good.disabled, good.failing_since_s) == ("", None)
    assert health.enabled(health.gone(good)) == good


def test_an_endpoint_that_is_gone_stays_gone() -> None:
    gone = health.gone(failing([]))
    assert failing(hours(*range(200)), gone).disabled == "gone"


def test_patience_is_read_from_the_environment() -> None:
    assert Patience.read({}).disable_s == DISABLE_S
    assert Patience.read({"KINORA_WEBHOOK_DISABLE_S": "10"}).spread_s == 1
    with pytest.raises(ValueError, match="KINORA_WEBHOOK_DISABLE_S"):
        Patience.read({"KINORA_WEBHOOK_DISABLE_S": "0"})
