from __future__ import annotations

from functools import reduce

import pytest

from functions.media.source import adts
from functions.media.source.adts import Format

STEREO = Format(1, 48000, 2)
SURROUND = Format(1, 48000, 6)


def frame(format: Format, *, size: int = 100, blocks: int = 1) -> bytes:
    """A frame of `size` bytes, header included, with this many blocks of 1024 samples."""
    index, channels = adts.RATES.index(format.rate), adts.CHANNELS.index(format.channels)
    fields = ((0xFFF1, 16), (format.profile, 2), (index, 4), (0, 1), (channels, 3), (0, 4),
              (size, 13), (0x7FF, 11), (blocks - 1, 2))  # fmt: skip
    header = reduce(lambda bits, field: bits << field[1] | field[0], fields, 0)
    return header.to_bytes(adts.HEADER_BYTES, "big") + bytes(size - adts.HEADER_BYTES)


def test_a_track_of_one_format_does_not_change() -> None:
    track = adts.read(frame(STEREO) * 94)
    assert (track.formats, track.changes) == ((STEREO,), False)
    assert track.seconds == pytest.approx(94 * 1024 / 48000)


def test_frames_of_several_blocks_last_as_long_as_all_of_them() -> None:
    assert adts.read(frame(STEREO, blocks=4) * 5).seconds == pytest.approx(20 * 1024 / 48000)


@pytest.mark.parametrize(
    ("formats", "layout", "rate"),
    [
        ((STEREO, SURROUND), "5.1", 48000),
        ((SURROUND, STEREO, SURROUND), "5.1", 48000),
        ((Format(1, 44100, 2), STEREO), "stereo", 48000),
        ((Format(1, 44100, 1), Format(1, 48000, 1)), "mono", 48000),
        ((Format(1, 48000, 1), STEREO), "stereo", 48000),
        ((STEREO, Format(1, 48000, 3)), "5.1", 48000),
        ((STEREO, Format(1, 48000, 8)), "5.1", 48000),
        ((STEREO, Format(1, 48000, 0)), "stereo", 48000),
        # What is said to be mono at half the rate may be heard in stereo, and at all of it.
        ((Format(1, 24000, 1), Format(1, 44100, 1)), "stereo", 48000),
        ((Format(0, 32000, 2), Format(1, 32000, 2)), "stereo", 32000),
    ],
)
def test_a_track_that_changes_has_room_for_each_of_its_formats(
    formats: tuple[Format, ...], layout: str, rate: int
) -> None:
    track = adts.read(b"".join(frame(each) * adts.LEAST_FRAMES for each in formats))
    assert track.formats == tuple(dict.fromkeys(formats))
    assert (track.changes, track.layout, track.rate) == (True, layout, rate)


def test_a_format_of_few_frames_is_damage() -> None:
    odd = frame(SURROUND) * (adts.LEAST_FRAMES - 1)
    assert adts.read(frame(STEREO) * 20 + odd + frame(STEREO) * 20).formats == (STEREO,)


@pytest.mark.parametrize(
    "garbage",
    [
        b"\xff",
        b"\xff\xf1",
        bytes(5000),
        b"\xff" * 5000,
        b"\xff\xf1" * 2500,
        frame(STEREO)[:50],
        frame(STEREO, size=8000)[:7],
        # A length of 0, one within the header, and a rate that there is none of.
        frame(STEREO)[:3] + bytes(60),
        frame(STEREO)[:4] + b"\x00\xff\xfc" + bytes(60),
        b"\xff\xf1\x7c\x80\x0c\x9f\xfc" + bytes(93),
    ],
)
def test_what_is_no_header_is_passed_over(garbage: bytes) -> None:
    track = adts.read(garbage + frame(STEREO) * 8 + garbage + frame(STEREO) * 8 + garbage)
    assert track.formats == (STEREO,)
    assert adts.read(garbage).formats == ()


def test_nothing_says_nothing() -> None:
    assert adts.read(b"") == adts.Track((), 0.0)


def test_a_torn_frame_at_the_end_does_not_count() -> None:
    assert adts.read((frame(STEREO) * 8)[:-1]) == adts.read(frame(STEREO) * 7)


def test_noise_is_given_up() -> None:
    noise = frame(STEREO)[:4] + bytes(1)
    track = adts.read(noise * (adts.MAX_SEARCHES + 10) + frame(STEREO) * 8)
    assert track.formats == ()
