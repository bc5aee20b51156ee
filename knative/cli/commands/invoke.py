"""`kinora invoke`: one function, one event, and what came of it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from knative.cli import site
from knative.cli.command import AsJson
from knative.cli.complaint import DONE, FAILED, REJECTED, Complaint


def invoke(
    function: Annotated[str, typer.Argument(metavar="FUNCTION", help="`ingest`, `chunker` …")],
    event: Annotated[
        Path, typer.Option("--event", "-e", help="The event as JSON; `-` reads standard input.")
    ],
    url: Annotated[
        str, typer.Option("--url", help="Deliver there instead of starting a process.")
    ] = "",
    timeout_s: Annotated[
        float, typer.Option("--timeout", min=0.1, help="Seconds to wait for the answer.")
    ] = 600.0,
    directory: site.Directory = site.DEFAULT,
    as_json: AsJson = False,
) -> None:
    """Deliver one event to one function.

    Prints its answer and what it published. The process started here works on the stores of
    --dir (or KINORA_STORE and KINORA_STATE), and what it publishes goes nowhere. Exit codes: 0
    for a 2xx, 3 for a 422, 4 for anything else.
    """
    import sys
    import time

    from eventing.cloudevent import timestamp
    from eventing.topology import FUNCTIONS
    from knative.cli import eventfile, output
    from knative.cli.capture import Capture
    from knative.cli.post import deliver
    from knative.cli.solo import serving

    names = [known.name for known in FUNCTIONS]
    if function not in names:
        raise Complaint(f"There is no function `{function}`. Use one of: {', '.join(names)}.")
    try:
        text = sys.stdin.buffer.read() if event == Path("-") else event.read_bytes()
    except OSError as error:
        raise Complaint(f"{event} cannot be read: {error.strerror}. Check the path.") from None
    sent = eventfile.parse(text, where=str(event), time=timestamp(time.time()))
    if url and not url.startswith(("http://", "https://")):
        raise Complaint(f"`{url}` is not an http address. Write it as http://host:port/.")
    if url:
        reply, published = deliver(url, sent, timeout_s=timeout_s), []
    else:
        place = site.Site(directory.resolve())
        with Capture() as sink, serving(function, place, sink=sink.url) as address:
            reply = deliver(address, sent, timeout_s=timeout_s)
            published = sink.events
    shown = [eventfile.as_json(each) for each in published]
    if as_json:
        # What a function behind an address publishes goes to its own sink, out of our sight.
        output.write_json(
            {"status": reply.status, "body": reply.body, "published": None if url else shown}
        )
    else:
        output.show(f"{reply.status or 'no answer'} {reply.body}".strip())
        for value in shown:
            output.show(output.json_text(value))
    code = DONE if 200 <= reply.status < 300 else REJECTED if reply.status == 422 else FAILED
    raise typer.Exit(code)
