"""Where a source needed many bits, an encode takes long; all together it is as many frames."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.media.cutting import timeline
from functions.media.cutting.effort import Effort, weights
from functions.media.cutting.timeline import Timeline
from functions.media.cutting.windows import Chunk
from functions.media.source.index import Packet, Packets

SEGMENT = 25


def track(sizes: list[int], *, delta: int = 1, group: int = SEGMENT) -> tuple[Packets, Timeline]:
    """A packet a frame, a keyframe of 9000 bytes first in each group."""
    packets = Packets.of(
        Packet(n * delta, n * delta, n * 10_000, 9000 if n % group == 0 else size, n % group == 0)
        for n, size in enumerate(sizes)
    )
    presented = [packet.pts for packet in packets]
    return packets, timeline.plan(presented, Fraction(1, 25 * delta), segment_s=1)


@given(st.lists(st.integers(1, 5000), min_size=2, max_size=300))
def test_the_effort_of_all_chunks_is_that_of_the_film(sizes: list[int]) -> None:
    packets, line = track(sizes)
    effort = Effort(line, weights(packets, line))
    edges = [*range(0, line.frames, SEGMENT), line.frames]
    chunks = [Chunk(*edge) for edge in pairwise(edges)]
    assert sum(map(effort.of, chunks)) == pytest.approx(line.frames)
    assert effort.of(Chunk(0, line.frames)) == pytest.approx(line.frames)


def test_twice_the_bits_are_less_than_twice_the_work() -> None:
    packets, line = track([1000] * 50 + [2000] * 50)
    still, moving = (
        Effort(line, weights(packets, line)).of(Chunk(first, first + 50)) for first in (0, 50)
    )
    assert moving / still == pytest.approx(2**0.5, rel=0.01)


def test_keyframes_tell_nothing() -> None:
    packets, line = track([1000] * 100, group=1)
    assert weights(packets, line) == ()
    assert Effort(line, ()).of(Chunk(25, 75)) == 50


def test_pictures_that_stand_still_do_not_move_the_work_of_later_ones() -> None:
    # Ten seconds of pictures 3 s apart, then ten at 25 a second, the second half of it hard.
    times = [0, 3000, 6000, 9000, *range(10_000, 20_000, 40)]
    packets = Packets.of(
        Packet(ticks, ticks, ticks, 4000 if ticks >= 15_000 else 1000, ticks == 0)
        for ticks in times
    )
    line = timeline.plan(times, Fraction(1, 1000), segment_s=5, variable=True)
    assert line.variable
    *_, easy, hard = weights(packets, line)
    assert hard / easy == pytest.approx(2, rel=0.01)


def test_no_segment_is_taken_for_much_harder_than_another() -> None:
    packets, line = track([1] * 50 + [100_000] * 50)
    assert min(weights(packets, line)) == 0.5
    assert max(weights(packets, line)) <= 2.0


def test_a_resampled_source_is_weighed_where_its_frames_are_shown() -> None:
    ticks = [n * 40 + (2000 if n >= 50 else 0) for n in range(100)]
    packets = Packets.of(
        Packet(at, at, n * 1000, 100 if n < 50 else 900, n == 0) for n, at in enumerate(ticks)
    )
    line = timeline.plan(ticks, Fraction(1, 1000), segment_s=1)
    assert not line.constant
    found = weights(packets, line)
    assert len(found) == line.segments
    assert found[0] < 1 < found[-1]
