"""What a notification says that becomes no event, and why."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Remark:
    """For the log. `wrong` if somebody should look at it, else it is only of no interest."""

    text: str
    wrong: bool = False


def shown(text: str) -> str:
    """What somebody else wrote, quoted and not too long."""
    return repr(text[:200]) + ("…" if len(text) > 200 else "")
