"""`kinora knative tune`: settings that would have served the last jobs better."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from knative.cli import reach, site
from knative.cli.command import AsJson
from knative.cli.complaint import FAILED, Complaint

if TYPE_CHECKING:
    from rich.console import RenderableType

    from functions.assembler.report import Report
    from knative.operating.cluster import Cluster
    from knative.tuning.advice import Advice
    from knative.tuning.effect import Effect

_DAY_S = 86400.0


def tune(
    goal: Annotated[
        Literal["latency", "cost"], typer.Option("--goal", "-g", help="What is to become less.")
    ] = "latency",
    function: Annotated[
        str, typer.Option("--function", help="Which encoder: `encoder`, `encoder-gpu`.")
    ] = "encoder",
    most: Annotated[
        int | None,
        typer.Option("--max", min=1, help="Pods there is room for (default: as many as now)."),
    ] = None,
    limit: Annotated[
        int, typer.Option("--jobs", min=1, help="Go by so many jobs at most, the newest.")
    ] = 100,
    days: Annotated[
        float, typer.Option("--days", min=0.01, help="Go by jobs of the last days.")
    ] = 7.0,
    manifest: Annotated[
        Path | None,
        typer.Option(
            "--manifest", dir_okay=False, help="The settings as they are, instead of a cluster's."
        ),
    ] = None,
    write: Annotated[
        Path | None,
        typer.Option("--write", file_okay=False, help="Folder to write the component into."),
    ] = None,
    reports: Annotated[
        bool, typer.Option("--reports", help="Only print the reports, one line of JSON each.")
    ] = False,
    directory: Annotated[
        Path | None,
        typer.Option("--dir", file_okay=False, help="Folder of an embedded runtime with the jobs."),
    ] = None,
    namespace: reach.Namespace = reach.NAMESPACE,
    context: reach.Context = "",
    as_json: AsJson = False,
) -> None:
    """Propose settings of the encoder from what the last jobs took, as a patch for an overlay.

    The jobs' tasks and arrivals go through a model of Knative's autoscaler, with the settings as
    they are and with others; both expectations are shown. Reports are read from --dir, from
    KINORA_STORE, or by a pod of the cluster; the settings from the cluster, or from --manifest.
    """
    import sys
    import time

    from functions.jobs import record
    from knative.cli import output
    from knative.cli.operating.records import objects_here
    from knative.operating import reports as records

    since_s = time.time() - days * _DAY_S
    store = objects_here() if directory is None else site.Site.open(directory).store()
    if reports:
        if store is None:
            raise Complaint("Set KINORA_STORE to the address of the store, or name it with --dir.")
        for report in records.newest(store, limit=limit, since_s=since_s):
            sys.stdout.write(record.dump(report).decode())
        return
    if manifest is not None and store is not None:
        found = list(records.newest(store, limit=limit, since_s=since_s))
        advice = advised(found, _of_file(manifest, function), None, goal, most)
    else:
        with reach.cluster(context) as cluster:
            if store is None:
                found = _asked(cluster, namespace, limit=limit, days=days)
            else:
                found = list(records.newest(store, limit=limit, since_s=since_s))
            service, start_s = _live(cluster, namespace, function)
        if manifest is not None:
            service = _of_file(manifest, function)
        advice = advised(found, service, start_s, goal, most)
    written = _write(write, advice.patch())
    if as_json:
        output.write_json(as_values(advice, len(found)))
        return
    output.show(*tables(advice, len(found)))
    if written is not None:
        output.show(f"Written: {written}")


def advised(
    found: Sequence[Report],
    service: dict[str, Any],
    start_s: float | None,
    goal: Literal["latency", "cost"],
    most: int | None,
) -> Advice:
    """Raises Complaint where there is nothing to go by."""
    from knative.field import Invalid
    from knative.tuning.advice import Bounds, advise
    from knative.tuning.observation import COLD_START_S, observe
    from knative.tuning.setup import CHUNK_S, Setup

    if not found:
        raise Complaint(
            "No job was completed in that time, so there is nothing to go by. Take more with "
            "--days, or run some.",
            exit_code=FAILED,
            code="no_jobs",
        )
    chunks = Counter(report.profile.chunk_s for report in found if report.profile is not None)
    chunk_s = chunks.most_common(1)[0][0] if chunks else CHUNK_S
    try:
        current = Setup.parse(service, chunk_s=chunk_s)
    except Invalid as error:
        raise Complaint(f"The settings cannot be read: {error}.") from None
    observations = observe(found, cold_start_s=COLD_START_S if start_s is None else start_s)
    return advise(observations, current, goal, Bounds(max_scale=most))


def _asked(cluster: Cluster, namespace: str, *, limit: int, days: float) -> list[Report]:
    import json

    from functions.assembler.report import Report
    from functions.jobs import record
    from knative.cli.operating.records import from_inside

    arguments = ["knative", "tune", "--reports", "--jobs", str(limit), "--days", str(days)]
    said = from_inside(cluster, namespace, "gateway", arguments, empty=True)
    return [record.load(json.dumps(each).encode(), Report) for each in said]


def _live(cluster: Cluster, namespace: str, function: str) -> tuple[dict[str, Any], float | None]:
    """The Service, and how long its pods took to start, where there are any."""
    from statistics import median

    from knative.operating import kinds
    from knative.operating.pod import of_function

    service = cluster.get(kinds.SERVICE, function, namespace)
    if service is None:
        raise Complaint(
            f"There is no function `{function}` in the namespace {namespace}. "
            "`kinora knative status` lists them; --manifest reads settings from a file."
        )
    pods = of_function(
        cluster.list(kinds.POD, namespace, labels=f"serving.knative.dev/service={function}")
    )
    starts = [pod.started_in_s for pod in pods if pod.started_in_s is not None]
    return service, median(starts) if starts else None


def _of_file(path: Path, function: str) -> dict[str, Any]:
    import yaml

    try:
        found = list(yaml.safe_load_all(path.read_text("utf-8")))
    except UnicodeDecodeError:
        raise Complaint(f"{path} is no text. Name a YAML file.") from None
    except OSError as error:
        raise Complaint(f"{path} cannot be read: {error.strerror}. Check the path.") from None
    except yaml.YAMLError as error:
        raise Complaint(f"{path} is no YAML: {' '.join(str(error).split())}.") from None
    for each in found:
        if isinstance(each, dict) and each.get("kind") == "Service":
            service: dict[str, Any] = each
            if (service.get("metadata") or {}).get("name") == function:
                return service
    raise Complaint(f"{path} holds no Service `{function}`. Name another file, or --function.")


def _write(folder: Path | None, patch: str) -> Path | None:
    if folder is None or not patch:
        return None
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "kustomization.yaml"
    file.write_text(patch)
    return file


def tables(advice: Advice, jobs: int) -> list[RenderableType]:
    """The effect before and after, what changes and why, and the patch."""
    from rich.table import Table
    from rich.text import Text

    from knative.cli import wording

    effects = Table(box=None, pad_edge=False)
    for heading in ("", "measured", "now, by the model", "then, by the model"):
        effects.add_column(heading, justify="right" if heading else "left")
    times = advice.measured
    before, after = advice.before, advice.after
    for name, measured, old, new in (
        ("half of the jobs within", times.p50_s, before.p50_s, after.p50_s),
        ("19 of 20 within", times.p95_s, before.p95_s, after.p95_s),
        ("pods running, in all", None, before.pod_s, after.pod_s),
    ):
        told = "" if measured is None else wording.span(measured)
        effects.add_row(name, told, wording.span(old), wording.span(new))
    effects.add_row("cold starts", "", str(before.cold_starts), str(after.cold_starts))
    effects.add_row("pods at once", "", str(before.most_pods), str(after.most_pods))
    shown: list[RenderableType] = [f"Of {jobs} completed jobs, for {advice.goal}:", effects, ""]
    if not advice.changes:
        return [*shown, "Nothing that could be changed would make a difference."]
    changes = Table(box=None, pad_edge=False)
    for heading in ("setting", "now", "then", "why"):
        changes.add_column(heading, overflow="fold")
    for change in advice.changes:
        changes.add_row(change.name, change.before, change.after, Text(change.why))
    return [*shown, changes, "", advice.patch().rstrip()]


def as_values(advice: Advice, jobs: int) -> dict[str, Any]:
    return {
        "goal": advice.goal,
        "jobs": jobs,
        "measured": {"p50_s": advice.measured.p50_s, "p95_s": advice.measured.p95_s},
        "before": _effect(advice.before),
        "after": _effect(advice.after),
        "changes": [
            {
                "name": change.name,
                "before": change.before,
                "after": change.after,
                "why": change.why,
            }
            for change in advice.changes
        ],
        "patch": advice.patch(),
    }


def _effect(effect: Effect) -> dict[str, Any]:
    return {
        "p50_s": effect.p50_s,
        "p95_s": effect.p95_s,
        "pod_s": effect.pod_s,
        "cold_starts": effect.cold_starts,
        "most_pods": effect.most_pods,
    }
