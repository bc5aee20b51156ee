"""Parked events: why each could not be delivered, and delivering them before the sweeper does.

What is delivered here is the event that the sweeper would deliver, with the same id, and its record
goes away afterwards, as it does there: whoever comes second finds nothing, or says the same again.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from eventing import codec
from eventing.cloudevent import CloudEvent
from eventing.topology import DETOURS, FUNCTIONS
from functions.jobs import ending, layout, parking
from functions.ports import Absent, ObjectStore

_TRIGGER: Final = re.compile(r"/triggers/[^/]+/([^/]+)/")
"""In the address by which a broker's filter is told which Trigger it acts for."""
_SAID: Final = 100
"""Characters of an answer that are told."""
_OF_ITS_OWN: Final = re.compile(r"[0-9a-f]{8,}|\d+(\.\d+)?")
"""What differs between two answers that say the same."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parked:
    """One record."""

    key: str
    job: str
    """"" where the event names none."""
    parked_s: float
    event: CloudEvent
    """As it was before its delivery failed."""
    function: str
    """Who did not take it, "" where that cannot be told."""
    reason: str
    """How the last attempt was answered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Parked events that failed alike."""

    reason: str
    function: str
    type: str
    count: int
    jobs: int
    oldest_s: float
    newest_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Replayed:
    """What became of parked events."""

    delivered: int = 0
    ended: int = 0
    """Left to the sweeper: their jobs have ended, and it drops them."""
    refused: int = 0
    """Still parked: the broker did not take them."""
    why: str = ""
    """What the broker said last."""


def read(store: ObjectStore) -> Iterator[Parked]:
    """All of them, the oldest first. A record that cannot be read is left to the sweeper, which
    logs it. Raises Unavailable."""
    for info in sorted(store.list(layout.PARKED_PREFIX), key=lambda info: info.modified_s):
        try:
            data = store.get(info.key)
            failed = codec.decode({"content-type": codec.STRUCTURED}, data)
            event = parking.load(data)
        except (Absent, ValueError):
            continue
        yield Parked(
            key=info.key,
            job=parking.job_of(event),
            parked_s=info.modified_s,
            event=event,
            function=_function(failed),
            reason=_reason(failed),
        )


def chosen(
    found: Iterable[Parked], *, reason: str = "", job: str = "", function: str = ""
) -> list[Parked]:
    """Those whose reason holds these words, whose job begins so, and which that function did not
    take."""
    return [
        each
        for each in found
        if reason.lower() in each.reason.lower()
        and each.job.startswith(job)
        and function in ("", each.function)
    ]


def grouped(found: Iterable[Parked]) -> list[Group]:
    """The largest group first."""
    alike: dict[tuple[str, str, str], list[Parked]] = {}
    for each in found:
        same = _OF_ITS_OWN.sub("…", each.reason.partition(" ")[2])
        reason = f"{each.reason.partition(' ')[0]} {same}".strip()
        alike.setdefault((reason, each.function, each.event.type), []).append(each)
    groups = [
        Group(
            reason=reason,
            function=function,
            type=kind,
            count=len(members),
            jobs=len({each.job for each in members if each.job}),
            oldest_s=min(each.parked_s for each in members),
            newest_s=max(each.parked_s for each in members),
        )
        for (reason, function, kind), members in alike.items()
    ]
    return sorted(groups, key=lambda group: (-group.count, group.oldest_s, group.reason))


def replay(
    store: ObjectStore, found: Iterable[Parked], deliver: Callable[[CloudEvent], str]
) -> Replayed:
    """Deliver each again. `deliver` returns "" once the broker has the event, else what it said.

    Ends at the first that the broker does not take: the others would fare no better. Raises
    Unavailable.
    """
    delivered = ended = 0
    waiting = list(found)
    over: dict[str, bool] = {}
    for number, each in enumerate(waiting):
        if each.job and each.job not in over:
            over[each.job] = ending.read(store, each.job) is not None
        if over.get(each.job):
            ended += 1
            continue
        if why := deliver(each.event):
            return Replayed(
                delivered=delivered, ended=ended, refused=len(waiting) - number, why=why
            )
        store.delete(each.key)
        delivered += 1
    return Replayed(delivered=delivered, ended=ended)


def _function(failed: CloudEvent) -> str:
    """By the Trigger that the broker tells of, else by who gets such events."""
    names = [function.name for function in FUNCTIONS] + [detour.name for detour in DETOURS]
    if found := _TRIGGER.search(failed.extensions.get("knativeerrordest", "")):
        of_it = [name for name in names if found[1].startswith(f"{name}-")]
        if of_it:
            return max(of_it, key=len)
    wants = [(function.name, each) for function in FUNCTIONS for each in function.consumes]
    wants += [(detour.name, detour.consumes) for detour in DETOURS]
    for name, consumption in wants:
        if (
            consumption.type == failed.type
            and consumption.attributes.items() <= failed.extensions.items()
        ):
            return name
    return ""


def _reason(failed: CloudEvent) -> str:
    """`503 not now`: the status, and the first line of what was said."""
    data = failed.extensions.get("knativeerrordata", "")
    try:
        said = base64.b64decode(data, validate=True).decode(errors="replace")
    except (binascii.Error, ValueError):
        said = data
    first = next(iter(said.strip().splitlines()), "")
    return f"{failed.extensions.get('knativeerrorcode', '?')} {first[:_SAID]}".strip()
