"""What is odd about a track's times, and what was done about it: sentences for the report."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import pairwise
from typing import Final

from functions.media.cutting import presentation, timeline
from functions.media.cutting.framerate import MAX_RATE, exact_rate, median_delta, median_rate
from functions.media.cutting.timeline import Timeline
from functions.media.source import keyframes
from functions.media.source.index import Packets

LONG_S: Final = 1
"""A picture that lasts longer, and much longer than most, is a gap."""
_MUCH: Final = 4
_LATE_S: Final = Fraction(1, 2)


def of_times(
    line: Timeline,
    packets: Packets,
    *,
    claimed_rate: Fraction | None,
    asked_variable: bool,
) -> Iterator[str]:
    """Of a film's pictures, whose timeline is `line`."""
    presented = presentation.of(packets).ticks
    yield from _kept(line, presented, asked_variable)
    if line.counted:
        return
    rate = median_rate(presented, line.timebase)
    if claimed_rate and rate and not 1 / Fraction(_MUCH) < claimed_rate / rate < _MUCH:
        yield f"claims {_said(claimed_rate)} frames a second: its frames' times say {_said(rate)}"
    start_s = line.origin * line.timebase
    if abs(start_s) >= _LATE_S:
        yield f"starts at {_said(start_s)} s of its own time: that is where the streams start"
    yield from _gaps(line, presented)
    yield from _hidden(packets, len(presented))
    if same := sum(before == after for before, after in pairwise(presented)):
        yield f"{same} frames have the time of another one: only one of them is shown"
    if back := sum(before.dts > after.dts for before, after in pairwise(packets)):
        yield f"decoding times go back {back} times"
    if line.segments > 1 and not any(packet.sync for packet in packets[1:]):
        yield "only the first frame is a keyframe: every chunk is decoded from the start"


def _hidden(packets: Packets, presented: int) -> Iterator[str]:
    early = packets[: keyframes.before(packets)]
    lost = sum(not packet.shown for packet in early)
    if lost:
        yield (
            f"{lost} of {len(packets)} frames come before the first keyframe: they cannot be shown"
        )
    if hidden := len(packets) - presented - lost:
        yield (
            f"{hidden} of {len(packets)} frames are not shown: an edit list hides them, or they "
            "hang on pictures that are not there"
        )


def of_end(torn: bool, duration_s: Fraction) -> Iterator[str]:
    """Of the file's end, with what there is until then."""
    if torn:
        yield f"the file ends within a packet: what came after {_said(duration_s)} s is missing"


def _kept(line: Timeline, presented: Sequence[int], asked_variable: bool) -> Iterator[str]:
    if line.variable:
        again = line.frames - len(presented)
        still = f", and those that stand still are shown {again} times more" if again else ""
        yield f"variable frame rate: {len(presented)} source frames keep their times{still}"
    elif line.constant:
        if asked_variable:
            yield f"a variable frame rate was asked for: the source's is constant, {line.rate}"
    else:
        exact = exact_rate(presented, line.timebase)
        fast = f"{_said(exact)} frames a second" if exact and exact > MAX_RATE else ""
        yield (
            f"{fast or 'variable frame rate'}: {len(presented)} source frames resampled to "
            f"{line.frames} at {line.rate} a second"
        )
        if asked_variable:
            yield "a variable frame rate was asked for: these times cannot be kept as they are"
        usual = timeline.plan_rate(presented, line.timebase)
        if line.rate < usual:
            yield f"for most of the time it stands still: {line.rate} a second instead of {usual}"


def _gaps(line: Timeline, presented: Sequence[int]) -> Iterator[str]:
    least = max(Fraction(_MUCH * median_delta(presented)), LONG_S / line.timebase)
    gaps = [
        (after - before, before) for before, after in pairwise(presented) if after - before > least
    ]
    if gaps:
        ticks, before = max(gaps)
        at_s = (before - line.origin) * line.timebase
        many = f"{len(gaps)} gaps, the longest" if len(gaps) > 1 else "a gap"
        yield (
            f"{many} of {_said(ticks * line.timebase)} s at {_said(at_s)} s: "
            "the picture before it stands still"
        )


def _said(value: Fraction) -> str:
    """With at most three decimals."""
    return f"{float(value):.3f}".rstrip("0").rstrip(".")
