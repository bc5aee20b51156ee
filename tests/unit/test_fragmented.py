"""What an encoder's output tells by its boxes, and that damaged ones only raise ValueError."""

from __future__ import annotations

import itertools
import struct
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from functions.media.streams import fragmented
from tests.clips import ffmpeg
from tests.corpus.atoms import box

VIDEO = (
    *("-f", "lavfi", "-i", "testsrc2=s=128x72:r=25:d=2.4"),
    *("-c:v", "libx264", "-preset", "veryfast", "-g", "25", "-keyint_min", "25", "-bf", "2"),
    *("-sc_threshold", "0", "-flags:v", "+cgop", "-pix_fmt", "yuv420p"),
    *("-video_track_timescale", "90000", "-use_editlist", "0"),
    *("-movflags", "+cmaf+frag_keyframe+delay_moov+frag_discont+skip_trailer", "-f", "mp4"),
)
SOUND = (
    *("-f", "lavfi", "-i", "sine=frequency=440:sample_rate=48000:d=2.4", "-c:a", "aac"),
    *("-frag_duration", "990000", "-movflags", "+cmaf+delay_moov+skip_trailer", "-f", "mp4"),
)


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("fragmented") / "video.mp4"
    ffmpeg(*VIDEO, str(path))
    return path.read_bytes()


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("fragmented") / "sound.mp4"
    ffmpeg(*SOUND, str(path))
    return path.read_bytes()


def test_a_video_file_is_an_init_and_a_fragment_a_segment(video: bytes) -> None:
    read = fragmented.read(video)
    assert (read.init.codecs[:5], read.init.timescale, read.init.edits) == ("avc1.", 90000, ())
    assert video[read.init.start : read.init.stop][4:8] == b"ftyp"
    assert [
        (each.decode_time, each.samples, each.duration, each.sync, each.first_composition_offset)
        for each in read.fragments
    ] == [(0, 25, 90000, True, 0), (90000, 25, 90000, True, 0), (180000, 10, 36000, True, 0)]


def test_the_codec_is_what_the_decoder_configuration_says(video: bytes, sound: bytes) -> None:
    at = video.index(b"avcC") + 4
    assert fragmented.read(video).init.codecs == f"avc1.{video[at + 1 : at + 4].hex()}"
    assert fragmented.read(sound).init.codecs == "mp4a.40.2"


def test_the_parts_cover_the_file_without_a_gap(video: bytes, sound: bytes) -> None:
    for data in (video, sound):
        read = fragmented.read(data)
        edges = [(read.init.start, read.init.stop)]
        edges += [(each.start, each.stop) for each in read.fragments]
        assert edges[0][0] == 0
        assert edges[-1][1] == len(data)
        assert all(one[1] == two[0] for one, two in itertools.pairwise(edges))


def test_sound_has_an_edit_list_that_skips_the_priming(sound: bytes) -> None:
    read = fragmented.read(sound)
    assert [edit.media_time for edit in read.init.edits] == [1024]
    assert read.fragments[0].decode_time == 0
    assert sum(each.duration for each in read.fragments) == 1024 + 115_200


def test_what_precedes_a_fragment_belongs_to_it(video: bytes) -> None:
    read = fragmented.read(video)
    styp = box(b"styp", b"msdh" + bytes(4))
    second = read.fragments[1].start
    changed = fragmented.read(video[:second] + styp + video[second:])
    assert changed.fragments[0] == read.fragments[0]
    assert changed.fragments[1] == replace(
        read.fragments[1], stop=read.fragments[1].stop + len(styp)
    )


def test_a_memory_map_reads_like_bytes(video: bytes, tmp_path: Path) -> None:
    import mmap

    (tmp_path / "video.mp4").write_bytes(video)
    with (
        (tmp_path / "video.mp4").open("rb") as opened,
        mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ) as mapped,
    ):
        assert fragmented.read(mapped) == fragmented.read(video)


def test_every_truncation_is_refused_or_ends_at_a_fragment(video: bytes) -> None:
    whole = fragmented.read(video)
    ends = {whole.init.stop} | {each.stop for each in whole.fragments}
    for stop in range(0, len(video), 7):
        if stop in ends:
            continue
        with pytest.raises(ValueError):
            fragmented.read(video[:stop])
    for stop in ends:
        assert fragmented.read(video[:stop]).init == whole.init


@pytest.mark.parametrize(
    "data",
    [
        b"",
        box(b"moov"),
        box(b"ftyp"),
        box(b"ftyp") + box(b"moov"),
        box(b"ftyp") + box(b"moov", box(b"trak") * 2),
        box(b"ftyp") + struct.pack(">I4s", 4, b"moov"),
        box(b"ftyp") + struct.pack(">I4sQ", 1, b"moov", 1 << 63),
        box(b"ftyp") * 200_000,
    ],
)
def test_what_is_no_such_file_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError):
        fragmented.read(data)


def test_a_moof_without_its_mdat_is_refused(video: bytes) -> None:
    read = fragmented.read(video)
    last = read.fragments[-1]
    size = int.from_bytes(video[last.start : last.start + 4], "big")
    with pytest.raises(ValueError, match="mdat"):
        fragmented.read(video[: last.start + size])


def test_a_run_of_four_billion_samples_is_counted_not_walked(video: bytes) -> None:
    read = fragmented.read(video)
    data = bytearray(video)
    trun = data.index(b"trun", read.fragments[0].start)
    struct.pack_into(">II", data, trun + 4, 0, 0xFFFF_FFFF)
    assert fragmented.read(data).fragments[0].samples == 0xFFFF_FFFF


@settings(max_examples=300, deadline=None)
@given(changes=st.lists(st.tuples(st.integers(0, 1 << 20), st.integers(0, 255)), max_size=8))
def test_damaged_boxes_raise_nothing_but_value_errors(
    video: bytes, sound: bytes, changes: list[tuple[int, int]]
) -> None:
    for original in (video, sound):
        read = fragmented.read(original)
        # The payload of mdat is not looked at: damage what is.
        data = bytearray(original[: read.fragments[0].start + 400])
        for at, value in changes:
            data[at % len(data)] = value
        data += original[len(data) :]
        try:
            fragmented.read(data)
        except ValueError:
            continue


@settings(max_examples=200, deadline=None)
@given(data=st.binary(max_size=400))
def test_noise_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError):
        fragmented.read(box(b"ftyp") + data)
