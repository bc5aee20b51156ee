"""A piece of evidence."""

from __future__ import annotations

import json
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Exhibit:
    """One file of the archive."""

    path: str
    text: str

    @classmethod
    def of_json(cls, path: str, value: object) -> Exhibit:
        return cls(path, json.dumps(value, indent=2, ensure_ascii=False, default=str) + "\n")


@dataclass(frozen=True, slots=True)
class Gap:
    """What could not be collected, and why."""

    what: str
    why: str


Piece = Exhibit | Gap
