"""`kinora knative`: functions in a cluster, watched and changed. Wiring only."""

from __future__ import annotations

import typer

from knative.cli.command import Command
from knative.cli.operating.gpu import gpu
from knative.cli.operating.replay import replay
from knative.cli.operating.rollback import rollback
from knative.cli.operating.rollout import rollout
from knative.cli.operating.scale import scale
from knative.cli.operating.status import status
from knative.cli.operating.tune import tune

knative = typer.Typer(
    help="Functions in a cluster: how they stand, and what is done to them.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

for command in (status, tune, rollout, rollback, scale, gpu, replay):
    knative.command(cls=Command)(command)
