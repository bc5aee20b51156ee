"""One thing that was looked at, and what it means."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Literal

State = Literal["ok", "poor", "missing"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    what: str
    state: State
    """`poor`: it works, with less durability, comfort or speed. `missing`: it does not work."""
    found: str
    why: str = ""
    """Why it matters; empty where nothing needs to be done, like `advice`."""
    advice: str = ""
    """What to do."""

    def as_json(self) -> dict[str, str]:
        return asdict(self)


def fine(what: str, found: str) -> Finding:
    return Finding(what=what, state="ok", found=found)


def poor(what: str, found: str, why: str, advice: str) -> Finding:
    return Finding(what=what, state="poor", found=found, why=why, advice=advice)


def missing(what: str, found: str, why: str, advice: str) -> Finding:
    return Finding(what=what, state="missing", found=found, why=why, advice=advice)
