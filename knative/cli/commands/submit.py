"""`kinora submit`: hand a file to a runtime, as if it had been dropped there."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from knative.cli import site, wanted
from knative.cli.command import AsJson
from knative.cli.complaint import Complaint


def submit(
    source: Annotated[Path, typer.Argument(metavar="FILE", help="The video or audio file.")],
    tenant: Annotated[str, typer.Option("--tenant", "-t", help="Whose job it is.")] = "local",
    profile: Annotated[
        str, typer.Option("--profile", "-p", help="Ladder and settings; see `kinora profiles`.")
    ] = "default",
    chunk_segments: wanted.ChunkSegments = None,
    accelerator: wanted.Chosen = None,
    frame_rate: wanted.FrameRate = wanted.CONSTANT,
    audio_languages: wanted.AudioLanguages = None,
    progressive: wanted.Progressive = False,
    name: Annotated[
        str, typer.Option("--name", help="What it is called there (default: its own name).")
    ] = "",
    directory: site.Directory = site.DEFAULT,
    as_json: AsJson = False,
) -> None:
    """Hand a file to a runtime; prints the job's id.

    It is copied into the uploads, the folder or the bucket. Whoever watches them never sees half
    of it. Without a running runtime the job begins when the next one starts.
    """
    from functions.jobs import layout
    from functions.jobs.manifest import SourceObject
    from knative.cli import output
    from knative.cli.commands.transcode import readable
    from knative.cli.drop import drop, put

    options = wanted.options(
        profile=profile,
        chunk_segments=chunk_segments,
        accelerator=accelerator,
        frame_rate=frame_rate,
        audio_languages=audio_languages,
        progressive=progressive,
    )
    place = site.Site(directory.resolve())
    file, called = readable(source), name or source.name
    if place.home.stores.shared_objects:
        key = put(file, place.store(), tenant=tenant, name=called, options=options)
    else:
        uploads = directory / layout.UPLOADS
        key = drop(file, uploads, tenant=tenant, name=called, options=options)
    info = place.store().head(f"{layout.UPLOADS}/{key}")
    if info is None:
        raise Complaint(f"{key} was removed as soon as it lay there. Submit it again.")
    job = SourceObject.of(info).created.job
    running = bool(place.home.broker_url())
    if as_json:
        output.write_json({"job": job, "key": f"{layout.UPLOADS}/{key}", "running": running})
        return
    output.show(job)
    if not running:
        output.tell(
            f"No runtime watches {directory}; the job begins with `{place.starts(directory)}`."
        )
