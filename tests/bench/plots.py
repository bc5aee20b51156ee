"""Plots beside the bench's figures, where people would rather look than read: SVG."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import matplotlib
import matplotlib.figure
import matplotlib.patches

if TYPE_CHECKING:
    from matplotlib.axes import Axes

FOLDER: Final = Path("build/bench")
INK: Final = "#1f2430"
FAINT: Final = "#c9ced8"
HUES: Final = ("#2f6fde", "#e0762f", "#2e9c6a", "#8a5bd1", "#c2405f", "#6b7687")
"""Told apart also by those who see red and green alike: they differ in lightness."""

matplotlib.use("svg")
matplotlib.rcParams.update(
    {
        "font.family": "sans-serif",
        "font.size": 10,
        "axes.edgecolor": FAINT,
        "axes.labelcolor": INK,
        "axes.titlelocation": "left",
        "axes.titleweight": "bold",
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.grid": True,
        "axes.axisbelow": True,
        "grid.color": "#e8eaef",
        "text.color": INK,
        "xtick.color": INK,
        "ytick.color": INK,
        "svg.fonttype": "none",
        "svg.hashsalt": "kinora",
        "legend.frameon": False,
    }
)


def rate_quality(
    curves: Mapping[str, Sequence[tuple[int, float]]],
    duration_s: float,
    name: str,
    *,
    title: str = "",
) -> Path:
    """VMAF over kilobits a second; of each way of encoding bytes and VMAF of its encodes."""
    figure, axes = _axes(7, 4.2)
    marks = ("o", "s", "^", "D")
    for (label, points), hue, mark in zip(curves.items(), HUES, marks, strict=False):
        rates = [8 * size_bytes / duration_s / 1000 for size_bytes, _ in points]
        scores = [score for _, score in points]
        axes.plot(rates, scores, color=hue, marker=mark, markersize=5, linewidth=1.4, label=label)
    axes.set_xlabel("kbit/s")
    axes.set_ylabel("VMAF")
    axes.set_title("Rate against quality, 360p at the same groups of pictures")
    axes.legend(loc="lower right")
    return _saved(figure, name)


def tasks_over_time(report: Mapping[str, Any], name: str) -> Path:
    """Each worker's tasks from start to end."""
    tasks = report["tasks"]
    begun_s = min(task["started_s"] for task in tasks)
    workers = sorted({task["worker"] for task in tasks})
    figure, axes = _axes(8, 1.1 + 0.55 * len(workers))
    kinds = sorted({_kind(task) for task in tasks}, key=_kind_order)
    hues = dict(zip(kinds, HUES, strict=False))
    for task in tasks:
        start_s = task["started_s"] - begun_s
        length_s = task["finished_s"] - task["started_s"]
        row = workers.index(task["worker"])
        hue = hues[_kind(task)]
        axes.barh(row, length_s, left=start_s, height=0.7, color=hue, edgecolor="white")
        if length_s > 0.08 * (max(each["finished_s"] for each in tasks) - begun_s):
            axes.text(
                start_s + length_s / 2, row, task["id"],
                ha="center", va="center", color="white", fontsize=8,
            )  # fmt: skip
    axes.set_yticks(range(len(workers)), [f"worker {n}" for n in range(1, len(workers) + 1)])
    axes.invert_yaxis()
    axes.grid(axis="y", visible=False)
    axes.set_xlabel("seconds since the first task began")
    axes.set_title("Tasks over time")
    handles = [matplotlib.patches.Patch(color=hues[kind], label=kind) for kind in kinds]
    axes.legend(
        handles=handles, loc="lower right", bbox_to_anchor=(1, 1), ncols=len(kinds), fontsize=8
    )
    return _saved(figure, name)


def bytes_read(report: Mapping[str, Any], track_bytes: int, name: str) -> Path:
    """What the tasks of pictures read, added up, against what the track holds."""
    figure, axes = _axes(8, 3)
    at = 0
    tasks = sorted(
        (task for task in report["tasks"] if task["kind"] == "video"),
        key=lambda task: (task["start"], task["id"]),
    )
    for number, task in enumerate(tasks):
        size = task["source_bytes_read"]
        axes.barh(number, size / 1e6, left=at / 1e6, height=0.8, color=HUES[0], edgecolor="white")
        at += size
    axes.axvline(track_bytes / 1e6, color=HUES[1], linewidth=1.4)
    axes.annotate(
        f"the track, {track_bytes / 1e6:.1f} MB; read {at / track_bytes:.2f} times that  ",
        (track_bytes / 1e6, 0), color=HUES[1], va="center", ha="right", fontsize=9,
    )  # fmt: skip
    axes.set_yticks(range(len(tasks)), [task["id"] for task in tasks], fontsize=7)
    axes.invert_yaxis()
    axes.set_xlabel("MB of the source, added up")
    axes.set_title("Bytes read by the tasks of pictures")
    return _saved(figure, name)


def _kind(task: Mapping[str, Any]) -> str:
    if task["kind"] != "video":
        return str(task["kind"])
    return "first chunk" if task["start"] == 0 else "chunk"


def _kind_order(kind: str) -> int:
    order = ["first chunk", "chunk", "audio", "mezzanine"]
    return order.index(kind) if kind in order else len(order)


def _axes(width: float, height: float) -> tuple[Any, Axes]:
    # Not pyplot, which keeps figures of its own.
    figure = matplotlib.figure.Figure(figsize=(width, height), layout="constrained")
    return figure, figure.add_subplot()


def _saved(figure: Any, name: str) -> Path:
    FOLDER.mkdir(parents=True, exist_ok=True)
    path = FOLDER / f"{name}.svg"
    figure.savefig(path, metadata={"Date": None})
    return path
