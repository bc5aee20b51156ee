"""A tenant's jobs as they are looked over: the newest first, between two times, each once."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from functions.jobs import layout, roster
from functions.jobs.profile import Options
from tests.fakes import MemoryStore

TENANT = "acme"


def enlisted(accepted_ms: list[int]) -> MemoryStore:
    """Jobs by their numbers."""
    store = MemoryStore()
    for number, at_ms in enumerate(accepted_ms):
        store.create(layout.tenant_job(TENANT, at_ms / 1000, f"{number:032x}"), b"")
    return store


@given(
    st.lists(st.integers(0, 5000), max_size=12),
    st.one_of(st.none(), st.integers(-9000, 6000)),
    st.one_of(st.none(), st.integers(-9000, 6000)),
)
def test_entries_are_those_accepted_from_one_time_on_and_before_another(
    accepted_ms: list[int], since_ms: int | None, until_ms: int | None
) -> None:
    found = roster.entries(
        enlisted(accepted_ms),
        TENANT,
        since_s=None if since_ms is None else since_ms / 1000,
        until_s=None if until_ms is None else until_ms / 1000,
    )
    numbers = [int(roster.job_of(entry), 16) for entry in found]
    times_ms = [accepted_ms[number] for number in numbers]
    assert times_ms == sorted(times_ms, reverse=True)
    assert sorted(numbers) == [
        number
        for number, at_ms in enumerate(accepted_ms)
        if (since_ms is None or at_ms >= since_ms) and (until_ms is None or at_ms < until_ms)
    ]


def test_a_look_goes_on_behind_any_entry_and_names_that_are_none_are_left_out() -> None:
    store = enlisted([1000, 2000, 3000])
    for foreign in ("0", "readme.txt", "9" * 15, "zz"):
        store.put(layout.tenant_jobs_prefix(TENANT) + foreign, b"")
    whole = list(roster.entries(store, TENANT))
    assert [int(roster.job_of(entry), 16) for entry in whole] == [2, 1, 0]
    for at, entry in enumerate(whole):
        assert roster.is_entry(entry)
        assert list(roster.entries(store, TENANT, after=entry)) == whole[at + 1 :]


def test_no_deadline_is_longer_than_the_longest_job() -> None:
    day_s = 86400
    assert Options(deadline_s=7 * day_s).deadline_s < roster.LONGEST_JOB_S
