"""One who watches: what is seen of streams in a player, and what is wrong with that.

Every complaint is a sentence; none is a pass. Which picture is shown when is read from the pictures
themselves (`film.py`), each together with its own media time, so it does not matter how quick the
machine is: what it had no time to show is looked at by seeking.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from typing import Any, Final

from playwright.sync_api import Page

NEAR_FRAMES: Final = 6
"""On each side of a join."""
RATES: Final = (1, 1 / 2, 1 / 4, 1 / 8, 1 / 16, 1 / 16)
"""How quickly a join is played, again and slower while the machine has no time to show it all."""
A_MS: Final = Fraction(1, 1000)
"""Behind the time of a frame: players and browsers round that."""

Picture = tuple[float, int]
"""Media time in seconds, and the number read from it; -1 where none can be read."""


@dataclass(frozen=True, kw_only=True)
class Film:
    """What streams should show."""

    rate: Fraction
    numbers: Sequence[int]
    """Of each output frame."""
    segment_frames: int

    @property
    def length_s(self) -> Fraction:
        return len(self.numbers) / self.rate

    @property
    def joins(self) -> range:
        """The first frame of each segment but the first."""
        return range(self.segment_frames, len(self.numbers), self.segment_frames)

    def near(self, join: int) -> range:
        return range(join - NEAR_FRAMES, min(join + NEAR_FRAMES, len(self.numbers) - 1))

    def wrong(self, pictures: Sequence[Picture]) -> Iterator[str]:
        """What is shown at another time than its own."""
        for at_s, number in pictures:
            frame = round(at_s * self.rate)
            off_ms = 1000 * abs(at_s - frame / self.rate)
            expected = self.numbers[frame] if frame < len(self.numbers) else "nothing"
            if number != expected or off_ms > 1:
                yield f"picture {number} at {at_s:.4f} s, where {expected} belongs"


@dataclass(frozen=True)
class Viewer:
    """A page with streams in a player."""

    page: Page

    @classmethod
    def begin(cls, page: Page, player: str, address: str) -> Viewer:
        page.evaluate("([player, address]) => begin(player, address)", [player, address])
        return cls(page)

    def look(self, times_s: Sequence[float]) -> list[Picture]:
        """The picture at each of these times, each by a seek."""
        return [(at, number) for at, number in self.page.evaluate("(at) => look(at)", times_s)]

    def play(self, start_s: float, stop_s: float, rate: float) -> tuple[list[Picture], int]:
        """Every picture that was seen, and how many the browser had no time for."""
        found: dict[str, Any] = self.page.evaluate(
            "(span) => play(...span)", [start_s, stop_s, rate]
        )
        return [(at, number) for at, number in found["frames"]], found["dropped"]

    @property
    def noted(self) -> list[str]:
        """What player and browser said, and each jump that nobody asked for."""
        return list(dict.fromkeys(self.page.evaluate("noted")))

    @property
    def buffered(self) -> list[tuple[float, float]]:
        return [(start, stop) for start, stop in self.page.evaluate("buffered()")]

    @property
    def length_s(self) -> float:
        found: float = self.page.evaluate("length()")
        return found

    def seeks(self, film: Film) -> Iterator[str]:
        """Seek to each picture around each join, to the join itself, and into each segment."""
        rate, frame_s = film.rate, 1 / film.rate
        # Backwards: the first seek is to where nothing is loaded yet.
        for join in reversed(film.joins):
            # First into the segment before: a player may skip what little is missing before what it
            # has, also where it would only have to load it.
            middle, near = join - film.segment_frames // 2, film.near(join)
            wanted = [join, middle, join - 1, join, *near, middle, join]
            offsets = [A_MS, A_MS, frame_s - A_MS, A_MS, *[frame_s / 2] * len(near), A_MS, A_MS]
            times = [frame / rate + part for frame, part in zip(wanted, offsets, strict=True)]
            found = self.look([float(at_s) for at_s in times])
            yield from film.wrong(found)
            shown = [round(at_s * rate) for at_s, _ in found]
            if shown != wanted:
                yield f"seeks to the frames {wanted} show {shown}"
            if not any(
                start_s <= near[0] / rate and near[-1] / rate <= stop_s
                for start_s, stop_s in self.buffered
            ):
                yield f"a gap in what is loaded around frame {join}: {self.buffered}"

    def over_joins(self, film: Film) -> Iterator[str]:
        """Play over each join until each picture was seen, one after the other."""
        for join in film.joins:
            near = film.near(join)
            span = (float(near[0] / film.rate), float((near[-1] + 1) / film.rate))
            for rate in RATES:
                found, _ = self.play(*span, rate)
                yield from film.wrong(found)
                shown = [round(at_s * film.rate) for at_s, _ in found]
                # The first was there before it played.
                if {*near[1:]} <= {*shown} and all(b - a == 1 for a, b in pairwise(shown)):
                    break
            else:
                yield f"at any rate the pictures around {join} were shown as {shown}"

    def whole(self, film: Film, *, rate: float, start_s: float = 0) -> tuple[list[str], int]:
        """Play to the end; complaints, and how many pictures the browser had no time for."""
        found, dropped = self.play(start_s, float(film.length_s) + 1, rate)
        wrong = [*film.wrong(found)]
        shown = [round(at_s * film.rate) for at_s, _ in found]
        if any(b <= a for a, b in pairwise(shown)):
            wrong.append("time went backwards")
        if len(film.numbers) - 1 - shown[-1] > 2:
            wrong.append(f"it ended with frame {shown[-1]} of {len(film.numbers)}")
        if len(spans := self.buffered) != 1 or abs(spans[0][0]) > 1 / film.rate:
            wrong.append(f"what is loaded has gaps: {spans}")
        elif abs(spans[0][1] - film.length_s) > 1 / film.rate:
            wrong.append(f"it lasts {spans[0][1]:.3f} s instead of {float(film.length_s):.3f} s")
        return wrong, dropped
