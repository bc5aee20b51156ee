"""`kinora up`: a runtime over a folder, until somebody ends it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from knative.cli import site
from knative.cli.command import AsJson
from knative.cli.complaint import FAILED, Complaint


def up(
    directory: site.Directory = site.DEFAULT,
    encoders: Annotated[
        int | None, typer.Option("--encoders", min=1, help="Encoders at once (default: cores).")
    ] = None,
    tick: Annotated[
        float | None,
        typer.Option("--tick", min=0.1, help="Seconds between two sweeps (default: 60)."),
    ] = None,
    idle: Annotated[
        float | None,
        typer.Option("--idle", min=0.1, help="Seconds until an idle function goes (default: 10)."),
    ] = None,
    store: Annotated[
        str,
        typer.Option("--store", help="Work on buckets instead: s3, or s3://<their prefix>."),
    ] = "",
    state: Annotated[
        str, typer.Option("--state", help="Keep state in Redis instead: redis, or redis://….")
    ] = "",
    listen: Annotated[
        str,
        typer.Option(
            "--listen", help="Where the page and REST are (default: 127.0.0.1:8080); `off` for not."
        ),
    ] = "",
    notifications: Annotated[
        str,
        typer.Option(
            "--notifications",
            help="Where a bucket's notifications are taken (default with s3: 127.0.0.1:8081).",
        ),
    ] = "",
    manifests: Annotated[
        Path | None,
        typer.Option("--manifests", file_okay=False, help="Run these manifests instead of ours."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Encode whatever is dropped into a folder, or into a bucket.

    Files in DIR/uploads/<tenant>/ become streams in DIR/media/<job>/; with --store s3 the same in
    the buckets of the S3 service that the environment names (AWS_ENDPOINT_URL and its like).
    Goes on with whatever an earlier run left. SIGTERM lets what is being encoded end first; Ctrl-C
    ends at once, and the next start takes it up again. With --json each happening is a line.
    """
    import errno
    import os

    from functions.jobs import layout
    from knative.cli import output
    from knative.cli.doors import Doors
    from knative.cli.narrator import Narrator
    from knative.cli.settings import for_functions
    from knative.local import stores
    from knative.local.background import Background
    from knative.local.home import AlreadyRunning
    from knative.local.lifetime import run
    from knative.local.manifests import BASE, load
    from knative.local.process import NotReady
    from knative.local.runtime import Runtime

    try:
        chosen = stores.chosen(store, state)
        doors = Doors.choose(listen, notifications, on_s3=chosen.shared_objects)
        shown = BASE if manifests is None else manifests
        load(shown)
    except ValueError as error:
        raise Complaint(f"{error}.") from None
    try:
        directory.mkdir(parents=True, exist_ok=True)
        if not chosen.shared_objects:
            (directory / layout.UPLOADS / "local").mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Complaint(
            f"{directory} cannot be used: {error.strerror}. Name another folder with --dir."
        ) from None
    place = site.Site(directory.resolve())
    objects = place.objects_of(chosen)
    # What is not there is said at once, not by every function.
    objects.head(layout.open_marker("0" * 32))
    if chosen.shared_state:
        place.state_of(chosen).held("")
    runtime = Runtime(
        place.root,
        manifests=shown,
        encoders=encoders,
        tick_s=tick,
        scale_window_s=idle,
        extra_env=for_functions(os.environ),
        stores=chosen,
        door=doors.page,
        notifications=doors.notifications,
    )
    narrator = Narrator(place, objects, as_json=as_json)
    telling = Background()

    async def started() -> None:
        if as_json:
            output.write_line(
                {
                    "happened": "started",
                    "directory": str(place.root),
                    "page": runtime.page_url,
                    "notifications": runtime.notifications_url,
                }
            )
        else:
            output.show(*doors.words(runtime, directory, chosen))
        telling.begin(narrator.tell())

    narrator.begin()
    try:
        code = run(runtime, started=started)
    except NotReady as error:
        raise Complaint(f"The gateway does not start: {error}.", exit_code=FAILED) from None
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            raise
        raise Complaint(doors.taken(), exit_code=FAILED, code="environment") from None
    except AlreadyRunning:
        raise Complaint(
            f"Another runtime works in {directory}. Stop it first, or name another with --dir."
        ) from None
    narrator.catch_up()
    raise typer.Exit(code)
