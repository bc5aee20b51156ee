"""What a finished transcode left, for people and for programs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from functions.jobs import layout

if TYPE_CHECKING:
    from rich.console import RenderableType


def result_as_json(job: str, out: Path) -> dict[str, Any]:
    return {
        "job": job,
        "state": "completed",
        "code": "completed",
        "reason": "",
        "out": str(out),
        "master": str(out / layout.MASTER),
        "manifest": str(out / layout.MANIFEST),
        "report": json.loads((out / layout.REPORT).read_text()),
    }


def result_table(out: Path) -> list[RenderableType]:
    return [str(out)]
