"""`kinora doctor`: whether this machine, or a cluster, has what the pipeline needs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from knative.cli import reach, site
from knative.cli.command import AsJson
from knative.cli.complaint import DONE, FAILED, Complaint

if TYPE_CHECKING:
    from rich.table import Table

    from knative.operating.diagnosis.finding import Finding


def doctor(
    cluster: Annotated[
        bool, typer.Option("--cluster", help="Check a cluster and the installation in it.")
    ] = False,
    overlay: Annotated[
        str,
        typer.Option(
            "--overlay", "-o", help="With --cluster: judge by what this overlay will need."
        ),
    ] = "",
    context: reach.Context = "",
    namespace: reach.Namespace = reach.NAMESPACE,
    directory: site.Directory = site.DEFAULT,
    as_json: AsJson = False,
) -> None:
    """Check whether this machine has what is needed, or a cluster has.

    Of a machine: programs, encoders, disk, kernel, ports. Of a cluster: versions, feature flags,
    timeouts, brokers, Triggers, Secrets, quotas, nodes, GPUs. Each with why it matters and what to
    do. Exit code 4 when something needed is missing.
    """
    from knative.cli import checkup, output

    if cluster:
        _of_cluster(context, namespace, overlay, as_json=as_json)
    if overlay or context:
        raise Complaint("--overlay and --context are about a cluster. Add --cluster.")
    found = checkup.run(directory)
    if as_json:
        output.write_json([check.as_json() for check in found])
    else:
        output.show(checkup.table(found))
    raise typer.Exit(FAILED if any(check.state == "missing" for check in found) else DONE)


def _of_cluster(context: str, namespace: str, overlay: str, *, as_json: bool) -> None:
    from knative.cli import output
    from knative.cli.signals import abortable
    from knative.operating.diagnosis import reading
    from knative.operating.diagnosis.examination import before_deploying, examine

    objects = abortable(lambda: _rendered(overlay)) if overlay else []
    with reach.cluster(context) as cluster:
        facts = reading.facts(cluster, namespace, objects)
    found = before_deploying(facts) if overlay else examine(facts)
    if as_json:
        output.write_json([each.as_json() for each in found])
    else:
        output.show(table(found))
    raise typer.Exit(FAILED if any(each.state == "missing" for each in found) else DONE)


async def _rendered(overlay: str) -> list[dict[str, Any]]:
    from knative.operating.deploying import rendering

    try:
        return await rendering.render(rendering.folder_of(overlay))
    except rendering.NotRendered as error:
        raise Complaint(str(error)) from None


def table(found: Sequence[Finding]) -> Table:
    from rich.table import Table
    from rich.text import Text

    from knative.cli.checkup import COLOURS

    shown = Table(box=None, pad_edge=False, show_header=False)
    shown.add_column(no_wrap=True)
    shown.add_column(no_wrap=True)
    shown.add_column(overflow="fold")
    for each in found:
        said = "\n".join(filter(None, (each.found, each.why, each.advice)))
        shown.add_row(each.what, Text(each.state, style=COLOURS[each.state]), Text(said))
    return shown
