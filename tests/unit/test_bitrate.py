from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.media.encoding.rendition import AudioRendition, VideoRendition
from functions.media.streams.bitrate import average_bps, declared_bps, peak_bps, steady_bps
from functions.media.streams.segment import Segment, Stored, Track


def track(*segments: tuple[int, int]) -> Track:
    """From bytes and milliseconds of each segment."""
    made, start = [], 0
    for number, (size_bytes, duration_ticks) in enumerate(segments):
        stored = Stored(key=f"{number}", size_bytes=size_bytes, sha256="")
        made.append(
            Segment(
                number=number, stored=stored, start_ticks=start,
                duration_ticks=duration_ticks, frames=1,
            )
        )  # fmt: skip
        start += duration_ticks
    init = Stored(key="init", size_bytes=800, sha256="")
    return Track(rendition="720p", codecs="", timescale=1000, init=init, segments=tuple(made))


def test_the_average_is_all_bits_over_all_time() -> None:
    assert average_bps(track((1000, 4000), (500, 1000))) == 2400
    assert average_bps(track((1, 3000))) == 3  # 2.67, rounded up


def test_the_peak_is_that_of_the_worst_whole_segment() -> None:
    assert peak_bps(track((1000, 4000), (3000, 4000), (1000, 4000)), target_duration_s=4) == 6000


def test_a_short_last_segment_alone_is_no_peak() -> None:
    # 0.04 s is less than half a target duration; with its neighbour it is 4.04 s.
    assert peak_bps(track((1000, 4000), (1000, 40)), target_duration_s=4) == 3961


def test_short_segments_count_together() -> None:
    four = track((1000, 1000), (1000, 1000), (5000, 1000), (1000, 1000))
    # Two segments (2 s) are the fewest that count.
    assert peak_bps(four, target_duration_s=4) == 24_000


def test_a_track_shorter_than_half_the_target_has_its_average_as_peak() -> None:
    assert peak_bps(track((100, 500)), target_duration_s=4) == 1600


@given(
    sizes=st.lists(st.integers(1, 10_000), min_size=1, max_size=12),
    last_ticks=st.integers(1, 4000),
)
def test_the_steady_rate_brings_every_segment_in_time(sizes: list[int], last_ticks: int) -> None:
    made = track(*((size, 4000) for size in sizes[:-1]), (sizes[-1], last_ticks))
    rate, buffer_s = steady_bps(made, buffer_s=Fraction(4)), Fraction(4)
    for first in range(len(sizes)):
        bits, due_s = 0, buffer_s
        for segment in made.segments[first:]:
            bits += 8 * segment.stored.size_bytes
            assert bits <= rate * due_s
            due_s += Fraction(segment.duration_ticks, 1000)


def test_what_is_declared_before_the_end_comes_from_the_settings() -> None:
    picture = VideoRendition(
        name="720p", width=1280, height=720, preset="medium", crf=23,
        maxrate_bps=3_000_000, bufsize_bits=4_000_000,
    )  # fmt: skip
    sound = AudioRendition(
        name="audio-1", track=1, language="en", layout="stereo", group="stereo",
        sample_rate=48000, bitrate_bps=128_000, samples=1, origin=0,
        timebase_num=1, timebase_den=48000,
    )  # fmt: skip
    assert declared_bps(picture, window_s=4) == 4_200_000
    assert declared_bps(sound, window_s=4) == 134_400


def test_no_track_is_measured_by_its_init_segment() -> None:
    assert average_bps(track((1000, 4000))) == pytest.approx(2000)
