"""`kinora knative scale`: other bounds for a function's pods."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer

from knative.cli import reach
from knative.cli.command import AsJson
from knative.cli.complaint import Complaint
from knative.cli.operating.function import Function

if TYPE_CHECKING:
    from knative.operating.scaling import Change


def scale(
    function: Function,
    least: Annotated[
        int | None, typer.Option("--min", min=0, help="Pods that stay, also without work.")
    ] = None,
    most: Annotated[
        int | None, typer.Option("--max", min=0, help="Pods at most; 0 is without limit.")
    ] = None,
    target: Annotated[
        float | None, typer.Option("--target", min=0.01, help="Requests in flight for each pod.")
    ] = None,
    utilization: Annotated[
        int | None,
        typer.Option(
            "--utilization", min=1, max=100, help="Percent of that at which a pod is added."
        ),
    ] = None,
    concurrency: Annotated[
        int | None,
        typer.Option("--concurrency", min=0, help="Requests a pod takes at most; 0 is any number."),
    ] = None,
    window_s: Annotated[
        int | None,
        typer.Option("--window", min=6, max=3600, help="Seconds over which requests are averaged."),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would change, change nothing.")
    ] = False,
    namespace: reach.Namespace = reach.NAMESPACE,
    context: reach.Context = "",
    as_json: AsJson = False,
) -> None:
    """Set how many pods a function may have, and when it gets more.

    Each change makes a new revision. How many encoders there may be is also what admission counts
    by: every function that counts is changed with them. Prints what the overlay has to say, since
    the next deploy would take it back otherwise.
    """
    from knative.cli import output
    from knative.encoders import SETTINGS
    from knative.operating import changing, kinds, scaling
    from knative.operating.revision import Service
    from knative.operating.scaling import Bounds

    bounds = Bounds(
        min=least,
        max=most,
        target=target,
        utilization=utilization,
        concurrency=concurrency,
        window_s=window_s,
    )
    if bounds == Bounds():
        raise Complaint("Say what shall change: --min, --max, --target …; see --help.")
    with reach.cluster(context) as cluster:
        services = [Service.of(each) for each in cluster.list(kinds.SERVICE, namespace)]
        service = next((each for each in services if each.name == function), None)
        if service is None:
            raise Complaint(
                f"There is no function `{function}` in the namespace {namespace}. "
                "`kinora knative status` lists them."
            )
        if (why := scaling.wrong(service, bounds)) != "":
            raise Complaint(f"{function} cannot be scaled so: {why}.")
        changes = scaling.changes(services, function, bounds)
        if rolling := scaling.rolling(services, changes):
            raise Complaint(
                f"A rollout of {rolling} is under way, and another revision would end it. "
                f"`kinora knative rollout {rolling} --continue` first.",
                code="rolling",
            )

        def patch(latest: Service) -> Mapping[str, Any] | None:
            found = scaling.change_of(latest, function, bounds)
            return None if found is None else found.patch

        if not dry_run:
            for change in changes:
                changing.change(cluster, namespace, change.function, patch)
            if (counted := scaling.counted_of(function, bounds)) is not None:
                number = {"data": {counted.setting: str(most)}}
                cluster.patch(kinds.CONFIG_MAP, SETTINGS, number, namespace)
    written = scaling.overlay(function, bounds)
    if as_json:
        output.write_json(as_values(function, changes, written, dry_run=dry_run))
        return
    for line in lines(changes, dry_run=dry_run):
        output.show(line)
    if changes:
        output.tell("The next deploy takes this back unless the overlay's kustomization.yaml says:")
        output.show(written.rstrip())
    if not service.follows_latest:
        output.tell(
            f"The new revision gets no requests: those of {function} stay at {service.serving}. "
            f"`kinora knative rollback {function} --to latest` lets them follow."
        )


def lines(changes: list[Change], *, dry_run: bool) -> list[str]:
    if not changes:
        return ["Everything is so already."]
    undone = " (not done)" if dry_run else ""
    return [f"{change.function}: {', '.join(change.says)}{undone}" for change in changes]


def as_values(
    function: str, changes: list[Change], written: str, *, dry_run: bool
) -> dict[str, Any]:
    return {
        "function": function,
        "dry_run": dry_run,
        "changes": [{"function": change.function, "says": list(change.says)} for change in changes],
        "overlay": written,
    }
