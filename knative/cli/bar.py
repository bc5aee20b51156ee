"""The progress of a job on a terminal: frames, chunks, speed and what remains."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Self

from functions.jobs import progress
from functions.jobs.overview import Overview
from functions.jobs.progress import Progress
from knative.cli import wording

if TYPE_CHECKING:
    from types import TracebackType

    from rich.console import Console

WORDS = {
    "accepted": "reading the file",
    "preparing": "making the file seekable",
    "encoding": "encoding",
    "assembling": "writing the playlists",
}


def line(state: str, at: Progress, elapsed_s: float) -> str:
    """What stands beside the bar: `encoding  1,200/9,000 frames  3/12 tasks  2.4x  0:35 left`."""
    parts = [WORDS.get(state, state)]
    if at.frames_total:
        parts.append(f"{wording.count(at.frames)}/{wording.count(at.frames_total)} frames")
    if at.tasks_total:
        parts.append(f"{at.tasks}/{at.tasks_total} tasks")
    if (speed := at.speed(elapsed_s)) is not None:
        parts.append(f"{speed:.1f}x realtime")
    if state == "encoding" and (left_s := at.remaining_s(elapsed_s)) is not None:
        parts.append(f"{wording.span(left_s)} left")
    return "  ".join(parts)


class Bar:
    """Draws on `console` until it is closed, and leaves nothing there."""

    def __init__(self, console: Console) -> None:
        from rich.progress import BarColumn, Progress, TextColumn

        self._began_s = 0.0
        self._drawn = Progress(
            BarColumn(bar_width=30),
            TextColumn("{task.description}", markup=False),
            console=console,
            transient=True,
        )
        self._bar = self._drawn.add_task("starting", total=1.0)

    def __enter__(self) -> Self:
        self._drawn.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._drawn.stop()

    def update(self, seen: Overview) -> None:
        """Show the job as it is now. Speed counts from the first time it was seen encoding."""
        at = progress.of_plan(seen.plan, seen.done, seen.frames)
        if at.tasks_total and not self._began_s:
            self._began_s = time.monotonic()
        elapsed_s = time.monotonic() - self._began_s if self._began_s else 0.0
        self._drawn.update(
            self._bar, completed=float(at.share), description=line(seen.state, at, elapsed_s)
        )
