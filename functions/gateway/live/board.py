"""What the readers of a stream are told: one text for each thing, the newest of it.

Shared by all readers of one thing. A reader keeps no more than the number of the last change it
took, so that one who reads slowly costs nothing and is told the newest when it comes back.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from fastapi.sse import format_sse_event

PORTION: Final = 256
"""Changes that a reader takes at a time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """One thing as it is now, on the wire."""

    name: str
    """Of the thing: a later note of the same name takes this one's place."""
    wire: bytes
    time_s: float | None = None
    """Of a fact, which never changes; None for what may."""


def note(event: str, name: str, data: str) -> Note:
    """Something that may change, as an event of the stream. It carries no id: whoever comes back
    is told it anew."""
    return Note(name=f"{event} {name}", wire=format_sse_event(event=event, data_str=data))


def fact(fact_id: str, data: str, *, time_s: float) -> Note:
    """Something that happened: its id is what a client comes back with."""
    wire = format_sse_event(event="fact", data_str=data, id=fact_id)
    return Note(name=fact_name(fact_id), wire=wire, time_s=time_s)


def fact_name(fact_id: str) -> str:
    return f"fact {fact_id}"


class Board:
    """Notes in the order of their last change, numbered."""

    def __init__(self) -> None:
        self._notes: dict[str, tuple[int, Note]] = {}
        self.latest = 0
        """Number of the last change."""

    def put(self, notes: Iterable[Note]) -> bool:
        """Take these; False if nothing is new about any of them."""
        before = self.latest
        for each in notes:
            known = self._notes.get(each.name)
            if known is not None:
                if known[1].wire == each.wire:
                    continue
                del self._notes[each.name]  # so that it comes last
            self.latest += 1
            self._notes[each.name] = self.latest, each
        return self.latest > before

    def after(self, number: int) -> list[tuple[int, Note]]:
        """The first changes after the one of this number, in their order; at most PORTION."""
        found: list[tuple[int, Note]] = []
        for entry in reversed(self._notes.values()):
            if entry[0] <= number:
                break
            found.append(entry)
        return found[: -PORTION - 1 : -1]

    def find(self, name: str) -> Note | None:
        entry = self._notes.get(name)
        return entry[1] if entry else None
