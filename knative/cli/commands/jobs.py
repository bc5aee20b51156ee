"""`kinora jobs`: what there is to do and what was done."""

from __future__ import annotations

import time
from typing import Annotated

import typer

from knative.cli import site
from knative.cli.command import AsJson
from knative.cli.complaint import Complaint


def jobs(
    state: Annotated[str, typer.Option("--state", "-s", help="Only jobs in this state.")] = "",
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, help="At most so many.")] = 50,
    directory: site.Directory = site.DEFAULT,
    as_json: AsJson = False,
) -> None:
    """List jobs, the newest first."""
    from functions.jobs import overview
    from knative.cli import output, tables

    if state and state not in overview.STATES:
        raise Complaint(f"`{state}` is not a state. Use one of: {', '.join(overview.STATES)}.")
    store = site.Site.open(directory).store()
    found = [
        seen
        for job in site.job_ids(store)
        if (seen := overview.read(store, job)) is not None and state in ("", seen.state)
    ]
    found.sort(key=lambda seen: (-seen.manifest.accepted_s, seen.job))
    if as_json:
        now_s = time.time()
        output.write_json([overview.as_json(seen, now_s=now_s) for seen in found[:limit]])
        return
    if not found:
        output.tell(f"No job{' is ' + state if state else 's'} in {directory}.")
        return
    output.show(tables.jobs(found[:limit]))
    if len(found) > limit:
        output.tell(f"{len(found) - limit} more; see them with --limit.")
