"""A tenant's jobs, page by page, the newest first: a bounded share of them a request."""

from __future__ import annotations

import base64
import binascii
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from typing import Final

from functions.gateway.edge.problem import Problem
from functions.jobs import overview, roster
from functions.jobs.overview import Overview
from functions.ports import ObjectStore

MOST_EXAMINED: Final = 200
"""Jobs that one request looks at, however few of them match."""
_AT_ONCE: Final = 8
"""Jobs read at the same time: each is a listing and up to two records."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """Empty fields match everything."""

    state: str = ""
    profile: str = ""
    source: str = ""
    """What the source's address begins with."""
    since_s: float | None = None
    """Accepted then or later."""
    until_s: float | None = None
    """Accepted before."""

    def matches(self, seen: Overview) -> bool:
        manifest = seen.manifest
        return (
            self.state in ("", seen.state)
            and self.profile in ("", manifest.options.profile)
            and manifest.source.address.startswith(self.source)
        )


def page(
    store: ObjectStore, tenant: str, wanted: Filter, *, limit: int, cursor: str
) -> tuple[list[Overview], str]:
    """Up to `limit` jobs, and the cursor of what follows, "" at the end.

    There may be fewer, even none, though more follow. Raises Problem (invalid) for a cursor that
    is none of ours.
    """
    found: list[Overview] = []
    entries = islice(
        roster.entries(
            store, tenant, after=_opened(cursor), since_s=wanted.since_s, until_s=wanted.until_s
        ),
        MOST_EXAMINED + 1,
    )
    last = ""
    examined = 0
    with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="listing") as threads:
        while batch := list(islice(entries, min(_AT_ONCE, MOST_EXAMINED - examined))):
            jobs = [roster.job_of(entry) for entry in batch]
            for entry, seen in zip(
                batch, threads.map(lambda job: overview.summary(store, job), jobs), strict=True
            ):
                last = entry
                if seen is not None and seen.manifest.tenant == tenant and wanted.matches(seen):
                    found.append(seen)
                    if len(found) == limit:
                        return found, _closed(last)
            examined += len(batch)
    return found, _closed(last) if examined >= MOST_EXAMINED else ""


def _closed(entry: str) -> str:
    return base64.urlsafe_b64encode(entry.encode()).rstrip(b"=").decode() if entry else ""


def _opened(cursor: str) -> str:
    if not cursor:
        return ""
    try:
        entry = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode()
    except (binascii.Error, ValueError):
        entry = ""
    if not roster.is_entry(entry):
        raise Problem("invalid", "This cursor is none that a list gave out. Begin without one.")
    return entry
