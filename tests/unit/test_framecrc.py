from __future__ import annotations

import pytest

from functions.media.source import framecrc

LISTED = """\
#extradata 0:        2, 0x00b200a1
#software: Lavf
#tb 0: 1/90000
#media_type 0: audio
#codec_id 0: aac_latm
#sample_rate 0: 48000
#channel_layout_name 0: stereo
#tb 1: 1/48000
#media_type 1: audio
#codec_id 1: ac3
#sample_rate 1: 32000
#channel_layout_name 1: 5.1(side)
0,       -900,       -900,     1920,      297, 0x91ac9061, S=1, MPEGTS Stream ID,  1, 0x00c000c0
1,          0,          0,     1536,      100, 0x91ac9061
0,       1020,       1020,     1920,      297, 0x91ac9061
"""


def test_each_track_says_its_codec_its_format_and_how_long_it_lasts() -> None:
    first, second = framecrc.read(LISTED.splitlines(keepends=True))
    assert (first.codec, first.rate, first.layout) == ("aac_latm", 48000, "stereo")
    assert first.seconds == pytest.approx(3840 / 90_000)
    assert (second.codec, second.rate, second.layout) == ("ac3", 32000, "5.1")
    assert second.seconds == pytest.approx(1536 / 48_000)


def test_a_track_without_packets_lasts_for_no_time() -> None:
    (track,) = framecrc.read(["#codec_id 0: aac\n"])
    assert (track.seconds, track.rate) == (0.0, 0)
    assert framecrc.read([]) == []


@pytest.mark.parametrize("line", ["0, 1", "1, 0, 0, 1, 1, 0", "0, x, 0, 1, 1, 0", "nonsense"])
def test_what_is_no_such_list_is_refused(line: str) -> None:
    with pytest.raises((ValueError, LookupError)):
        framecrc.read(["#codec_id 0: aac\n", line])


def test_tracks_are_numbered_one_after_the_other() -> None:
    with pytest.raises(ValueError, match="numbered"):
        framecrc.read(["#codec_id 1: aac\n"])
