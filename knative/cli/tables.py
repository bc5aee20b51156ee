"""Jobs as tables for people. Pure: records in, things to print out."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from eventing.cloudevent import timestamp
from functions.jobs import layout
from functions.jobs.overview import Overview
from knative.cli import wording

if TYPE_CHECKING:
    from rich.console import RenderableType

    from functions.jobs.plan import Task

COLOURS = {"completed": "green", "rejected": "yellow", "failed": "red", "cancelled": "yellow"}


def jobs(found: Sequence[Overview]) -> Table:
    table = Table(box=None, pad_edge=False)
    for heading in ("job", "state", "accepted", "took", "tenant", "source"):
        table.add_column(heading, no_wrap=heading != "source", overflow="fold")
    for seen in found:
        table.add_row(
            wording.short(seen.job),
            _state(seen),
            f"{datetime.fromtimestamp(seen.manifest.accepted_s):%Y-%m-%d %H:%M:%S}",
            "" if seen.elapsed_s is None else wording.span(seen.elapsed_s),
            Text(seen.manifest.tenant),
            Text(wording.plain(seen.manifest.source.key)),
        )
    return table


def detail(seen: Overview, *, media: str) -> list[RenderableType]:
    """One job: its facts, its renditions and its tasks."""
    manifest, plan, verdict = seen.manifest, seen.plan, seen.verdict
    facts = Table(box=None, pad_edge=False, show_header=False)
    facts.add_column(style="bold")
    facts.add_column(overflow="fold")
    facts.add_row("job", seen.job)
    facts.add_row("state", _state(seen))
    if verdict is not None and verdict.state != "completed":
        facts.add_row("why", Text(f"{wording.plain(verdict.reason)} ({verdict.code})"))
    source = manifest.source
    size = wording.size(source.size_bytes)
    facts.add_row("source", Text(f"{wording.plain(source.address)}  {size}"))
    facts.add_row("tenant", Text(manifest.tenant))
    facts.add_row("profile", Text(manifest.options.profile))
    facts.add_row("accepted", timestamp(manifest.accepted_s))
    if seen.elapsed_s is not None:
        facts.add_row("took", wording.span(seen.elapsed_s))
    if plan is not None and plan.timeline is not None and plan.video:
        timeline = plan.timeline
        facts.add_row(
            "picture",
            f"{wording.count(timeline.frames)} frames at {wording.rate(timeline)} fps, "
            f"{wording.span(float(timeline.duration_s))}",
        )
    for note in plan.notes if plan else ():
        facts.add_row("note", Text(wording.plain(note)))
    if seen.state == "completed":
        facts.add_row("result", Text(f"{media}/{seen.job}/{layout.MASTER}"))
    if verdict is not None and verdict.progressive:
        name = verdict.progressive.rpartition("/")[2]
        facts.add_row("one MP4", Text(f"{media}/{seen.job}/{name}"))
    shown: list[RenderableType] = [facts]
    if plan is not None:
        shown += ["", _tasks(seen)]
    return shown


def _tasks(seen: Overview) -> Table:
    from functions.jobs.plan import AudioTask, VideoTask

    table = Table(box=None, pad_edge=False)
    for heading in ("task", "renditions", "frames", "done"):
        table.add_column(heading)
    for task in seen.plan.tasks if seen.plan else ():
        done = task.id in seen.done
        if isinstance(task, VideoTask):
            length = task.stop - task.start
            part = 1.0 if done else min(seen.frames.get(task.id, 0), length) / length
            told = "yes" if done else f"{part:.0%}" if part else ""
            frames = f"{wording.count(task.start)} to {wording.count(task.stop)}"
            table.add_row(task.id, " ".join(task.renditions), frames, told)
        else:
            what = " ".join(task.renditions) if isinstance(task, AudioTask) else _whole(task)
            table.add_row(task.id, what, "", "yes" if done else "")
    return table


def _state(seen: Overview) -> Text:
    return Text(seen.state, style=COLOURS.get(seen.state, ""))


def _whole(task: Task) -> str:
    """What a task does that makes no segments."""
    from functions.jobs.plan import ProgressiveTask

    if isinstance(task, ProgressiveTask):
        return "one file of the segments"
    return "the file, made seekable"
