"""One file through Kinora by its command: what it took, the plan it followed, what it left."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.bench.run import Watched, watch


@dataclass(frozen=True, slots=True)
class Transcoded:
    """Streams in a folder."""

    out: Path
    run: Watched
    plan: dict[str, Any]
    """The last generation, as its record has it."""

    @property
    def report(self) -> dict[str, Any]:
        report: dict[str, Any] = json.loads((self.out / "report.json").read_text())
        return report

    def segment_bytes(self, rendition: str) -> int:
        return sum(path.stat().st_size for path in (self.out / rendition).glob("*.m4s"))

    def joined(self, rendition: str) -> Path:
        """All of a rendition as one file beside the streams."""
        parts = self.out / rendition
        whole = self.out.with_name(f"{self.out.name}-{rendition}.mp4")
        init = next(parts.glob("init-*.mp4"))
        with whole.open("wb") as stream:
            for path in [init, *sorted(parts.glob("*.m4s"))]:
                stream.write(path.read_bytes())
        return whole


def transcode(
    source: Path,
    out: Path,
    *,
    words: Sequence[str] = (),
    env: Mapping[str, str] | None = None,
) -> Transcoded:
    """Raises RuntimeError when it does not end well."""
    plans = out.with_name(f"{out.name}-plans")
    plans.mkdir()

    def plan_there() -> bool:
        for path in out.parent.glob(f".{out.name}*/work/jobs/*/plan-*.json"):
            try:
                shutil.copy(path, plans / path.name)
            except OSError:
                return False
            return True
        return False

    def playable() -> bool:
        return any(out.parent.glob(f".{out.name}*/media/*/early.m3u8"))

    run = watch(
        [sys.executable, "-m", "knative.cli.main", "transcode", source, "-o", out, *words],
        things={"plan": plan_there, "playable": playable},
        memory=True,
        env=dict(env or {}),
    )
    if run.returncode != 0:
        raise RuntimeError(f"transcode of {source.name} ended with {run.returncode}")
    plan = json.loads(max(plans.glob("plan-*.json")).read_text())
    return Transcoded(out, run, plan)
