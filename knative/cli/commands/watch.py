"""`kinora watch`: one job, live, to its verdict."""

from __future__ import annotations

import contextlib

from knative.cli import site
from knative.cli.command import AsJson
from knative.cli.commands.show import Job


def watch(
    job: Job,
    directory: site.Directory = site.DEFAULT,
    as_json: AsJson = False,
) -> None:
    """Follow one job to its verdict.

    The exit code says which it was: 0 completed, 3 rejected, 4 failed or cancelled.
    """
    import typer

    from knative.cli import output, overview, tables
    from knative.cli.bar import Bar
    from knative.cli.complaint import EXIT_OF_STATE
    from knative.cli.follow import until_verdict
    from knative.cli.signals import abortable

    place = site.Site.open(directory)
    store = place.store()
    found = site.find_job(store, job)
    if not place.home.broker_url() and (seen := overview.read(store, found)) and not seen.ended:
        output.tell(
            f"No runtime works on {directory}; the job goes on with `kinora up --dir {directory}`."
        )
    with contextlib.ExitStack() as stack:
        terminal = output.terminal()
        bar = stack.enter_context(Bar(terminal)) if terminal else None
        verdict = abortable(
            lambda: until_verdict(store, place.state(), found, watch=bar.update if bar else None)
        )
    ended = overview.read(store, found)
    if ended is not None:
        if as_json:
            output.write_json(overview.detail_as_json(ended))
        else:
            output.show(*tables.detail(ended, media=place.root / "media"))
    raise typer.Exit(EXIT_OF_STATE[verdict.state])
