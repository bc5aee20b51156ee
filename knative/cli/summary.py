"""What a finished transcode left, for people and for programs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from functions.jobs import layout
from knative.cli import wording

if TYPE_CHECKING:
    from rich.console import RenderableType

    from functions.assembler.report import RenditionReport, Report


def result_as_json(job: str, out: Path) -> dict[str, Any]:
    """What `kinora transcode --json` prints."""
    return {
        "job": job,
        "state": "completed",
        "code": "completed",
        "reason": "",
        "out": str(out),
        "master": str(out / layout.MASTER),
        "manifest": str(out / layout.MANIFEST),
        "progressive": next(map(str, _files(out)), None),
        "report": json.loads((out / layout.REPORT).read_bytes()),
    }


def result_table(out: Path) -> list[RenderableType]:
    """The same for people: a line about the whole, what was odd in the source, and one line for
    each rendition."""
    from rich.text import Text

    from functions.assembler.report import Report
    from functions.jobs import record

    report = record.load((out / layout.REPORT).read_bytes(), Report)
    notes = [Text(f"note: {wording.plain(note)}", style="yellow") for note in report.notes]
    return ["", headline(report), *notes, "", renditions(report), "", *_where(out)]


def headline(report: Report) -> str:
    """`132 frames at 25 fps (5.3 s) in 6.1 s, 0.9x realtime; 4 tasks, 9.8 s of CPU time`."""
    took_s = max(0.001, report.finished_s - report.accepted_s)
    totals = report.totals
    cost = f"{totals.tasks} tasks, {wording.span(totals.cpu_ms / 1000)} of CPU time"
    timeline = report.timeline
    if timeline is None:
        return f"Done in {wording.span(took_s)}; {cost}"
    duration_s = float(timeline.duration_s)
    return (
        f"{wording.count(timeline.frames)} frames at {wording.rate(timeline)} fps "
        f"({wording.span(duration_s)}) in {wording.span(took_s)}, "
        f"{duration_s / took_s:.1f}x realtime; {cost}"
    )


def renditions(report: Report) -> RenderableType:
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    table.add_column("rendition")
    table.add_column("what")
    table.add_column("codec")
    for heading in ("average", "peak", "segments", "size"):
        table.add_column(heading, justify="right")
    for rendition in report.renditions:
        table.add_row(
            rendition.name,
            _what(rendition),
            rendition.codecs,
            wording.bitrate(rendition.average_bps),
            wording.bitrate(rendition.peak_bps),
            str(rendition.segments),
            wording.size(rendition.size_bytes),
        )
    return table


def _what(rendition: RenditionReport) -> str:
    if rendition.kind == "video":
        return f"{rendition.width}x{rendition.height}"
    # "und" is the tag of a language that the source does not tell.
    language = "" if rendition.language == "und" else f" {wording.plain(rendition.language)}"
    return f"{rendition.layout} {rendition.sample_rate / 1000:g} kHz{language}"


def _files(out: Path) -> list[Path]:
    return sorted(out.glob(Path(layout.progressive("", "*")).name))


def _where(out: Path) -> list[RenderableType]:
    return [
        f"HLS     {out / layout.MASTER}",
        f"DASH    {out / layout.MANIFEST}",
        *(f"MP4     {path}" for path in _files(out)),
        f"Report  {out / layout.REPORT}",
    ]
