from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.media.encoding.rendition import AudioRendition, Layout, VideoRendition
from functions.media.streams import hls
from functions.media.streams.segment import Segment, Stored, Track

RATE = Fraction(30000, 1001)


def stored(rendition: str, name: str, size_bytes: int = 500) -> Stored:
    return Stored(key=f"media/job/{rendition}/{name}", size_bytes=size_bytes, sha256="0" * 64)


def picture(name: str, *, height: int, kilobytes: tuple[int, ...]) -> tuple[VideoRendition, Track]:
    rendition = VideoRendition(
        name=name, width=height * 16 // 9, height=height, preset="medium", crf=23,
        maxrate_bps=height * 4000, bufsize_bits=height * 4000,
    )  # fmt: skip
    return rendition, track(name, "avc1.64001f", 30_000, 120_120, kilobytes)


def sound(
    number: int,
    *,
    language: str = "eng",
    layout: Layout = "stereo",
    kilobytes: tuple[int, int] = (64, 63),
) -> tuple[AudioRendition, Track]:
    surround = layout == "5.1"
    name = f"audio-{number}-surround" if surround else f"audio-{number}"
    rendition = AudioRendition(
        name=name, track=number, language=language, layout=layout,
        group="surround" if surround else "stereo",
        sample_rate=48000, bitrate_bps=128_000, samples=480_000, origin=0,
        timebase_num=1, timebase_den=48000,
    )  # fmt: skip
    return rendition, track(name, "mp4a.40.2", 48_000, 192_512, kilobytes)


def track(
    name: str, codecs: str, timescale: int, duration_ticks: int, kilobytes: tuple[int, ...]
) -> Track:
    return Track(
        rendition=name,
        codecs=codecs,
        timescale=timescale,
        init=stored(name, "init-cafe.mp4"),
        segments=tuple(
            Segment(
                number=number,
                stored=stored(name, f"{number:05d}-beef.m4s", 1000 * size),
                start_ticks=number * duration_ticks,
                duration_ticks=duration_ticks,
                frames=120,
            )
            for number, size in enumerate(kilobytes)
        ),
    )


def test_a_media_playlist_opens_without_segments() -> None:
    assert hls.opening(target_duration_s=4, init_uri="init-cafe.mp4") == (
        "#EXTM3U\n"
        "#EXT-X-VERSION:7\n"
        "#EXT-X-TARGETDURATION:4\n"
        "#EXT-X-MEDIA-SEQUENCE:0\n"
        "#EXT-X-PLAYLIST-TYPE:EVENT\n"
        '#EXT-X-MAP:URI="init-cafe.mp4"\n'
    )


def test_a_media_playlist_grows_at_its_end_and_ends() -> None:
    text = hls.opening(target_duration_s=4, init_uri="init-cafe.mp4")
    _, made = picture("720p", height=720, kilobytes=(500, 500))
    first, second = hls.segments_of(made)
    once = hls.grown(text, [first], ended=False)
    twice = hls.grown(once, [second, ("00002-last.m4s", Fraction(1, 3))], ended=True)
    assert once == text + "#EXTINF:4.004,\n00000-beef.m4s\n"
    assert twice == once + (
        "#EXTINF:4.004,\n00001-beef.m4s\n#EXTINF:0.333333333,\n00002-last.m4s\n#EXT-X-ENDLIST\n"
    )
    assert [hls.length(each) for each in (text, once, twice)] == [0, 1, 3]
    assert [hls.ended(each) for each in (text, once, twice)] == [False, False, True]


def test_what_ended_stays_as_it_is() -> None:
    text = hls.opening(target_duration_s=4, init_uri="init.mp4")
    over = hls.grown(text, [("a.m4s", Fraction(4))], ended=True)
    assert hls.grown(over, [], ended=True) == over
    with pytest.raises(ValueError, match="does not grow"):
        hls.grown(over, [("b.m4s", Fraction(4))], ended=True)


def test_a_segment_longer_than_the_target_is_refused() -> None:
    text = hls.opening(target_duration_s=4, init_uri="init.mp4")
    assert "#EXTINF:4.499," in hls.grown(text, [("a", Fraction(4499, 1000))], ended=False)
    for wrong in (Fraction(9, 2), Fraction(0)):
        with pytest.raises(ValueError, match="target duration is 4 s"):
            hls.grown(text, [("a", wrong)], ended=False)


@given(cuts=st.lists(st.integers(1, 3), max_size=6))
def test_how_a_playlist_grew_does_not_show(cuts: list[int]) -> None:
    segments = [(f"{n}.m4s", Fraction(n % 3 + 1, 7)) for n in range(sum(cuts))]
    text = hls.opening(target_duration_s=1, init_uri="init.mp4")
    at_once = hls.grown(text, segments, ended=True)
    for count in cuts:
        done = hls.length(text)
        text = hls.grown(text, segments[done : done + count], ended=False)
    assert hls.grown(text, [], ended=True) == at_once


@pytest.mark.parametrize(
    ("durations", "target"),
    [
        ([], 1), ([Fraction(1, 25)], 1), ([Fraction(4)], 4), ([Fraction(4004, 1000)], 4),
        ([Fraction(4), Fraction(9, 2)], 5),
    ],
)  # fmt: skip
def test_the_target_is_what_the_longest_rounds_to(durations: list[Fraction], target: int) -> None:
    assert hls.target_duration_s(durations) == target


def test_the_multivariant_playlist_says_all_that_players_choose_by() -> None:
    text = hls.master(
        [
            picture("720p", height=720, kilobytes=(1500, 2000)),
            picture("360p", height=360, kilobytes=(500, 400)),
        ],
        [sound(1), sound(2, language="deu", layout="mono"), sound(3, language="eng")],
        rate=RATE,
        target_duration_s=4,
    )
    assert text == (
        "#EXTM3U\n"
        "#EXT-X-VERSION:7\n"
        "#EXT-X-INDEPENDENT-SEGMENTS\n"
        "\n"
        '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="audio-stereo",NAME="Audio 1 (en)",LANGUAGE="en",'
        'DEFAULT=YES,AUTOSELECT=YES,CHANNELS="2",URI="audio-1/playlist.m3u8"\n'
        '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="audio-stereo",NAME="Audio 2 (de)",LANGUAGE="de",'
        'DEFAULT=NO,AUTOSELECT=YES,CHANNELS="1",URI="audio-2/playlist.m3u8"\n'
        '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="audio-stereo",NAME="Audio 3 (en)",LANGUAGE="en",'
        'DEFAULT=NO,AUTOSELECT=NO,CHANNELS="2",URI="audio-3/playlist.m3u8"\n'
        "\n"
        "#EXT-X-STREAM-INF:BANDWIDTH=4123664,AVERAGE-BANDWIDTH=3623167,"
        'CODECS="avc1.64001f,mp4a.40.2",RESOLUTION=1280x720,FRAME-RATE=29.970,VIDEO-RANGE=SDR,'
        'AUDIO="audio-stereo"\n'
        "720p/playlist.m3u8\n"
        "#EXT-X-STREAM-INF:BANDWIDTH=1126661,AVERAGE-BANDWIDTH=1025764,"
        'CODECS="avc1.64001f,mp4a.40.2",RESOLUTION=640x360,FRAME-RATE=29.970,VIDEO-RANGE=SDR,'
        'AUDIO="audio-stereo"\n'
        "360p/playlist.m3u8\n"
    )


def test_an_early_multivariant_playlist_declares_what_the_settings_allow() -> None:
    text = hls.master(
        [picture("720p", height=720, kilobytes=(1500,))],
        [sound(1, language="und")],
        rate=RATE,
        target_duration_s=4,
        declared=True,
    )
    assert text.splitlines()[3:] == [
        "",
        '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="audio-stereo",NAME="Audio 1",DEFAULT=YES,AUTOSELECT=YES,'
        'CHANNELS="2",URI="audio-1/playlist.m3u8"',
        "",
        '#EXT-X-STREAM-INF:BANDWIDTH=3914400,CODECS="avc1.64001f,mp4a.40.2",RESOLUTION=1280x720,'
        'FRAME-RATE=29.970,VIDEO-RANGE=SDR,AUDIO="audio-stereo"',
        "720p/playlist.m3u8",
    ]


def test_pictures_without_sound_have_no_group() -> None:
    text = hls.master(
        [picture("360p", height=360, kilobytes=(500,))], [], rate=RATE, target_duration_s=4
    )
    assert "EXT-X-MEDIA:" not in text
    assert "AUDIO=" not in text
    assert 'CODECS="avc1.64001f",' in text


def test_sound_alone_is_its_own_variant() -> None:
    text = hls.master([], [sound(1)], rate=None, target_duration_s=4)
    assert text.splitlines()[3:] == [
        "",
        '#EXT-X-STREAM-INF:BANDWIDTH=127660,AVERAGE-BANDWIDTH=126663,CODECS="mp4a.40.2"',
        "audio-1/playlist.m3u8",
    ]


def test_several_sounds_alone_are_a_group_to_choose_from() -> None:
    text = hls.master([], [sound(1), sound(2, language="fra")], rate=None, target_duration_s=4)
    assert text.count("#EXT-X-MEDIA:") == 2
    assert text.count("#EXT-X-STREAM-INF:") == 1
    assert text.endswith('CODECS="mp4a.40.2",AUDIO="audio-stereo"\naudio-1/playlist.m3u8\n')


def test_nothing_is_no_presentation() -> None:
    with pytest.raises(ValueError, match="nothing to play"):
        hls.master([], [], rate=None, target_duration_s=4)


def test_a_playlist_tells_which_init_segment_it_is_of() -> None:
    text = hls.opening(target_duration_s=4, init_uri="init-0a.mp4")
    grown = hls.grown(text, [("00000-1b.m4s", Fraction(4))], ended=True)
    assert hls.init_of(text) == hls.init_of(grown) == "init-0a.mp4"
    assert hls.init_of("") == ""


def test_every_variant_is_there_once_a_group_with_the_sums_of_that_group() -> None:
    surround = sound(1, layout="5.1", kilobytes=(192, 190))
    text = hls.master(
        [
            picture("720p", height=720, kilobytes=(1500, 2000)),
            picture("360p", height=360, kilobytes=(500, 400)),
        ],
        [sound(1), surround, sound(2, language="deu")],
        rate=RATE,
        target_duration_s=4,
    )
    media = [line for line in text.splitlines() if line.startswith("#EXT-X-MEDIA:")]
    parts = [
        tuple(value in line for value in ('"audio-stereo"', "DEFAULT=YES", 'CHANNELS="6"'))
        for line in media
    ]
    assert parts == [
        (True, True, False),
        (True, False, False),
        (False, True, True),
        (False, False, False),
    ]
    # The second track has no 5.1: whoever wants its language finds it in either group.
    assert [line.rpartition("URI=")[2] for line in media] == [
        '"audio-1/playlist.m3u8"',
        '"audio-2/playlist.m3u8"',
        '"audio-1-surround/playlist.m3u8"',
        '"audio-2/playlist.m3u8"',
    ]
    assert [line.partition("NAME=")[2].split(",")[0] for line in media] == [
        '"Audio 1 (en)"',
        '"Audio 2 (de)"',
    ] * 2
    lines = text.splitlines()
    variants = [
        (lines[n + 1].split("/")[0], line.partition("AUDIO=")[2], bandwidth(line))
        for n, line in enumerate(lines)
        if line.startswith("#EXT-X-STREAM-INF:")
    ]
    more = bandwidth_of(surround) - bandwidth_of(sound(1))
    assert variants == [
        ("720p", '"audio-stereo"', 4123664),
        ("360p", '"audio-stereo"', 1126661),
        ("720p", '"audio-surround"', 4123664 + more),
        ("360p", '"audio-surround"', 1126661 + more),
    ]


def bandwidth(line: str) -> int:
    return int(line.partition(":BANDWIDTH=")[2].split(",")[0])


def bandwidth_of(made: tuple[AudioRendition, Track]) -> int:
    """Of a sound alone."""
    return bandwidth(hls.master([], [made], rate=None, target_duration_s=4).splitlines()[4])


def test_sound_alone_in_two_groups_is_two_variants() -> None:
    text = hls.master([], [sound(1), sound(1, layout="5.1")], rate=None, target_duration_s=4)
    assert text.count("#EXT-X-MEDIA:") == text.count("#EXT-X-STREAM-INF:") == 2
    assert 'AUDIO="audio-stereo"\naudio-1/playlist.m3u8\n' in text
    assert text.endswith('AUDIO="audio-surround"\naudio-1-surround/playlist.m3u8\n')


def test_what_a_multivariant_playlist_names_can_be_read_from_it() -> None:
    text = hls.master(
        [picture("360p", height=360, kilobytes=(500,))],
        [sound(1), sound(2)],
        rate=RATE,
        target_duration_s=4,
    )
    names = {"360p/playlist.m3u8", "audio-1/playlist.m3u8", "audio-2/playlist.m3u8"}
    assert hls.playlists_of(text) == names
    assert hls.playlists_of("") == set()


def test_of_frames_at_their_own_times_the_fastest_segment_tells_the_rate() -> None:
    rendition, made = picture("360p", height=360, kilobytes=(500, 500, 500))
    first, second, third = made.segments
    faster = replace(made, segments=(first, replace(second, frames=200), third))
    for track, told in ((made, "29.970"), (faster, "49.950")):
        text = hls.master([(rendition, track)], [], rate=Fraction(24), target_duration_s=4)
        assert f"FRAME-RATE={told}," in text
