"""The command `kinora`: wiring only. Each command has its own file."""

from __future__ import annotations

import io
import sys
from typing import Annotated

import typer

from knative.cli.command import Command
from knative.cli.commands.buckets import buckets
from knative.cli.commands.cancel import cancel
from knative.cli.commands.deploy import deploy
from knative.cli.commands.doctor import doctor
from knative.cli.commands.events import events
from knative.cli.commands.evidence import evidence
from knative.cli.commands.invoke import invoke
from knative.cli.commands.jobs import jobs
from knative.cli.commands.keys import keys
from knative.cli.commands.knative import knative
from knative.cli.commands.plan import plan
from knative.cli.commands.profiles import profiles
from knative.cli.commands.show import show
from knative.cli.commands.submit import submit
from knative.cli.commands.transcode import transcode
from knative.cli.commands.up import up
from knative.cli.commands.watch import watch

app = typer.Typer(
    help="Turn video files into streams: HLS and DASH with one set of CMAF segments.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    epilog="Exit codes: 0 done, 2 usage, 3 rejected input, 4 failed, 130 interrupted.",
)

for command in (
    transcode,
    plan,
    up,
    submit,
    jobs,
    show,
    watch,
    cancel,
    events,
    invoke,
    profiles,
    doctor,
    deploy,
    evidence,
):
    app.command(cls=Command)(command)
app.add_typer(keys, name="keys")
app.add_typer(buckets, name="buckets")
app.add_typer(knative, name="knative")


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"kinora {version('kinora')}")
        raise typer.Exit


@app.callback()
def kinora(
    _: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    pass


def run() -> None:
    """The console script."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # What a terminal has no character for is shown as `?`, it does not end a command.
            stream.reconfigure(errors="replace")
    app(prog_name="kinora")


if __name__ == "__main__":
    run()
