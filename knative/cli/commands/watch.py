"""`kinora watch`: one job, live, to its verdict."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from knative.cli import site
from knative.cli.command import AsJson
from knative.cli.commands.show import Job
from knative.cli.complaint import Complaint

if TYPE_CHECKING:
    from functions.ports import ObjectStore


def watch(
    job: Job,
    directory: site.Directory = site.DEFAULT,
    as_json: AsJson = False,
) -> None:
    """Follow one job to its verdict.

    Also one that was just submitted and has not begun. The exit code says which verdict it
    was: 0 completed, 3 rejected, 4 failed or cancelled.
    """
    import typer

    from functions.jobs import overview
    from knative.cli import output, tables
    from knative.cli.bar import Bar
    from knative.cli.complaint import EXIT_OF_STATE
    from knative.cli.follow import until_verdict
    from knative.cli.signals import abortable

    place = site.Site.open(directory)
    store = place.store()
    found, check = _begun_or_waiting(store, job)
    seen = overview.read(store, found)
    if not place.home.broker_url() and not (seen and seen.ended):
        output.tell(
            f"No runtime works on {directory}; the job goes on with `{place.starts(directory)}`."
        )
    with contextlib.ExitStack() as stack:
        terminal = output.terminal()
        bar = stack.enter_context(Bar(terminal)) if terminal else None
        verdict = abortable(
            lambda: until_verdict(
                store, place.state(), found, watch=bar.update if bar else None, check=check
            )
        )
    ended = overview.read(store, found)
    if ended is not None:
        if as_json:
            output.write_json(overview.detail_as_json(ended, now_s=time.time()))
        else:
            output.show(*tables.detail(ended, media=place.media))
    raise typer.Exit(EXIT_OF_STATE[verdict.state])


def _begun_or_waiting(store: ObjectStore, wanted: str) -> tuple[str, Callable[[], None]]:
    """The job's id, and what raises Complaint once a file that was not taken yet will never be."""
    try:
        return site.find_job(store, wanted), lambda: None
    except site.NotBegun as waiting:
        told = waiting.told

    def check() -> None:
        if next(site.job_ids(store, told.job), None) is not None:
            return
        info = store.head(f"{told.bucket}/{told.key}")
        if info is None or (info.etag, info.version) != (told.etag, told.version):
            raise Complaint(
                f"{told.key} was changed or removed before the job began. `kinora jobs` lists "
                "the jobs."
            )

    return told.job, check
