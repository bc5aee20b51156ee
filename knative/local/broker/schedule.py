"""When something recurs: five-field cron expressions and `@every`. Pure.

The grammar is that of Knative's PingSource: `*`, `?`, lists, ranges, steps, names of months and
weekdays, `@hourly` and its like, and `@every <Go duration>`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, Protocol

from knative.duration import go_milliseconds

_MONTHS: Final = (
    "jan",
    "feb",
    "mar",
    "apr",
    "may",
    "jun",
    "jul",
    "aug",
    "sep",
    "oct",
    "nov",
    "dec",
)
_DAYS: Final = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_NAMED: Final = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}
_LONGEST_GAP_DAYS: Final = 366 * 8
"""29 February comes back after eight years at the latest."""


class Schedule(Protocol):
    def next_after(self, moment: datetime) -> datetime:
        """The first time strictly after `moment`, in the time zone that `moment` has.

        Raises ValueError when it never comes, as on 30 February.
        """


@dataclass(frozen=True, slots=True)
class Every:
    """A fixed time apart."""

    period_s: float

    def next_after(self, moment: datetime) -> datetime:
        return (moment.astimezone(UTC) + timedelta(seconds=self.period_s)).astimezone(moment.tzinfo)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cron:
    """Minutes at which every field agrees."""

    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]
    """0 is Sunday."""
    either_day: bool
    """Both kinds of day are restricted: one of them is enough."""

    def next_after(self, moment: datetime) -> datetime:
        # In UTC: a clock on the wall shows some hours twice and others never.
        found = moment.astimezone(UTC).replace(second=0, microsecond=0) + timedelta(minutes=1)
        last = found + timedelta(days=_LONGEST_GAP_DAYS)
        while found <= last:
            wall = found.astimezone(moment.tzinfo)
            if wall.month not in self.months or not self._on_day(wall):
                # Near the end of the day, and no further than any zone's clock ever jumped.
                found += timedelta(hours=max(21 - wall.hour, 1), minutes=-wall.minute)
            elif wall.hour not in self.hours:
                found += timedelta(minutes=60 - wall.minute)
            elif wall.minute not in self.minutes:
                found += timedelta(minutes=1)
            else:
                return wall
        raise ValueError("the schedule never comes")

    def _on_day(self, moment: datetime) -> bool:
        day = moment.day in self.days
        weekday = moment.isoweekday() % 7 in self.weekdays
        return day or weekday if self.either_day else day and weekday


def parse(text: str) -> Schedule:
    """Raises ValueError, saying what is wrong with which field."""
    text = _NAMED.get(text.strip(), text.strip())
    if text.startswith("@every "):
        return _every(text.removeprefix("@every ").strip())
    fields = text.split()
    if len(fields) != 5:
        raise ValueError(f"a schedule has five fields or is @every 5s, @hourly and so on: {text!r}")
    minutes, hours, days, months, weekdays = fields
    return Cron(
        minutes=_numbers("minute", minutes, 0, 59),
        hours=_numbers("hour", hours, 0, 23),
        days=_numbers("day of month", days, 1, 31),
        months=_numbers("month", months, 1, 12, _MONTHS),
        weekdays=_numbers("day of week", weekdays, 0, 6, _DAYS),
        either_day=days[0] not in "*?" and weekdays[0] not in "*?",
    )


def _every(text: str) -> Every:
    length_s = go_milliseconds(text) / 1_000
    if length_s < 1:
        raise ValueError(f"{text!r} is shorter than a second")
    return Every(length_s)


def _numbers(
    field: str, text: str, first: int, last: int, names: Sequence[str] = ()
) -> frozenset[int]:
    found: set[int] = set()
    for part in text.split(","):
        span, slash, step = part.partition("/")
        low, dash, high = span.partition("-")
        if slash and not (step.isdecimal() and int(step) > 0):
            raise ValueError(f"{field}: {part!r} has no step above 0")
        if low in ("*", "?") and not dash:
            start, stop = first, last
        else:
            start = _number(field, low, first, last, names)
            stop = _number(field, high, first, last, names) if dash else last if slash else start
        if start > stop:
            raise ValueError(f"{field}: {part!r} ends before it begins")
        found.update(range(start, stop + 1, int(step or 1)))
    return frozenset(found)


def _number(field: str, text: str, first: int, last: int, names: Sequence[str]) -> int:
    if names and text.lower() in names:
        return names.index(text.lower()) + first
    if not text.isdecimal() or not first <= int(text) <= last:
        raise ValueError(f"{field}: {text!r} is not between {first} and {last}")
    return int(text)
