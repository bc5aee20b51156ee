"""What is looked at of a source's pictures, and what the answers mean."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest

from functions.media.source.index import Packet, Packets
from functions.media.source.stream import VideoStream
from functions.planning import scan
from functions.planning.scan import Seen, Window
from tests.films import STREAM

FLAGGED = replace(STREAM, field_order="tt")


def packets(count: int = 1000, *, group: int = 50, size: int = 900, delta: int = 1) -> Packets:
    return Packets.of(
        Packet(n * delta, n * delta, n * size, size, n % group == 0) for n in range(count)
    )


def test_windows_start_with_sync_samples_all_over_the_track() -> None:
    found = scan.windows(STREAM, packets())
    assert [window.start for window in found] == [100, 350, 600, 850]
    assert {window.stop - window.start for window in found} == {scan.FRAMES + scan.MORE_PACKETS}
    # Half a group behind its sync sample, of 25 frames a second.
    assert found[0].seek_us == 5_000_000


def test_what_is_flagged_is_looked_at_more_often() -> None:
    assert len(scan.windows(FLAGGED, packets())) == 8


def test_one_group_of_pictures_is_looked_at_for_longer() -> None:
    (window,) = scan.windows(STREAM, packets(group=9999))
    assert (window.start, window.stop) == (0, 2 * scan.FRAMES + scan.MORE_PACKETS)


@pytest.mark.parametrize(
    ("video", "table"),
    [
        (replace(FLAGGED, height=1200), packets()),
        (replace(FLAGGED, height=180), packets()),
        (replace(FLAGGED, codec="vp9"), packets()),
        (replace(FLAGGED, timebase=Fraction(1, 60)), packets()),
    ],
)
def test_of_what_nobody_interlaces_single_pictures_are_looked_at(
    video: VideoStream, table: Packets
) -> None:
    found = scan.windows(video, table)
    assert len(found) == scan.WINDOWS
    assert {window.stop - window.start for window in found} == {1 + scan.MORE_PACKETS}
    argv = scan.argv(Path("ffmpeg"), "mov", Path("source"), video, found, pixels=1000)
    assert not any("idet" in word for word in argv)


@pytest.mark.parametrize(
    ("width", "height", "count"), [(2560, 1440, 4), (3840, 2160, 2), (7680, 4320, 1)]
)
def test_of_large_pictures_few_are_looked_at(width: int, height: int, count: int) -> None:
    video = replace(STREAM, width=width, height=height)
    assert len(scan.windows(video, packets())) == count


def test_nothing_is_nothing_to_look_at() -> None:
    assert scan.windows(STREAM, packets(0)) == ()


def test_no_more_is_read_than_may_be() -> None:
    found = scan.windows(FLAGGED, packets(size=2**20))
    assert 1 <= len(found) <= 2


@pytest.mark.parametrize(
    ("tff", "bff", "whole", "flagged", "parity"),
    [
        (20, 1, 5, False, "tff"),
        (1, 20, 5, False, "bff"),
        (0, 0, 30, True, ""),
        (2, 0, 0, False, ""),
        (10, 10, 0, False, ""),
        (5, 0, 16, False, ""),
        (5, 0, 16, True, "tff"),
    ],
)
def test_most_frames_that_tell_decide(
    tff: int, bff: int, whole: int, flagged: bool, parity: str
) -> None:
    assert scan.verdict(tff=tff, bff=bff, whole=whole, flagged=flagged) == parity


WINDOW = Window(0, 14, 100, 0)


def said(*words: str, first: int = 100) -> bytes:
    return "".join(
        f"frame:{n} pts:{first + n} pts_time:1\nlavfi.idet.single.current_frame={word}\n"
        for n, word in enumerate(words)
    ).encode()


def seen(stderr: str = "", **answers: bytes) -> Seen:
    return scan.read(
        lambda name: answers.get(name.removesuffix("-0"), b""), stderr, STREAM, [WINDOW]
    )


@pytest.mark.parametrize(
    ("fields", "upper", "lower", "parity"),
    [
        ("tff", "undetermined", "progressive", "tff"),
        ("bff", "progressive", "undetermined", "bff"),
        # Best where they are: whole, whatever the first question was answered.
        ("tff", "progressive", "progressive", ""),
        # Noise fits nowhere.
        ("tff", "undetermined", "undetermined", ""),
        ("bff", "undetermined", "progressive", ""),
    ],
)
def test_fields_are_two_pictures_where_they_fit_on_one_side_alone(
    fields: str, upper: str, lower: str, parity: str
) -> None:
    found = seen(fields=said(*[fields] * 9), upper=said(*[upper] * 9), lower=said(*[lower] * 9))
    assert found.parity == parity


def test_frames_before_the_sync_sample_do_not_count() -> None:
    late = seen(fields=said(*["tff"] * 20, first=90), lower=said(*["progressive"] * 20, first=90))
    assert late.parity == "tff"
    early = seen(fields=said(*["tff"] * 10, first=90), lower=said(*["progressive"] * 10, first=90))
    assert early.parity == ""


def test_sizes_and_light_are_read_from_the_log() -> None:
    log = " sar:1/1 s:320x240 i:P \n sar:1/1 s:160x120 i:P \n max_luminance=4000.000000\n"
    assert seen(log).sizes == {(320, 240), (160, 120)}
    assert seen(log).aspects == {"1/1"}
    assert seen(log).peak_nits == 4000
    assert seen(f"{log}MaxCLL=900, MaxFALL=400\n").peak_nits == 900


def test_an_answer_that_makes_no_sense_has_seen_nothing() -> None:
    assert seen("s:x MaxCLL=", fields=b"\xff\xfe frame pts:\nlavfi.idet=") == Seen()


def test_the_look_reads_the_local_copy_alone() -> None:
    argv = scan.argv(Path("ffmpeg"), "mov", Path("source"), STREAM, [WINDOW], pixels=1000)
    assert argv.count("-i") == argv.count("file:source") == argv.count("-protocol_whitelist") == 1
