"""`kinora knative rollback`: all requests to an earlier revision, at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from knative.cli import reach
from knative.cli.command import AsJson
from knative.cli.complaint import FAILED, Complaint
from knative.cli.operating.function import Function, there

if TYPE_CHECKING:
    from knative.operating.revision import Service


def rollback(
    function: Function,
    to: Annotated[
        str,
        typer.Option("--to", help="A revision, or `latest`: whatever is deployed, from now on."),
    ] = "",
    namespace: reach.Namespace = reach.NAMESPACE,
    context: reach.Context = "",
    as_json: AsJson = False,
) -> None:
    """Send all requests of a function to an earlier revision, at once.

    Without --to: to the one before a rollout that is under way, or else to the newest that is
    older than the one that serves. What pods have begun they end.
    """
    from knative.cli import output
    from knative.operating import changing, kinds
    from knative.operating import rollout as rollouts
    from knative.operating.revision import Revision, newest_first

    target = ""

    with reach.cluster(context) as cluster:
        known = newest_first(
            revision
            for each in cluster.list(kinds.REVISION, namespace)
            if (revision := Revision.of(each)).service == function
        )
        if known and to not in ("", "latest", *(each.name for each in known)):
            names = ", ".join(each.name for each in known[:5])
            raise Complaint(f"{function} has no revision `{to}`. Use one of: {names}.")

        def back(latest: Service) -> dict[str, Any]:
            nonlocal target
            target = "" if to == "latest" else to or _earlier(latest, known)
            return rollouts.pin(latest, target, reason="somebody took it back")

        service = there(changing.change(cluster, namespace, function, back), function, namespace)
    chosen = target or "latest"
    if as_json:
        output.write_json({"function": function, "from": service.serving, "to": chosen})
        return
    output.show(f"All requests of {function} go to {chosen}.")
    if target:
        output.tell(
            "They stay there, also after a deploy, until the next rollout, or "
            f"`kinora knative rollback {function} --to latest`."
        )


def _earlier(service: Service, known: list[Any]) -> str:
    from knative.operating import rollout as rollouts

    if (course := rollouts.running(service)) is not None:
        return course.old
    if (found := rollouts.before(known, service.serving)) is not None:
        return found.name
    raise Complaint(
        f"{service.name} has no revision before {service.serving} that could serve.",
        exit_code=FAILED,
        code="no_revision",
    )
