"""`kinora doctor`: whether this machine has what the pipeline needs."""

from __future__ import annotations

import typer

from knative.cli import site
from knative.cli.command import AsJson
from knative.cli.complaint import DONE, FAILED


def doctor(directory: site.Directory = site.DEFAULT, as_json: AsJson = False) -> None:
    """Check whether this machine has what is needed.

    Programs, encoders, disk, kernel, ports; each with what to do. Exit code 4 when something
    needed is missing.
    """
    from knative.cli import checkup, output

    found = checkup.run(directory)
    if as_json:
        output.write_json([check.as_json() for check in found])
    else:
        output.show(checkup.table(found))
    raise typer.Exit(FAILED if any(check.state == "missing" for check in found) else DONE)
