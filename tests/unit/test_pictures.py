"""What is done to pictures, from what a source says and what a look found."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from eventing.errors import Rejected
from functions.media.encoding.rendition import VideoRendition
from functions.media.encoding.treatment import Colors, Crop, Treatment
from functions.media.source.sidedata import DolbyVision, Margins
from functions.media.source.stream import VideoStream
from functions.planning import pictures
from functions.planning.scan import Seen
from tests.films import STREAM

RUNG = VideoRendition(
    name="720p", width=1280, height=720, preset="fast", crf=23, maxrate_bps=1, bufsize_bits=1
)


def treated(seen: Seen | None = None, **facts: Any) -> Treatment:
    return pictures.treatment(replace(STREAM, **facts), [RUNG], seen)


def named(matrix: str, primaries: str, transfer: str) -> dict[str, Any]:
    return {
        "color_space": matrix,
        "color_primaries": primaries,
        "color_transfer": transfer,
    }


@pytest.mark.parametrize(
    ("facts", "matrix"),
    [
        ({}, "bt709"),
        ({"width": 640, "height": 360}, "smpte170m"),
        ({"width": 720, "height": 576}, "bt470bg"),
        ({"width": 640, "height": 360, "color_primaries": "bt709"}, "bt709"),
    ],
)
def test_colours_that_nobody_names_go_by_the_size(facts: dict[str, Any], matrix: str) -> None:
    assert treated(**facts).source.matrix == treated(**facts).output.matrix == matrix


@pytest.mark.parametrize(
    ("facts", "output"),
    [
        (named("bt709", "bt709", "bt709"), Colors()),
        (
            named("smpte170m", "bt470bg", "bt709"),
            Colors(matrix="smpte170m", primaries="bt470bg", transfer="bt709"),
        ),
        (named("gbr", "bt709", "iec61966-2-1"), Colors(transfer="iec61966-2-1")),
        (named("bt2020nc", "bt2020", "bt2020-10"), Colors()),
        (named("bt709", "smpte432", "bt709"), Colors()),
        (named("smpte240m", "smpte170m", "bt709"), Colors()),
        (named("bt2020nc", "bt2020", "smpte2084"), Colors()),
    ],
)
def test_what_televisions_know_is_kept_and_all_else_becomes_theirs(
    facts: dict[str, Any], output: Colors
) -> None:
    assert treated(**facts).output == output


@pytest.mark.parametrize(
    ("facts", "told"),
    [
        ({"color_range": "pc"}, "pc"),
        ({"pixel_format": "yuvj420p"}, "pc"),
        ({"pixel_format": "gbrp"}, "pc"),
        ({"color_range": "tv"}, "tv"),
        ({}, "tv"),
    ],
)
def test_the_range_goes_in_as_it_is_and_comes_out_limited(facts: dict[str, Any], told: str) -> None:
    assert (treated(**facts).source.range, treated(**facts).output.range) == (told, "tv")


@pytest.mark.parametrize(
    ("transfer", "tone", "peak_nits"), [("smpte2084", "pq", 1000), ("arib-std-b67", "hlg", 1000)]
)
def test_light_of_high_dynamic_range_is_mapped(transfer: str, tone: str, peak_nits: int) -> None:
    found = treated(color_transfer=transfer)
    assert (found.tone, found.peak_nits) == (tone, peak_nits)
    assert (found.source.matrix, found.source.primaries) == ("bt2020nc", "bt2020")
    assert found.costs == ("tonemap",)


@pytest.mark.parametrize(("told", "used"), [(0, 1000), (1, 400), (700, 700), (99_999, 4000)])
def test_the_peak_is_the_streams_the_looks_or_the_usual_within_reason(told: int, used: int) -> None:
    assert treated(color_transfer="smpte2084", peak_nits=told).peak_nits == used
    found = treated(Seen(peak_nits=told), color_transfer="smpte2084")
    assert found.peak_nits == used


@pytest.mark.parametrize(
    ("vision", "transfer"),
    [
        (DolbyVision(8, 1), "smpte2084"),
        (DolbyVision(8, 2), "bt709"),
        (DolbyVision(8, 4), "arib-std-b67"),
        (DolbyVision(7, 6), "smpte2084"),
    ],
)
def test_dolby_vision_is_seen_by_its_base(vision: DolbyVision, transfer: str) -> None:
    assert treated(dolby_vision=vision).source.transfer == transfer


def test_dolby_vision_without_a_base_is_refused() -> None:
    with pytest.raises(Rejected, match="Dolby Vision profile 5"):
        treated(dolby_vision=DolbyVision(5, 0))


def test_a_clean_aperture_is_cut_at_even_pixels() -> None:
    assert treated(crop=Margins(9, 3, 8, 0)).crop == Crop(left=8, top=2, width=1262, height=716)
    assert treated(crop=Margins(1, 0, 0, 0)).crop == Crop(left=0, top=0, width=1278, height=720)
    assert treated().crop is None


@pytest.mark.parametrize(
    ("rotation", "mirror", "site"),
    [
        (0, False, (0, 128)),
        (0, True, (256, 128)),
        (90, False, (128, 256)),
        (180, False, (256, 128)),
        (270, False, (128, 0)),
        (270, True, (128, 256)),
    ],
)
def test_chroma_turns_with_the_picture(rotation: int, mirror: bool, site: tuple[int, int]) -> None:
    found = treated(rotation=rotation, mirror=mirror)
    assert (found.chroma_x, found.chroma_y) == site


@pytest.mark.parametrize(
    ("facts", "seen", "words"),
    [
        ({}, Seen(parity="bff"), "bottom field first: deinterlaced"),
        ({}, Seen(flagged=True), "flagged interlaced"),
        ({}, Seen(sizes=frozenset({(1, 2), (3, 4)})), "changes its size"),
        ({}, Seen(aspects=frozenset({"1/1", "4/3"})), "shape of its pixels"),
        ({"color_transfer": "arib-std-b67"}, None, "HLG"),
        ({"color_primaries": "smpte432"}, None, "smpte432: converted"),
    ],
)
def test_what_is_odd_is_told_in_a_sentence(
    facts: dict[str, Any], seen: Seen | None, words: str
) -> None:
    (note,) = pictures.notes(treated(seen, **facts), seen)
    assert words in note


def test_ordinary_pictures_are_nothing_to_tell_of() -> None:
    video: VideoStream = STREAM
    plain = pictures.treatment(video, [RUNG], Seen(sizes=frozenset({(1280, 720)})))
    assert not list(pictures.notes(plain, Seen()))
    assert plain.costs == ()
    assert plain.beside == 0
