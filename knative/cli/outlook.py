"""What a file would become, for people and for programs. Pure: a preview in, tables out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Final

from rich.table import Table
from rich.text import Text

from knative.cli import wording

if TYPE_CHECKING:
    from rich.console import RenderableType

    from functions.jobs.plan import Plan
    from functions.planning.forecast import Expected, Outcome
    from knative.cli.preview import Outlook

SHOWN: Final = 12
"""Tasks in the table; `--json` has them all."""


def tables(told: Outlook, *, source: str) -> list[RenderableType]:
    """For people."""
    plan = told.plan or told.remux
    assert plan is not None
    shown: list[RenderableType] = ["", Text(_headline(told, source), style="bold")]
    notes = list(_notes(told))
    shown += [Text(f"note: {wording.plain(note)}", style="yellow") for note in notes]
    if plan.video or plan.audio:
        shown += ["", _renditions(plan)]
    shown += ["", _tasks(told)]
    if told.outcomes:
        shown += ["", _outcomes(told.outcomes)]
    return [*shown, "", _basis(plan)]


def _headline(told: Outlook, source: str) -> str:
    """`film.mp4: 1280x720 h264, 3,000 frames at 25 fps (2:00), 12.3 MB`."""
    facts = []
    if told.codec:
        facts.append(f"{told.width}x{told.height} {told.codec}")
    line = told.plan.timeline if told.plan else None
    if line is not None:
        facts.append(
            f"{wording.count(line.frames)} frames at {wording.rate(line)} fps "
            f"({wording.span(float(line.duration_s))})"
        )
    elif told.plan and told.plan.audio:
        sound = told.plan.audio[0]
        facts.append(f"sound alone ({wording.span(sound.samples / sound.sample_rate)})")
    facts.append(wording.size(told.size_bytes))
    return f"{wording.plain(source)}: {', '.join(facts)}"


def _notes(told: Outlook) -> Iterator[str]:
    if told.remux is not None:
        yield (
            "the file does not say where its pictures lie: it is remuxed first, and what follows "
            "is an estimate"
            if told.plan
            else "the file does not say where its pictures lie: it is remuxed first, and only then "
            "can be told what it becomes"
        )
    yield from (told.plan or told.remux).notes  # type: ignore[union-attr]


def _renditions(plan: Plan) -> Table:
    table = Table(box=None, pad_edge=False)
    table.add_column("rendition")
    table.add_column("what")
    table.add_column("at most", justify="right")
    for rung in plan.video:
        size = f"{rung.width}x{rung.height} {rung.preset} crf {rung.crf:g}"
        table.add_row(rung.name, size, wording.bitrate(rung.maxrate_bps))
    for track in plan.audio:
        language = "" if track.language in ("", "und") else f" {wording.plain(track.language)}"
        what = f"{track.layout} {track.sample_rate / 1000:g} kHz{language}"
        table.add_row(track.name, Text(what), wording.bitrate(track.bitrate_bps))
    return table


def _tasks(told: Outlook) -> Table:
    table = Table(box=None, pad_edge=False)
    table.add_column("task")
    table.add_column("frames")
    table.add_column("renditions")
    table.add_column("CPU", justify="right")
    table.add_column("reads", justify="right")
    listed, left = told.tasks[:SHOWN], told.tasks[SHOWN:]
    if len(left) == 1:
        listed, left = told.tasks, []
    for each in listed:
        row = _task(each)
        table.add_row(
            row["id"],
            f"{wording.count(row['start'])} to {wording.count(row['stop'])}" if row["stop"] else "",
            " ".join(row["renditions"]) or _whole(each),
            wording.span(row["cpu_s"]),
            wording.size(row["read_bytes"]),
        )
    if left:
        table.add_row(
            f"{wording.count(len(left))} more",
            "",
            "",
            wording.span(sum(each.task.cost_ms for each in left) / 1000),
            wording.size(sum(each.read_bytes for each in left)),
            style="dim",
        )
    return table


def _whole(each: Expected) -> str:
    from functions.jobs.plan import MezzanineTask

    remux = isinstance(each.task, MezzanineTask)
    return "the file, made seekable" if remux else "one MP4 of the largest"


def _outcomes(outcomes: Sequence[Outcome]) -> Table:
    table = Table(box=None, pad_edge=False)
    for heading in ("encoders", "wall", "CPU", "tasks", "reads", "last one waits"):
        table.add_column(heading, justify="right")
    for each in outcomes:
        table.add_row(
            wording.count(each.encoders),
            Text(wording.span(each.wall_ms / 1000), style="bold"),
            wording.span(each.cpu_ms / 1000),
            wording.count(each.tasks),
            wording.size(each.read_bytes),
            wording.span(each.idle_ms / 1000) if each.encoders > 1 else "",
        )
    return table


def _basis(plan: Plan) -> Text:
    """Which rates are learned."""
    rates = plan.basis.rates
    learned = [f"{name} ({rate.jobs} jobs)" for name, rate in sorted(rates.items()) if rate.jobs]
    if not learned:
        return Text("Estimated by built-in rates; those of a runtime are learned from its jobs.")
    built_in = [name for name, rate in sorted(rates.items()) if not rate.jobs]
    text = f"Learned here: {', '.join(learned)}."
    return Text(text + (f" Built in: {', '.join(built_in)}." if built_in else ""))


def as_json(told: Outlook, *, source: str) -> dict[str, Any]:
    """For programs: every task, and figures as they are."""
    plan = told.plan or told.remux
    assert plan is not None
    line = plan.timeline
    return {
        "source": source,
        "size_bytes": told.size_bytes,
        "format": plan.format,
        "codec": told.codec or None,
        "width": told.width or None,
        "height": told.height or None,
        "remuxed_first": told.remux is not None,
        "timeline": None
        if line is None
        else {
            "rate": str(line.rate),
            "frames": line.frames,
            "duration_s": float(line.duration_s),
            "constant": line.constant,
            "variable": line.variable,
            "segments": line.segments,
            "segment_frames": line.segment_frames,
        },
        "renditions": [*_renditions_as_json(plan)],
        "tasks": [_task(each) for each in told.tasks],
        "totals": {
            "tasks": len(told.tasks),
            "cpu_s": sum(each.task.cost_ms for each in told.tasks) / 1000,
            "read_bytes": sum(each.read_bytes for each in told.tasks),
        },
        "encoders": [
            {
                "encoders": each.encoders,
                "wall_s": each.wall_ms / 1000,
                "cpu_s": each.cpu_ms / 1000,
                "idle_s": each.idle_ms / 1000,
                "tasks": each.tasks,
                "read_bytes": each.read_bytes,
            }
            for each in told.outcomes
        ],
        "rates": {
            name: {"value": rate.value, "learned_from_jobs": rate.jobs}
            for name, rate in plan.basis.rates.items()
        },
        "notes": list(plan.notes),
    }


def _renditions_as_json(plan: Plan) -> Iterator[dict[str, Any]]:
    for rung in plan.video:
        yield {
            "name": rung.name,
            "kind": "video",
            "width": rung.width,
            "height": rung.height,
            "preset": rung.preset,
            "crf": rung.crf,
            "maxrate_bps": rung.maxrate_bps,
            "accelerator": rung.accelerator,
        }
    for track in plan.audio:
        yield {
            "name": track.name,
            "kind": "audio",
            "language": track.language,
            "layout": track.layout,
            "sample_rate": track.sample_rate,
            "bitrate_bps": track.bitrate_bps,
        }


def _task(each: Expected) -> dict[str, Any]:
    from functions.jobs.plan import AudioTask, VideoTask

    task = each.task
    names: tuple[str, ...] = ()
    start = stop = 0
    if isinstance(task, VideoTask):
        names, start, stop = task.renditions, task.start, task.stop
    elif isinstance(task, AudioTask):
        names = task.renditions
    return {
        "id": task.id,
        "renditions": list(names),
        "start": start,
        "stop": stop,
        "cpu_s": task.cost_ms / 1000,
        "read_bytes": each.read_bytes,
        "accelerator": task.accelerator,
    }
