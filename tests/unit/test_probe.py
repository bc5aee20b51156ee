from __future__ import annotations

import json
from contextlib import suppress
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from functions.media.source import probe, sidedata
from functions.media.source.index import Packet
from functions.media.source.probe import Unreadable
from functions.media.source.stream import Media

VIDEO = {
    "index": 0,
    "codec_type": "video",
    "codec_name": "h264",
    "width": 720,
    "height": 576,
    "sample_aspect_ratio": "16:15",
    "pix_fmt": "yuv420p",
    "field_order": "bt",
    "r_frame_rate": "25/1",
    "avg_frame_rate": "25/1",
    "time_base": "1/12800",
    "disposition": {"attached_pic": 0},
}
AUDIO = {
    "index": 1,
    "codec_type": "audio",
    "codec_name": "aac",
    "sample_rate": "48000",
    "channels": 6,
    "time_base": "1/48000",
    "start_pts": -1024,
    "duration_ts": 4800,
    "tags": {"language": "deu"},
}


def streams(*given: dict[str, object]) -> Media:
    return probe.read_streams(json.dumps({"streams": given}).encode())


def test_streams_become_typed_values() -> None:
    media = streams(VIDEO, AUDIO, {"index": 2, "codec_type": "data", "time_base": "1/600"})
    assert media.streams == 3
    (video,), (audio,) = media.video, media.audio
    assert (video.codec, video.width, video.height) == ("h264", 720, 576)
    assert video.sample_aspect == Fraction(16, 15)
    assert video.timebase == Fraction(1, 12_800)
    assert video.nominal_rate == 25
    assert (audio.channels, audio.sample_rate, audio.language) == (6, 48_000, "deu")
    assert (audio.start, audio.duration) == (-1024, 4800)


def test_a_stream_that_names_its_key_is_encrypted() -> None:
    assert not streams(VIDEO, AUDIO).encrypted
    assert streams(VIDEO, AUDIO | {"tags": {"enc_key_id": "AAAAAAAAAAAAAAAAAAAAAA=="}}).encrypted


def test_square_pixels_and_rotation_make_the_displayed_size() -> None:
    (upright,) = streams(VIDEO).video
    assert upright.display_width == 768
    assert upright.display_height == 576
    turned = VIDEO | {"side_data_list": [{"side_data_type": "Display Matrix", "rotation": -90}]}
    (portrait,) = streams(turned).video
    assert portrait.rotation == 270
    assert portrait.display_width == 576
    assert portrait.display_height == 768


@pytest.mark.parametrize(
    ("matrix", "turn"),
    [
        ((65536, 0, 0, 65536), (0, False)),
        ((0, 65536, -65536, 0), (270, False)),
        ((-65536, 0, 0, -65536), (180, False)),
        ((0, -65536, 65536, 0), (90, False)),
        ((-65536, 0, 0, 65536), (0, True)),
        ((65536, 0, 0, -65536), (180, True)),
        ((0, 65536, 65536, 0), (90, True)),
        ((0, -65536, -65536, 0), (270, True)),
        # Three degrees beside upright; and a matrix of nothing.
        ((65446, 3430, -3430, 65446), (0, False)),
        ((0, 0, 0, 0), (0, False)),
    ],
)
def test_a_matrix_tells_of_turns_and_mirrors(
    matrix: tuple[int, int, int, int], turn: tuple[int, bool]
) -> None:
    a, b, c, d = matrix
    rows = f"\n00000000: {a} {b} 0\n00000001: {c} {d} 0\n00000002: 70778880 0 1073741824\n"
    (video,) = streams(VIDEO | {"side_data_list": [{"displaymatrix": rows}]}).video
    assert (video.rotation, video.mirror) == turn


def test_a_clean_aperture_is_what_is_displayed() -> None:
    crop = {"side_data_type": "Frame Cropping", "crop_left": 8, "crop_right": 9, "crop_top": 0,
            "crop_bottom": 0}  # fmt: skip
    (video,) = streams(VIDEO | {"sample_aspect_ratio": "59:54", "side_data_list": [crop]}).video
    assert int(video.display_width) == 768
    (odd,) = streams(VIDEO | {"side_data_list": [crop | {"crop_left": 700}]}).video
    assert odd.crop == sidedata.Margins()


def test_light_and_dolby_vision_are_read_where_they_are_told() -> None:
    told = [
        {"side_data_type": "Mastering display metadata", "max_luminance": "40000000/10000"},
        {"dv_profile": 8, "dv_bl_signal_compatibility_id": 4},
    ]
    (video,) = streams(VIDEO | {"side_data_list": told}).video
    assert video.peak_nits == 4000
    assert video.dolby_vision == sidedata.DolbyVision(8, 4)
    (video,) = streams(VIDEO | {"side_data_list": [*told, {"max_content": 900}]}).video
    assert video.peak_nits == 900


@pytest.mark.parametrize("flag", ["attached_pic", "still_image", "timed_thumbnails"])
def test_a_cover_is_no_video(flag: str) -> None:
    assert streams(VIDEO | {"disposition": {flag: 1}}).video == ()


@pytest.mark.parametrize("aspect", ["0:1", "1:0", "N/A", "99999:1", "", "-1:1"])
def test_an_aspect_that_nobody_can_mean_counts_as_square(aspect: str) -> None:
    assert streams(VIDEO | {"sample_aspect_ratio": aspect}).video[0].sample_aspect == 1


@pytest.mark.parametrize("language", ["", "<b>", "../..", "x" * 40, "de de"])
def test_a_language_that_is_none_is_undetermined(language: str) -> None:
    assert streams(AUDIO | {"tags": {"language": language}}).audio[0].language == "und"


def test_a_stream_without_a_timebase_is_left_out() -> None:
    assert streams(VIDEO | {"time_base": "0/1"}).video == ()


@pytest.mark.parametrize("answer", [b"{", b"[]", b'{"streams": [{}]}', b'{"streams": 1}'])
def test_an_answer_that_makes_no_sense_is_unreadable(answer: bytes) -> None:
    with pytest.raises(Unreadable):
        probe.read_streams(answer)


@pytest.mark.parametrize(
    ("said", "number"), [("0x1", 1), ("0x1ff", 511), ("", 0), ("-0x1", 0), ("1", 0)]
)
def test_a_film_has_the_number_of_its_track_where_it_has_one(said: str, number: int) -> None:
    assert streams({**VIDEO, "id": said}).video[0].track == number


def test_no_answer_is_no_stream() -> None:
    assert probe.read_streams(b"").streams == 0


def test_packets_become_tables() -> None:
    tables = probe.read_packets(
        [
            b"0,-280,-321,78829,40852,KD_\n",
            b"0,40,-61,98274,357751,___,\n",
            b"1,0,N/A,10,0,K__\n",
            b"\n",
            b"2,N/A,0,9,N/A,K__\n",
        ]
    )
    assert list(tables[0].packets) == [
        Packet(-280, -321, 40_852, 78_829, True, False),
        Packet(40, -61, 357_751, 98_274, False, True),
    ]
    assert tables[0].complete and tables[0].located
    assert tables[1].packets[0].dts == 0
    assert not tables[2].complete
    assert not tables[2].located


@pytest.mark.parametrize(
    "answer",
    [b"0,a,0,1,0,K__\n", b"0,0,0,-1,0,K__\n", b"0,99999999999999999999,0,1,0,K__\n"],
    ids=["no number", "negative size", "beyond 64 bits"],
)
def test_packets_that_make_no_sense_are_unreadable(answer: bytes) -> None:
    with pytest.raises(Unreadable):
        probe.read_packets([answer])


@settings(deadline=None)
@given(st.binary(max_size=300))
def test_any_bytes_are_an_answer_or_unreadable(answer: bytes) -> None:
    with suppress(Unreadable):
        probe.read_streams(answer)
    with suppress(Unreadable):
        probe.read_packets(answer.splitlines(keepends=True))


def test_refusals_are_found_in_what_ffprobe_says() -> None:
    said = "[vvc @ 0x1] Codec (vvc) not on whitelist 'a,b'\n[x] Codec (srt) not on whitelist 'a'"
    assert probe.refused_codecs(said) == ("vvc", "srt")
    assert probe.too_large("Picture size 12336x12336 exceeds specified max") == (12336, 12336)
    assert probe.too_large("nothing of that kind") is None


def test_names_of_files_are_no_options() -> None:
    argv = probe.streams_argv(Path("/x/ffprobe"), "mov", Path("/y/-i"), pixels=10)
    assert argv[-2:] == ["-i", "file:/y/-i"]
    assert "-nofind_stream_info" not in argv
    refused = probe.packets_argv(Path("p"), "mov", Path("s"), pixels=1, refused=("vvc",))
    assert "-nofind_stream_info" in refused
    assert refused[refused.index("-codec_whitelist") + 1].endswith(",vvc")
