"""`kinora knative replay`: parked events, by reason, and delivering them again."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from knative.cli import reach, site
from knative.cli.command import AsJson
from knative.cli.complaint import FAILED, Complaint

if TYPE_CHECKING:
    from rich.console import RenderableType

    from eventing.cloudevent import CloudEvent
    from functions.ports import ObjectStore
    from knative.operating.cluster import Cluster
    from knative.operating.parked import Group

    Deliver = Callable[[CloudEvent], str]

_PATIENCE_S = 10.0


def replay(
    everything: Annotated[
        bool, typer.Option("--all", help="Deliver every parked event again.")
    ] = False,
    reason: Annotated[
        str, typer.Option("--reason", help="Those whose reason holds these words.")
    ] = "",
    job: Annotated[str, typer.Option("--job", help="Those of the job that begins so.")] = "",
    function: Annotated[
        str, typer.Option("--function", help="Those that this function did not take.")
    ] = "",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="List those that would be delivered.")
    ] = False,
    directory: Annotated[
        Path | None,
        typer.Option(
            "--dir",
            envvar="KINORA_DIR",
            file_okay=False,
            help="Folder of an embedded runtime, instead of a cluster.",
        ),
    ] = None,
    namespace: reach.Namespace = reach.NAMESPACE,
    context: reach.Context = "",
    as_json: AsJson = False,
) -> None:
    """List the events that could not be delivered, by reason; deliver those named again, now.

    The sweeper does so by itself, a hundred a minute, until a job's deadline: this is for not
    waiting. What is delivered is the same event, so that it does no harm if both do it. The store
    is that of --dir, or KINORA_STORE with the broker at K_SINK or in the cluster; without these a
    pod of the cluster does the work.
    """
    from knative.operating import parked

    names = any((everything, reason, job, function))
    wanted = {"reason": reason, "job": job.lower(), "function": function}
    if directory is not None:
        place = site.Site.open(directory)
        here, at = place.store(), place.home.broker_url()
        if names and not dry_run and not at:
            raise Complaint(
                f"No runtime works on {directory}, so nobody takes events. Start it with "
                f"`{place.starts(directory)}`: it delivers them by itself within a minute."
            )
        _work(
            here,
            parked.chosen(parked.read(here), **wanted),
            _to(at),
            names and not dry_run,
            as_json,
        )
        return
    from knative.cli.operating.records import objects_here

    store = objects_here()
    if store is not None and ((sink := os.environ.get("K_SINK")) or not names or dry_run):
        found = parked.chosen(parked.read(store), **wanted)
        _work(store, found, _to(sink or ""), names and not dry_run, as_json)
        return
    with reach.cluster(context) as cluster:
        if store is not None:
            found = parked.chosen(parked.read(store), **wanted)
            _work(store, found, _through(cluster, namespace), deliver=True, as_json=as_json)
            return
        arguments = ["knative", "replay", "--json", *(["--all"] if everything else [])]
        arguments += [
            part for name, value in wanted.items() if value for part in (f"--{name}", value)
        ]
        _elsewhere(cluster, namespace, arguments + ["--dry-run"] * dry_run, as_json)


def _work(
    store: ObjectStore, found: Sequence[Any], to: Deliver, deliver: bool, as_json: bool
) -> None:
    """List what was chosen, or deliver it."""
    from knative.operating import parked

    groups = parked.grouped(found)
    came = parked.replay(store, found, to) if deliver else None
    _tell(
        {"parked": [asdict(group) for group in groups], "replayed": came and asdict(came)}, as_json
    )


def _elsewhere(cluster: Cluster, namespace: str, arguments: list[str], as_json: bool) -> None:
    from knative.cli.operating.records import from_inside

    # Who may read and remove parked events.
    _tell(from_inside(cluster, namespace, "sweeper", arguments)[0], as_json)


def _tell(facts: dict[str, Any], as_json: bool) -> None:
    import time

    from knative.cli import output
    from knative.operating.parked import Group

    groups, came = [Group(**each) for each in facts["parked"]], facts["replayed"]
    if as_json:
        output.write_json(facts)
    elif not groups:
        output.show("Nothing is parked." if came is None else "Nothing such is parked.")
    else:
        output.show(*table(groups, now_s=time.time()))
        output.tell(outcome(came))
    if came is not None and came["refused"]:
        # With --json the figures say it; a second object would not be JSON any more.
        if as_json:
            raise typer.Exit(FAILED)
        raise Complaint(
            f"The broker took {came['delivered']} and not the next: {came['why']}. "
            f"{came['refused']} are parked as before; the sweeper goes on with them.",
            exit_code=FAILED,
            code="not_taken",
        )


def outcome(came: dict[str, Any] | None) -> str:
    if came is None:
        return (
            "The sweeper delivers them again by itself. For now: --all, or --reason, --job, "
            "--function for some of them."
        )
    ended = f" {came['ended']} of jobs that have ended were left." if came["ended"] else ""
    return f"Delivered {came['delivered']}.{ended}"


def table(groups: Sequence[Group], *, now_s: float) -> list[RenderableType]:
    from rich.table import Table
    from rich.text import Text

    from knative.cli import wording

    shown = Table(box=None, pad_edge=False)
    for heading in ("events", "jobs", "function", "type", "oldest", "newest", "reason"):
        right = heading in ("events", "jobs", "oldest", "newest")
        shown.add_column(heading, justify="right" if right else "left", overflow="fold")
    for group in groups:
        shown.add_row(
            str(group.count),
            str(group.jobs),
            Text(group.function or "?"),
            Text(wording.plain(group.type.removeprefix("dev.kinora."))),
            wording.span(max(0.0, now_s - group.oldest_s)),
            wording.span(max(0.0, now_s - group.newest_s)),
            Text(wording.plain(group.reason)),
        )
    return [shown]


def _to(url: str) -> Deliver:
    """Delivers to an address that can be reached from here."""
    from knative.cli.post import deliver

    def send(event: CloudEvent) -> str:
        reply = deliver(url, event, timeout_s=_PATIENCE_S)
        return "" if 200 <= reply.status < 300 else f"{reply.status or ''} {reply.body}".strip()

    return send


def _through(cluster: Cluster, namespace: str) -> Deliver:
    """Delivers to the installation's broker, through the API server."""
    from urllib.parse import urlsplit

    from eventing.codec import encode
    from eventing.topology import BROKER
    from knative.operating import kinds

    found = cluster.get(kinds.BROKER, BROKER, namespace)
    address = (found or {}).get("status", {}).get("address", {}).get("url", "")
    parts = urlsplit(address)
    service, _, rest = (parts.hostname or "").partition(".")
    if not service:
        raise Complaint(
            f"The broker {BROKER} in the namespace {namespace} has no address. "
            "`kinora doctor --cluster` says why.",
            exit_code=FAILED,
            code="no_broker",
        )

    def send(event: CloudEvent) -> str:
        message = encode(event)
        status, body = cluster.post_to(
            rest.partition(".")[0],
            service,
            str(parts.port or 80),
            parts.path,
            message.body,
            dict(message.headers),
            timeout_s=_PATIENCE_S,
        )
        return "" if 200 <= status < 300 else f"{status} {body.decode(errors='replace')}".strip()

    return send
