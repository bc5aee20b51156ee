"""A tenant's jobs, page by page: all of them, once, the newest first, whatever is asked for."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from functions.gateway.jobs import listing
from functions.gateway.jobs.listing import Filter
from functions.jobs import overview
from tests.fakes import MemoryStore
from tests.gateway import Gateway

JOBS = "/api/v1/jobs"


def listed(gateway: Gateway, **asked: Any) -> list[str]:
    """Every page, one after the other."""
    client = gateway.client()
    found: list[str] = []
    cursor = ""
    while True:
        page = client.get(JOBS, params={**asked, "cursor": cursor}).json()
        found += [each["job"] for each in page["jobs"]]
        cursor = page["next"]
        if not cursor:
            return found


def test_jobs_are_listed_the_newest_first_page_by_page() -> None:
    gateway = Gateway()
    made = []
    for _ in range(7):
        made.append(gateway.job())
        gateway.clock.advance(1)
    for limit in (1, 2, 3, 7, 100):
        assert listed(gateway, limit=limit) == made[::-1]


def test_jobs_are_found_by_state_profile_source_and_time() -> None:
    gateway = Gateway()
    first = gateway.job(name="a/one.mp4", state="failed")
    gateway.clock.advance(60)
    second = gateway.job(name="a/two.mp4")
    gateway.clock.advance(60)
    third = gateway.job(name="b/three.mp4", state="completed")
    assert listed(gateway, state="failed") == [first]
    assert listed(gateway, state="accepted") == [second]
    assert listed(gateway, source="uploads/acme/a/") == [second, first]
    assert listed(gateway, profile="fast") == []
    assert listed(gateway, since="2027-01-15T08:01:00Z") == [third, second]
    assert listed(gateway, until="2027-01-15T08:01:00Z") == [first]
    both = {"since": "2027-01-15T08:01:00Z", "until": "2027-01-15T09:02:00+01:00"}
    assert listed(gateway, **both) == [second]
    assert listed(gateway, since="1901-01-01T00:00:00Z") == [third, second, first]
    assert listed(gateway, until="1901-01-01T00:00:00Z") == []


@pytest.mark.parametrize("cursor", ["x", "////", "AAAA", "é", "Li4vLi4vYQ"])
def test_a_cursor_is_one_that_a_list_gave(cursor: str) -> None:
    answer = Gateway().client().get(JOBS, params={"cursor": cursor})
    assert answer.status_code == 422


def test_a_list_looks_at_a_bounded_number_of_jobs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listing, "MOST_EXAMINED", 10)
    gateway = Gateway()
    oldest = gateway.job(state="failed")
    for _ in range(24):
        gateway.clock.advance(1)
        gateway.job()
    looked: list[str] = []
    summary = overview.summary

    def noted(store: MemoryStore, job: str) -> overview.Overview | None:
        looked.append(job)
        return summary(store, job)

    monkeypatch.setattr(overview, "summary", noted)
    page = gateway.client().get(JOBS, params={"state": "failed"}).json()
    assert page["jobs"] == [] and page["next"]
    assert len(looked) == 10
    assert listed(gateway, state="failed") == [oldest]


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.integers(0, 4), max_size=12),
    st.integers(1, 5),
    st.tuples(st.integers(0, 5), st.integers(0, 5)),
)
def test_pages_together_are_what_one_page_would_be(
    seconds: list[int], limit: int, bounds: tuple[int, int]
) -> None:
    gateway = Gateway()
    start_s = gateway.clock()
    jobs: list[tuple[int, str]] = []
    for second in sorted(seconds):
        gateway.clock.now_s = start_s + second
        jobs.append((second, gateway.job()))
    since, until = bounds
    wanted = Filter(since_s=start_s + since, until_s=start_s + until)
    found: list[str] = []
    cursor = ""
    while True:
        page, cursor = listing.page(gateway.store, "acme", wanted, limit=limit, cursor=cursor)
        found += [seen.job for seen in page]
        if not cursor:
            break
    assert sorted(found) == sorted(job for second, job in jobs if since <= second < until)
    times = {job: second for second, job in jobs}
    assert [times[job] for job in found] == sorted((times[job] for job in found), reverse=True)
