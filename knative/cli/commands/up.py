"""`kinora up`: a runtime over a folder, until somebody ends it."""

from __future__ import annotations

from typing import Annotated

import typer

from knative.cli import site
from knative.cli.command import AsJson
from knative.cli.complaint import Complaint


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
    as_json: AsJson = False,
) -> None:
    """Encode whatever is dropped into a folder.

    Files in DIR/uploads/<tenant>/ become streams in DIR/media/<job>/. Goes on with whatever an
    earlier run left. SIGTERM lets what is being encoded end first; Ctrl-C ends at once, and the
    next start takes it up again. With --json each happening is a line.
    """
    import os

    from functions.jobs import layout
    from knative.cli import output
    from knative.cli.narrator import Narrator
    from knative.cli.settings import for_functions
    from knative.local.background import Background
    from knative.local.home import AlreadyRunning
    from knative.local.lifetime import run
    from knative.local.runtime import Runtime

    try:
        (directory / layout.UPLOADS / "local").mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Complaint(
            f"{directory} cannot be used: {error.strerror}. Name another folder with --dir."
        ) from None
    place = site.Site(directory.resolve())
    runtime = Runtime(
        place.root,
        encoders=encoders,
        tick_s=tick,
        scale_window_s=idle,
        extra_env=for_functions(os.environ),
    )
    narrator = Narrator(place, as_json=as_json)
    telling = Background()

    async def started() -> None:
        if as_json:
            output.write_line({"happened": "started", "directory": str(place.root)})
        else:
            output.show(
                f"Watching {directory / layout.UPLOADS}/<tenant>/, for example "
                f"{directory / layout.UPLOADS / 'local'}/. Ctrl-C ends."
            )
        telling.begin(narrator.tell())

    narrator.begin()
    try:
        code = run(runtime, started=started)
    except AlreadyRunning:
        raise Complaint(
            f"Another runtime works in {directory}. Stop it first, or name another with --dir."
        ) from None
    narrator.catch_up()
    raise typer.Exit(code)
