"""`kinora plan`: what a file would become and what that would take, without encoding anything."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from functions.media.encoding.accelerator import Accelerator
from knative.cli import site
from knative.cli.command import AsJson

if TYPE_CHECKING:
    from functions.media.cutting.rates import Rates

ENCODERS: Final = (1, 2, 4, 16, 64, 1000)
"""For which it is always told how long it takes."""


def plan(
    source: Annotated[Path, typer.Argument(metavar="INPUT", help="The video or audio file.")],
    profile: Annotated[
        str, typer.Option("--profile", "-p", help="Ladder and settings; see `kinora profiles`.")
    ] = "default",
    encoders: Annotated[
        list[int] | None,
        typer.Option(
            "--encoders",
            min=1,
            max=100_000,
            help="Encoders at once (default: cores); the tasks shown are for the first number "
            "given, and the times for each.",
        ),
    ] = None,
    chunk_segments: Annotated[
        int | None,
        typer.Option("--chunk-segments", min=1, max=1000, help="Segments in every chunk."),
    ] = None,
    accelerator: Annotated[
        Accelerator | None,
        typer.Option("--accelerator", help="What encodes the pictures (default: the profile's)."),
    ] = None,
    directory: site.Directory = site.DEFAULT,
    as_json: AsJson = False,
) -> None:
    """Show what a file would become, and what that would take.

    The file is looked at and cut into tasks as it would be by `kinora transcode`, for any number
    of encoders; nothing is encoded, and no service runs. What work costs is an estimate; where a
    runtime has its folder (--dir), by what jobs took there.
    """
    from tempfile import TemporaryDirectory

    from knative.cli import outlook, output, preview, profile_choice
    from knative.cli.commands.transcode import readable
    from knative.local.overlay import cores

    options: dict[str, Any] = {}
    if profile != "default":
        profile_choice.check(profile)
        options["profile"] = profile
    if chunk_segments is not None:
        options["chunk_segments"] = chunk_segments
    if accelerator is not None:
        options["accelerator"] = accelerator
    found = readable(source)
    asked = encoders or [cores()]
    with TemporaryDirectory(prefix="kinora-plan-") as folder:
        told = preview.look(
            found,
            Path(folder),
            options=options,
            encoders=asked[0],
            also=sorted({*asked, *ENCODERS}),
            rates=_rates(directory),
        )
    if as_json:
        output.write_json(outlook.as_json(told, source=str(source)))
    else:
        output.show(*outlook.tables(told, source=source.name))


def _rates(directory: Path) -> Rates:
    """What jobs in the runtime's folder found work to cost; built in where there is none."""
    from functions.jobs import rates
    from functions.media.cutting.rates import Rates
    from knative.cli.complaint import Complaint

    try:
        return rates.read(site.Site.open(directory).store())
    except Complaint:
        return Rates()
