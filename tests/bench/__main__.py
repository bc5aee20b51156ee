"""`make bench`: what Kinora costs beside one plain ffmpeg, measured side by side in one run.

Ratios are what counts: both sides run on the same cores, one after the other, with the settings
that the plan itself names. The figures go to build/bench/bench.json, and onto the terminal.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from tests.bench import (
    broker,
    cluster,
    coldstart,
    gateway,
    join,
    makespan,
    memory,
    notifications,
    pipeline,
    quality,
    uploads,
    webhooks,
)

Measure = Callable[[Path], list[dict[str, Any]]]

MEASURES: dict[str, Measure] = {
    "pipeline": pipeline.measure,
    "quality": quality.measure,
    "memory": memory.measure,
    "join": join.measure,
    "makespan": makespan.measure,
    "coldstart": coldstart.measure,
    "broker": lambda scratch: broker.rows(),
    "uploads": uploads.measure,
    "gateway": gateway.measure,
    "notifications": notifications.measure,
    "webhooks": webhooks.measure,
    "cluster": cluster.measure,
}


def render(rows: list[dict[str, Any]], console: Console) -> None:
    """One line a figure: what, measured, limit, and whether it holds."""
    table = Table(box=None, pad_edge=False)
    for column in ("figure", "measured", "limit", ""):
        table.add_column(column, justify="left" if column in ("figure", "") else "right")
    for row in rows:
        limit = row.get("limit")
        verdict = "" if limit is None else ("ok" if row["holds"] else "[bold red]MISSED[/]")
        shown = row["measured"] if isinstance(row["measured"], str) else f"{row['measured']:.3f}"
        table.add_row(row["figure"], shown, "" if limit is None else str(limit), verdict)
    console.print(table)


def main() -> int:
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument(
        "measures",
        nargs="*",
        choices=[*MEASURES, []],
        help="default: all, `cluster` where one is up",
    )
    parser.add_argument("--out", type=Path, default=Path("build/bench"))
    chosen = parser.parse_args()
    console = Console()
    rows: list[dict[str, Any]] = []
    chosen.out.mkdir(parents=True, exist_ok=True)
    measures = chosen.measures or [name for name in MEASURES if name != "cluster" or cluster.up()]
    for name in measures:
        with tempfile.TemporaryDirectory(prefix=f"kinora-bench-{name}-") as scratch:
            console.rule(name)
            measured = MEASURES[name](Path(scratch))
        render(measured, console)
        rows.extend({"measure": name, **row} for row in measured)
        (chosen.out / "bench.json").write_text(json.dumps(rows, indent=2) + "\n")
    missed = [row["figure"] for row in rows if row.get("limit") is not None and not row["holds"]]
    console.rule("missed: " + ", ".join(missed) if missed else "every limit holds")
    return 1 if missed else 0


if __name__ == "__main__":
    raise SystemExit(main())
