"""Whatever the source and the workers: the chunks are a cut, and their windows decode it."""

from __future__ import annotations

from fractions import Fraction

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from functions.media.cutting import timeline
from functions.media.cutting.chunks import MAX_TASK_MS, cut
from functions.media.cutting.cut import Costs
from functions.media.cutting.timeline import Timeline
from functions.media.cutting.windows import Chunk, Windows
from functions.media.source.index import Packet, Packets


@st.composite
def sources(draw: st.DrawFn) -> Packets:
    """A track as encoders write it: groups of pictures, each keyframe first in decode order,
    a few pictures reordered within the group, in open groups also in front of the keyframe."""
    ticks = draw(st.sampled_from([1, 3, 40]))
    shown: list[tuple[int, bool]] = []  # presentation number and sync, in decode order
    base = 0
    for _ in range(draw(st.integers(1, 6))):
        size = draw(st.integers(1, 12))
        leading = draw(st.integers(0, min(2, size - 1))) if shown else 0
        numbers = list(range(base, base + size))
        key = numbers.pop(leading)
        trailing = numbers[leading:]
        if len(trailing) > 2 and draw(st.booleans()):
            trailing[1:3] = trailing[2], trailing[1]
        shown.append((key, True))
        shown += [(number, False) for number in (*numbers[:leading], *trailing)]
        base += size
    hidden = draw(st.integers(0, min(3, len(shown) - 1)))
    return Packets.of(
        Packet((number - hidden) * ticks, row * ticks, 1000 * row, 900, sync, number >= hidden)
        for row, (number, sync) in enumerate(shown)
    )


LAW = settings(deadline=None)
TIMEBASES = st.sampled_from([Fraction(1, 25), Fraction(1, 90), Fraction(1, 1000)])
COSTS = st.builds(
    Costs,
    st.floats(0.1, 3000),
    st.floats(0, 50),
    st.floats(0, 500),
    st.builds(tuple, st.lists(st.floats(0, 10_000), max_size=3)),
)


def line_of(packets: Packets, timebase: Fraction) -> Timeline:
    presented = sorted(packet.pts for packet in packets if packet.shown)
    return timeline.plan(presented, timebase, segment_s=1)


def steady(frames: int, segment_frames: int) -> Timeline:
    return Timeline(
        timebase=Fraction(1, 90_000),
        origin=0,
        rate=Fraction(30),
        frames=frames,
        constant=True,
        timescale=90_000,
        segment_frames=segment_frames,
    )


@LAW
@given(
    st.integers(1, 20_000),
    st.integers(1, 240),
    COSTS,
    st.integers(1, 16),
    st.integers(1, 60),
    st.one_of(st.none(), st.integers(1, 50)),
)
def test_every_frame_is_in_one_chunk_on_the_grid(
    frames: int, segment: int, costs: Costs, workers: int, chunk_s: int, forced: int | None
) -> None:
    assume(frames / segment < 2000)
    line = steady(frames, segment)
    made = cut(line, costs, workers=workers, chunk_s=chunk_s, chunk_segments=forced)
    at = 0
    for chunk in made.chunks:
        assert chunk.start == at < chunk.stop
        assert chunk.start % segment == 0
        at = chunk.stop
    assert at == frames
    assert sorted(made.order) == sorted(
        [*range(len(made.chunks)), *(-1 - other for other in range(len(costs.others_ms)))]
    )
    assert made.order[0] == 0
    for chunk in made.chunks:
        if forced is not None:
            assert chunk.frames == segment * forced or chunk is made.chunks[-1]
        elif chunk.frames > segment:
            assert chunk.frames <= chunk_s * line.rate
            assert chunk.frames * costs.frame_ms + costs.start_ms <= MAX_TASK_MS + 1e-6
    if forced is None:
        assert made.chunks[0].frames <= 2 * segment


@LAW
@given(
    st.integers(300, 3000),
    st.floats(1, 60),
    st.integers(1, 8),
    st.lists(st.floats(0, 0.5), max_size=2),
)
def test_with_segments_enough_all_workers_end_together(
    segments: int, frame_ms: float, workers: int, shares: list[float]
) -> None:
    """Enough: a segment with its start is well below three hundredths of the wall."""
    line = steady(segments * 120, 120)
    video_ms = segments * 120 * frame_ms
    others = tuple(share * video_ms / workers for share in shares)
    costs = Costs(frame_ms, frame_ms / 10, 250.0, others)
    assume(120 * frame_ms + 250 <= 0.01 * video_ms / workers)
    made = cut(line, costs, workers=workers, chunk_s=60)
    assert made.idle_ms <= 0.03 * made.wall_ms


@LAW
@given(
    st.integers(1, 400),
    st.floats(1, 200),
    st.floats(0, 30),
    st.floats(0.01, 0.5),
    st.integers(1, 16),
    st.lists(st.floats(0, 10_000), max_size=2),
)
def test_the_lowest_rung_is_made_first_where_that_costs_little(
    segments: int,
    frame_ms: float,
    decode_ms: float,
    low: float,
    workers: int,
    others: list[float],
) -> None:
    line = steady(segments * 120, 120)
    early = low * frame_ms + decode_ms, (1 - low) * frame_ms
    costs = Costs(frame_ms, decode_ms, 250.0, tuple(others), early_ms=early)
    made = cut(line, costs, workers=workers, chunk_s=60)
    more_ms = 120 * decode_ms + 250
    assert made.early is (more_ms <= 0.01 * line.frames * frame_ms)
    first = [0, *sorted(made.order[1 : 1 + len(others)], key=lambda n: others[-1 - n] * -1)]
    assert [*made.order[: 1 + len(others)]] == first
    assert made.order.count(0) == 1 + made.early
    if made.early:
        assert made.order[1 + len(others)] == 0


@LAW
@given(
    st.integers(2, 60),
    st.lists(st.floats(1, 60), min_size=2, max_size=4),
    st.integers(1, 16),
)
def test_a_chunk_in_several_tasks_is_as_much_work_as_they_are(
    segments: int, parts: list[float], workers: int
) -> None:
    line = steady(segments * 120, 120)
    costs = Costs(sum(parts), 1.0, 250.0, parts_ms=tuple(parts))
    made = cut(line, costs, workers=workers, chunk_s=60)
    tasks = [250 + chunk.frames * part for chunk in made.chunks for part in parts]
    assert made.wall_ms >= max(sum(tasks) / workers, max(tasks)) * (1 - 1e-9)
    assert made.wall_ms <= sum(tasks) / workers + max(tasks) + 1e-6


@LAW
@given(sources(), TIMEBASES)
def test_a_window_starts_at_a_sync_sample_and_holds_what_its_frames_need(
    packets: Packets, timebase: Fraction
) -> None:
    line = line_of(packets, timebase)
    windows = Windows(packets, line)
    presented = windows.presented
    of_source = timeline.source_frames(line, presented)
    rows = {packet.pts: row for row, packet in enumerate(packets) if packet.shown}
    size = line.segment_frames
    for start in range(0, line.frames, size):
        chunk = Chunk(start, min(start + size, line.frames))
        window = windows.of(chunk)
        assert packets[window.first_packet].sync
        assert 0 <= window.first_packet < window.stop_packet <= len(packets)
        needed = [
            rows[presented[source]]
            for source in {of_source(frame) for frame in range(chunk.start, chunk.stop)}
        ]
        assert window.first_packet <= min(needed)
        assert max(needed) < window.stop_packet
        assert window.pre_roll <= min(needed) - window.first_packet
        # Everything in front of the window is shown before it, or is not shown at all.
        first = presented[of_source(chunk.start)]
        assert all(not each.shown or each.pts < first for each in packets[: window.first_packet])


@LAW
@given(sources(), TIMEBASES)
def test_the_trims_of_a_passthrough_share_out_the_frames(
    packets: Packets, timebase: Fraction
) -> None:
    line = line_of(packets, timebase)
    windows = Windows(packets, line)
    size = line.segment_frames
    chunks = [Chunk(start, min(start + size, line.frames)) for start in range(0, line.frames, size)]
    made = [windows.of(chunk) for chunk in chunks]
    if not line.constant:
        assert [(each.trim_start, each.trim_stop) for each in made] == [
            (chunk.start, chunk.stop) for chunk in chunks
        ]
        return
    for chunk, window in zip(chunks, made, strict=True):
        kept = [
            frame
            for frame, ticks in enumerate(windows.presented)
            if window.trim_start <= ticks < window.trim_stop
        ]
        assert kept == list(range(chunk.start, chunk.stop))


@settings(deadline=None, max_examples=12)
@given(st.integers(8, 400), st.integers(1, 6), st.floats(5, 200))
def test_a_common_source_is_hardly_read_twice(group: int, workers: int, frame_ms: float) -> None:
    """Ten minutes with keyframes at most sixteen seconds apart, from one to six workers."""
    frames, ticks = 15_000, 512
    packets = Packets.of(
        Packet(row * ticks, row * ticks, row * 1000, 1000, row % group == 0)
        for row in range(frames)
    )
    line = timeline.plan([n * ticks for n in range(frames)], Fraction(1, 25 * ticks), segment_s=4)
    windows = Windows(packets, line)
    assume(frame_ms * 15 * 100 <= MAX_TASK_MS)
    made = cut(line, Costs(frame_ms, 2.0, 250.0), workers=workers, chunk_s=60, windows=windows)
    read = sum(windows.bytes_of(windows.of(chunk)) for chunk in made.chunks)
    assert read <= 1.15 * windows.bytes
