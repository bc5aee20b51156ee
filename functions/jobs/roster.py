"""A tenant's jobs by when they were accepted, the newest first: an entry `<countdown>-<job>` each.

Written beside the manifest (`Acceptance.enlist`), read by whatever looks over the jobs of a tenant.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from functions.jobs import layout
from functions.ports import ObjectStore

LONGEST_JOB_S: Final = 8 * 86400.0
"""More than the longest deadline, and the time in which a missed one is noticed: who was accepted
before has a verdict."""
_ENTRY: Final = re.compile(r"[0-9]{15}-[0-9a-f]{32}")
_BEHIND: Final = "~"
"""Sorts after every digit and letter of an entry."""


def is_entry(text: str) -> bool:
    return _ENTRY.fullmatch(text) is not None


def job_of(entry: str) -> str:
    return entry.rpartition("-")[2]


def entries(
    store: ObjectStore,
    tenant: str,
    *,
    after: str = "",
    since_s: float | None = None,
    until_s: float | None = None,
) -> Iterator[str]:
    """The entries behind the entry `after`, of jobs accepted at `since_s` or later and before
    `until_s`. Names that are no entries are left out."""
    prefix = layout.tenant_jobs_prefix(tenant)
    start = prefix + after if after else ""
    if until_s is not None:
        # The digits count down: what was accepted at the bound itself comes after the bound.
        start = max(start, _bound(tenant, until_s))
    stop = None if since_s is None else _bound(tenant, since_s)
    for info in store.list(prefix, after=start):
        if stop is not None and info.key > stop:
            return
        entry = info.key.removeprefix(prefix)
        if is_entry(entry):
            yield entry


def _bound(tenant: str, accepted_s: float) -> str:
    # Nothing was accepted before 1970, where the digits would end.
    return f"{layout.tenant_job(tenant, max(0.0, accepted_s), '')}{_BEHIND}"
