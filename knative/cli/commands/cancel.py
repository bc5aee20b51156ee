"""`kinora cancel`: end a job that is not wanted any more."""

from __future__ import annotations

from typing import Annotated

import typer

from knative.cli import site
from knative.cli.command import AsJson
from knative.cli.commands.show import Job
from knative.cli.complaint import FAILED, Complaint


def cancel(
    job: Job,
    reason: Annotated[str, typer.Option("--reason", help="Why, for whoever looks.")] = "",
    directory: site.Directory = site.DEFAULT,
    as_json: AsJson = False,
) -> None:
    """Call a job off.

    What encodes for it stops within seconds, and its outputs are removed. A job that ended
    before stays as it ended.
    """
    import time

    from functions.jobs import ending, overview
    from functions.jobs.refusal import refuse
    from functions.jobs.verdict import event_of
    from knative.cli import output, wording
    from knative.cli.post import post

    place = site.Site.open(directory)
    store = place.store()
    found = site.find_job(store, job)
    seen = overview.read(store, found)
    if seen is None:
        raise Complaint(f"The job {found} has no manifest; it is being accepted. Try again.")
    verdict = ending.decide(
        store,
        job=found,
        tenant=seen.manifest.tenant,
        state="cancelled",
        code="cancelled",
        reason=wording.plain(reason) or refuse("cancelled").reason,
        now_s=time.time(),
    )
    if verdict.state != "cancelled":
        raise Complaint(
            f"The job {wording.short(found)} has ended already: it is {verdict.state}.",
            exit_code=FAILED,
            code=verdict.code,
            job=found,
            state=verdict.state,
        )
    if (state := place.state()) is not None:
        # Nothing more of it is begun, also where no runtime hears of the verdict now.
        state.forget(found)
    told = post(place.home.broker_url(), event_of(verdict)) if place.home.broker_url() else False
    if as_json:
        output.write_json({"job": found, "state": "cancelled", "code": "cancelled", "told": told})
    else:
        output.show(f"Cancelled {found}.")
