"""Reports of the jobs that were completed last, of all tenants."""

from __future__ import annotations

from collections.abc import Iterator
from heapq import merge
from itertools import islice

from functions.assembler.report import Report
from functions.jobs import layout, record, roster
from functions.ports import ObjectStore

_TENANTS = f"{layout.WORK}/tenants/"


def newest(store: ObjectStore, *, limit: int, since_s: float = 0.0) -> Iterator[Report]:
    """At most `limit`, of jobs accepted at `since_s` or later, the newest first.

    Jobs without a report, which were not completed, are passed over, as are reports that another
    version wrote. Raises Unavailable.
    """
    # An entry's digits count down, so that the smallest of all tenants is the newest.
    entries = merge(*(roster.entries(store, tenant, since_s=since_s) for tenant in tenants(store)))
    yield from islice(_read(store, entries), limit)


def tenants(store: ObjectStore) -> Iterator[str]:
    """Everybody who ever had a job, a key or an endpoint: one look at the listing each."""
    after = ""
    while (found := next(store.list(_TENANTS, after=after), None)) is not None:
        tenant = found.key.removeprefix(_TENANTS).partition("/")[0]
        yield tenant
        after = f"{_TENANTS}{tenant}/\U0010ffff"


def _read(store: ObjectStore, entries: Iterator[str]) -> Iterator[Report]:
    for entry in entries:
        try:
            report = record.read(store, layout.media(roster.job_of(entry), layout.REPORT), Report)
        except ValueError:
            continue
        if report is not None:
            yield report
