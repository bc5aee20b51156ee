"""`kinora plan`: what a file would become and what that would take, without encoding anything."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from knative.cli import site, wanted
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
            "given, and the times for each. May be given several times.",
        ),
    ] = None,
    chunk_segments: wanted.ChunkSegments = None,
    accelerator: wanted.Chosen = None,
    frame_rate: wanted.FrameRate = wanted.CONSTANT,
    audio_languages: wanted.AudioLanguages = None,
    progressive: wanted.Progressive = False,
    directory: site.Directory = site.DEFAULT,
    as_json: AsJson = False,
) -> None:
    """Show what a file would become, and what that would take.

    The file is looked at and cut into tasks as it would be by `kinora transcode`, for any number
    of encoders; nothing is encoded, and no service runs. What work costs is an estimate; where a
    runtime has its folder (--dir), by what jobs took there.
    """
    from tempfile import TemporaryDirectory

    from knative.cli import outlook, output, preview
    from knative.cli.commands.transcode import readable
    from knative.local.overlay import cores

    options = wanted.options(
        profile=profile,
        chunk_segments=chunk_segments,
        accelerator=accelerator,
        frame_rate=frame_rate,
        audio_languages=audio_languages,
        progressive=progressive,
    )
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
