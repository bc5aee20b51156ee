"""`kinora show`: all about one job."""

from __future__ import annotations

import time
from typing import Annotated

import typer

from knative.cli import site
from knative.cli.command import AsJson
from knative.cli.complaint import Complaint

Job = Annotated[str, typer.Argument(metavar="JOB", help="The job's id, or the first digits of it.")]


def show(
    job: Job,
    directory: site.Directory = site.DEFAULT,
    as_json: AsJson = False,
) -> None:
    """Show one job: its source, plan, tasks and verdict."""
    from functions.jobs import overview
    from knative.cli import output, tables

    place = site.Site.open(directory)
    store = place.store()
    found = site.find_job(store, job)
    seen = overview.read(store, found)
    if seen is None:
        raise Complaint(f"The job {found} has no manifest; it is being accepted. Try again.")
    if not seen.ended and (state := place.state()) is not None:
        seen = overview.live(seen, state)
    if as_json:
        output.write_json(overview.detail_as_json(seen, now_s=time.time()))
    else:
        output.show(*tables.detail(seen, media=place.media))
