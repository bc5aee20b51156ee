"""`kinora invoke`: one function, one event, and what came of it."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from knative.cli import reach, site
from knative.cli.command import AsJson
from knative.cli.complaint import DONE, FAILED, REJECTED, Complaint

if TYPE_CHECKING:
    from eventing.cloudevent import CloudEvent
    from knative.cli.post import Reply


def invoke(
    function: Annotated[str, typer.Argument(metavar="FUNCTION", help="`ingest`, `chunker` …")],
    event: Annotated[
        Path, typer.Option("--event", "-e", help="The event as JSON; `-` reads standard input.")
    ],
    url: Annotated[
        str, typer.Option("--url", help="Deliver there instead of starting a process.")
    ] = "",
    cluster: Annotated[
        bool, typer.Option("--cluster", help="Deliver to the function in a cluster, from zero.")
    ] = False,
    context: reach.Context = "",
    namespace: reach.Namespace = reach.NAMESPACE,
    timeout_s: Annotated[
        float, typer.Option("--timeout", min=0.1, help="Seconds to wait for the answer.")
    ] = 600.0,
    directory: site.Directory = site.DEFAULT,
    as_json: AsJson = False,
) -> None:
    """Deliver one event to one function.

    Prints its answer and what it published. The process started here works on the stores of
    --dir (or KINORA_STORE and KINORA_STATE), and what it publishes goes nowhere. With --cluster
    the function of an installation gets it, through the API server, and what it publishes goes its
    usual way; a pod listens meanwhile. Exit codes: 0 for a 2xx, 3 for a 422, 4 for anything else.
    """
    from knative.cli import eventfile, output

    sent = _read(function, event)
    if url and cluster:
        raise Complaint("--url and --cluster are two places. Name one of them.")
    if url and not url.startswith(("http://", "https://")):
        raise Complaint(f"`{url}` is not an http address. Write it as http://host:port/.")
    published: Sequence[CloudEvent] | None
    if url:
        from knative.cli.post import deliver

        # What a function behind an address publishes goes to its own sink, out of our sight.
        reply, published = deliver(url, sent, timeout_s=timeout_s), None
    elif cluster:
        reply, published = _in_cluster(context, namespace, function, sent, timeout_s)
    else:
        reply, published = _here(site.Site(directory.resolve()), function, sent, timeout_s)
    shown = None if published is None else [eventfile.as_json(each) for each in published]
    if as_json:
        output.write_json({"status": reply.status, "body": reply.body, "published": shown})
    else:
        output.show(f"{reply.status or 'no answer'} {reply.body}".strip())
        for value in shown or ():
            output.show(output.json_text(value))
    code = DONE if 200 <= reply.status < 300 else REJECTED if reply.status == 422 else FAILED
    raise typer.Exit(code)


def _read(function: str, event: Path) -> CloudEvent:
    import time

    from eventing.cloudevent import timestamp
    from eventing.topology import FUNCTIONS
    from knative.cli import eventfile

    names = [known.name for known in FUNCTIONS]
    if function not in names:
        raise Complaint(f"There is no function `{function}`. Use one of: {', '.join(names)}.")
    try:
        text = sys.stdin.buffer.read() if event == Path("-") else event.read_bytes()
    except OSError as error:
        raise Complaint(f"{event} cannot be read: {error.strerror}. Check the path.") from None
    return eventfile.parse(text, where=str(event), time=timestamp(time.time()))


def _here(
    place: site.Site, function: str, sent: CloudEvent, timeout_s: float
) -> tuple[Reply, Sequence[CloudEvent]]:
    from knative.cli.capture import Capture
    from knative.cli.post import deliver
    from knative.cli.solo import serving

    with Capture() as sink, serving(function, place, sink=sink.url) as address:
        return deliver(address, sent, timeout_s=timeout_s), sink.events


def _in_cluster(
    context: str, namespace: str, function: str, sent: CloudEvent, timeout_s: float
) -> tuple[Reply, Sequence[CloudEvent]]:
    from knative.cli.post import Reply
    from knative.operating import invocation
    from knative.operating.listener import listening

    with reach.cluster(context) as cluster:
        service = invocation.target(cluster, namespace, function)
        with listening(cluster, namespace, service, sent.id) as listener:
            status, body = invocation.send(cluster, service, sent, timeout_s=timeout_s)
            return Reply(status, body), listener.settled()
