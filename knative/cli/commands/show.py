"""`kinora show`: all about one job."""

from __future__ import annotations

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
    from knative.cli import output, overview, tables

    place = site.Site.open(directory)
    store = place.store()
    found = site.find_job(store, job)
    seen = overview.read(store, found)
    if seen is None:
        raise Complaint(f"The job {found} has no manifest; it is being accepted. Try again.")
    if not seen.ended and (state := place.state()) is not None:
        seen = overview.with_progress(seen, state.progress(found))
    if as_json:
        output.write_json(overview.detail_as_json(seen))
    else:
        output.show(*tables.detail(seen, media=place.root / "media"))
