"""`kinora knative status`: how every function stands."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from knative.cli import reach
from knative.cli.command import AsJson
from knative.cli.complaint import Complaint

if TYPE_CHECKING:
    from rich.console import RenderableType

    from knative.operating.figures import Figures
    from knative.operating.load import Load
    from knative.operating.pod import State
    from knative.operating.standing import FunctionState, Standing

_STATES: Final[tuple[State, ...]] = ("ready", "starting", "pending", "terminating")
_LONG = 240


def status(
    function: Annotated[
        str, typer.Argument(metavar="[FUNCTION]", help="Only this one.", show_default=False)
    ] = "",
    watch: Annotated[bool, typer.Option("--watch", "-w", help="Go on until Ctrl-C.")] = False,
    every_s: Annotated[
        float, typer.Option("--every", min=0.5, help="Seconds between two looks.")
    ] = 2.0,
    namespace: reach.Namespace = reach.NAMESPACE,
    context: reach.Context = "",
    as_json: AsJson = False,
) -> None:
    """Show revisions, traffic, pods, requests and what went wrong, by function.

    Objects come from the API server, requests from the metrics of Knative's activator and
    autoscaler, through it. Cold starts, with the median time of the pods there are, and errors
    are those of the last hour. `wanted` is the autoscaler's number of pods, with a `!` while it
    only scales up, after a burst.
    """
    from knative.cli import output

    with reach.cluster(context) as cluster:

        def look() -> Figures:
            return _look(cluster, namespace, function)

        found = look()
        if not watch:
            if as_json:
                output.write_json(as_values(found))
            else:
                output.show(*tables(found))
            return
        _follow(found, look, every_s, as_json=as_json)


def _look(cluster: Any, namespace: str, function: str) -> Figures:
    import time

    from knative.operating import figures

    found = figures.read(cluster, namespace, now_s=time.time(), function=function)
    if not found.functions:
        what = f"function `{function}`" if function else "function"
        raise Complaint(
            f"There is no {what} in the namespace {namespace}. `kinora deploy` brings an "
            "installation up; --namespace names another.",
            code="not_installed",
        )
    return found


def _follow(found: Figures, look: Any, every_s: float, *, as_json: bool) -> None:
    import time

    from knative.cli import output

    if as_json:
        while True:
            output.write_line(as_values(found))
            time.sleep(every_s)
            found = look()
    from rich.console import Console, Group
    from rich.live import Live

    with Live(Group(*tables(found)), console=Console(), auto_refresh=False) as live:
        while True:
            time.sleep(every_s)
            found = look()
            live.update(Group(*tables(found)), refresh=True)


def tables(found: Figures) -> list[RenderableType]:
    """For people: a line a revision, then what is wrong."""
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False)
    for heading in ("function", "revision"):
        table.add_column(heading, no_wrap=True)
    table.add_column("traffic", justify="right", no_wrap=True)
    for heading in ("pods", "requests", "wanted", "cold starts"):
        table.add_column(heading)
    for seen in found.functions:
        for number, standing in enumerate(seen.revisions):
            _row(table, seen, standing, first=number == 0)
    shown: list[RenderableType] = [table]
    for seen in found.functions:
        lines = [*_remarks(seen), *seen.errors]
        shown += [Text(f"{seen.service.name}: {_short(line)}") for line in lines]
    shown += [Text(_silent(name)) for name in found.unmeasured]
    return shown


def _row(table: Any, seen: FunctionState, standing: Standing, *, first: bool) -> None:
    from rich.text import Text

    from knative.cli import wording

    revision, load = standing.revision, standing.load
    colour = {True: "", False: "red", None: "yellow"}[revision.ready]
    starts = str(seen.cold_starts or "")
    if seen.start_s is not None:
        starts += f" ({wording.span(seen.start_s)})"
    table.add_row(
        seen.service.name if first else "",
        Text(revision.name, style=colour),
        f"{standing.percent} %",
        _pods(standing),
        _requests(load),
        ("?" if load.wanted is None else str(load.wanted or "")) + ("!" if load.panics else ""),
        starts.strip() if first else "",
    )


def _pods(standing: Standing) -> str:
    restarts = sum(pod.restarts for pod in standing.pods)
    counts = {
        "ready": standing.count("ready"),
        "starting": standing.count("starting"),
        "pending": standing.count("pending"),
        "ending": standing.count("terminating"),
        "restarts": restarts,
    }
    return ", ".join(f"{count} {what}" for what, count in counts.items() if count)


def _requests(load: Load) -> str:
    if load.in_flight is None or load.queued is None:
        return "?"
    counts = {"in flight": load.in_flight, "queued": load.queued}
    return ", ".join(f"{count} {what}" for what, count in counts.items() if count)


def _short(line: str) -> str:
    """What is long says the same thing in the words of each who passed it on."""
    return line if len(line) <= _LONG else f"{line[:_LONG]}…"


def _remarks(seen: FunctionState) -> list[str]:
    from knative.operating import rollout

    course = rollout.running(seen.service)
    if course is not None:
        return [
            f"a rollout is under way, {course.percent} % to {course.new or 'a new revision'}: "
            f"`kinora knative rollout {seen.service.name} --continue` carries it on, "
            f"`kinora knative rollback {seen.service.name}` takes it back"
        ]
    if not seen.service.follows_latest:
        return [
            "its traffic stays where it is, whatever is deployed: "
            f"`kinora knative rollback {seen.service.name} --to latest` lets it follow again"
        ]
    return []


def _silent(component: str) -> str:
    return (
        f"The {component} exposes no metrics: set metrics-protocol to prometheus in the ConfigMap "
        "config-observability of knative-serving (infra/platform does)."
    )


def as_values(found: Figures) -> dict[str, Any]:
    return {
        "functions": [_function(seen) for seen in found.functions],
        "unmeasured": list(found.unmeasured),
    }


def _function(seen: FunctionState) -> dict[str, Any]:
    from knative.operating import rollout

    course = rollout.running(seen.service)
    return {
        "function": seen.service.name,
        "ready": seen.service.ready,
        "follows_latest": seen.service.follows_latest,
        "rollout": None if course is None else {"to": course.new, "percent": course.percent},
        "cold_starts": seen.cold_starts,
        "start_s": seen.start_s,
        "restarts": seen.restarts,
        "errors": list(seen.errors),
        "revisions": [_revision(standing) for standing in seen.revisions],
    }


def _revision(standing: Standing) -> dict[str, Any]:
    revision, load = standing.revision, standing.load
    return {
        "revision": revision.name,
        "image": revision.image,
        "ready": revision.ready,
        "reason": revision.reason,
        "percent": standing.percent,
        "pods": {state: standing.count(state) for state in _STATES},
        "in_flight": load.in_flight,
        "queued": load.queued,
        "wanted": load.wanted,
        "panics": load.panics,
        "answers": {str(status): count for status, count in sorted(load.answers.items())},
    }
