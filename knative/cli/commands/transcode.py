"""`kinora transcode`: one file, the whole pipeline, in a runtime that lives as long as the job."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from knative.cli import wanted
from knative.cli.command import AsJson
from knative.cli.complaint import EXIT_OF_STATE, FAILED, Complaint

if TYPE_CHECKING:
    from functions.jobs.verdict import Verdict
    from knative.local.runtime import Runtime, Status

SETTLED_S: Final = 5.0
"""How long the last deliveries are waited for where somebody wants to read of them."""
STARTS: Final = 4
"""Of a function, failed in a row, after which none is expected to do better."""
LEAST_FREE_BYTES: Final = 1024 * 1024
"""A disk with less is full: the next log, database page or segment finds no room."""


def transcode(
    source: Annotated[Path, typer.Argument(metavar="INPUT", help="The video or audio file.")],
    out: Annotated[
        Path, typer.Option("--out", "-o", help="Folder of the result; absent or empty.")
    ],
    profile: Annotated[
        str, typer.Option("--profile", "-p", help="Ladder and settings; see `kinora profiles`.")
    ] = "default",
    chunk_segments: wanted.ChunkSegments = None,
    accelerator: wanted.Chosen = None,
    frame_rate: wanted.FrameRate = wanted.CONSTANT,
    audio_languages: wanted.AudioLanguages = None,
    progressive: wanted.Progressive = False,
    encoders: Annotated[
        int | None, typer.Option("--encoders", min=1, help="Encoders at once (default: cores).")
    ] = None,
    keep_events: Annotated[
        bool, typer.Option("--keep-events", help="Write the tree of events to OUT/events.json.")
    ] = False,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace an earlier result.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Turn one file into streams.

    OUT gets master.m3u8, manifest.mpd, the renditions and report.json, and with --progressive one
    MP4 besides. Nothing needs to run before, and nothing is left running or lying about afterwards.
    """
    from knative.cli import output, throwaway
    from knative.cli.summary import result_as_json, result_table

    options = wanted.options(
        profile=profile,
        chunk_segments=chunk_segments,
        accelerator=accelerator,
        frame_rate=frame_rate,
        audio_languages=audio_languages,
        progressive=progressive,
    )
    source = readable(source)
    out = Path(out).absolute()
    if out.name == "..":
        out = out.resolve()
    throwaway.check_out(out, overwrite=overwrite)
    with throwaway.beside(out) as directory:
        verdict = _run(
            source,
            directory,
            options=options,
            encoders=encoders,
            keep_events=keep_events,
        )
        if verdict.state != "completed":
            raise Complaint(
                verdict.reason,
                exit_code=EXIT_OF_STATE[verdict.state],
                code=verdict.code,
                job=verdict.job,
                state=verdict.state,
            )
        throwaway.publish(directory / "media" / verdict.job, out)
    if as_json:
        output.write_json(result_as_json(verdict.job, out))
    else:
        output.show(*result_table(out))


def readable(source: Path) -> Path:
    """The file itself, behind links. Raises Complaint where there is nothing that can be read."""
    try:
        found = source.resolve(strict=True)
        if not found.is_file():
            raise Complaint(f"{source} is not a file. Name one video or audio file.")
        found.open("rb").close()
    except FileNotFoundError:
        raise Complaint(f"There is no file {source}. Check the path.") from None
    except (OSError, RuntimeError, ValueError) as error:
        why = getattr(error, "strerror", None) or str(error)
        raise Complaint(f"{source} cannot be read: {why}. Check the path.") from None
    return found


def _run(
    source: Path,
    directory: Path,
    *,
    options: dict[str, Any],
    encoders: int | None,
    keep_events: bool,
) -> Verdict:
    import json
    import logging

    from functions.jobs import naming
    from knative.cli import throwaway
    from knative.cli.signals import abortable

    logging.basicConfig(filename=directory / "runtime.log", level=logging.INFO)
    # Nobody has to know of a line that found no room.
    logging.raiseExceptions = False
    name = throwaway.name_of(source)
    key = f"{throwaway.TENANT}/{name}"
    target = directory / "uploads" / key
    try:
        throwaway.stage(source, target)
        if options:
            Path(naming.sidecar(str(target))).write_text(json.dumps(options))
        return abortable(
            lambda: _pipeline(directory, key, encoders=encoders, keep_events=keep_events)
        )
    except OSError as error:
        raise Complaint(
            f"The job could not be run here: {error.strerror or error}. "
            "`kinora doctor` says what is missing.",
            exit_code=FAILED,
            code="environment",
        ) from error


def startable(status: Status) -> None:
    """Raises Complaint when a function fails at every start: no waiting makes that better."""
    for name, service in status.services.items():
        if service.failed_starts >= STARTS:
            said = service.trouble.strip().splitlines()
            raise Complaint(
                f"The function {name} cannot be started: {said[-1] if said else 'no word why'}. "
                "Check the settings (KINORA_…) with `kinora doctor`.",
                exit_code=FAILED,
                code="environment",
            )


async def settled(runtime: Runtime) -> None:
    """Returns once every event has been delivered, the one about the verdict among them."""
    import asyncio

    while runtime.status().pending:
        await asyncio.sleep(0.05)


def roomy(place: Path, usage: tuple[int, int, int]) -> None:
    """Raises Complaint when the disk is full: a job on it waits for room that nobody will make.

    `usage` is what `shutil.disk_usage` says; a file system of no size does not know its own.
    """
    total_bytes, _, free_bytes = usage
    if total_bytes and free_bytes < LEAST_FREE_BYTES:
        raise Complaint(
            f"The disk at {place} is full. Make room, or name another place with -o.",
            exit_code=FAILED,
            code="environment",
        )


async def _pipeline(
    directory: Path, key: str, *, encoders: int | None, keep_events: bool
) -> Verdict:
    import asyncio
    import contextlib
    import json
    import os
    import shutil
    import time

    from eventing import telemetry
    from eventing.cloudevent import timestamp
    from eventing.envelope import wrap
    from functions.adapters import connect
    from functions.jobs.manifest import SourceObject
    from knative.cli import eventtree, output
    from knative.cli.bar import Bar
    from knative.cli.follow import Patience, until_verdict
    from knative.cli.settings import for_functions
    from knative.local.broker.history import History
    from knative.local.runtime import Runtime

    # The folder dies with the command, so nothing in it need survive the loss of power.
    location = f"{directory.as_uri()}?durable=0&links=1"
    store = connect.object_store(location)
    runtime = Runtime(
        directory,
        encoders=encoders,
        watch_uploads=False,
        for_one_job=True,
        extra_env={**for_functions(os.environ), "KINORA_STORE": location},
    )

    def check() -> None:
        startable(runtime.status())
        roomy(directory.parent, shutil.disk_usage(directory))

    try:
        await runtime.start()
        info = store.head(f"uploads/{key}")
        if info is None:
            raise Complaint("The file vanished while the job began. Check the path.")
        created = SourceObject.of(info).created
        await runtime.publish(wrap(created, producer="cli", time=timestamp(time.time())))
        state = connect.state_store(str(runtime.home.state))
        with contextlib.ExitStack() as stack:
            terminal = output.terminal()
            bar = stack.enter_context(Bar(terminal)) if terminal else None
            verdict = await until_verdict(
                store,
                state,
                created.job,
                watch=bar.update if bar else None,
                patience=Patience(),
                check=check,
            )
        traced = any(os.environ.get(switch) for switch in telemetry.SWITCHES)
        if keep_events or traced:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(settled(runtime), SETTLED_S)
        if keep_events and verdict.state == "completed":
            tree = eventtree.grow(History(runtime.home.events).of(verdict.job))
            (directory / "media" / verdict.job / "events.json").write_text(
                json.dumps(eventtree.as_json(tree), indent=2) + "\n"
            )
        if traced:
            # Spans leave a process as it ends: killed processes would take them along.
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(runtime.stop(drain=True), SETTLED_S)
        return verdict
    finally:
        await runtime.stop(drain=False)
