"""Pictures come out in their colours, and say so."""

from __future__ import annotations

import cmath
import math
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

from eventing.errors import Rejected
from functions.media.source.sidedata import DolbyVision
from functions.planning import pictures
from tests.clips import ffmpeg, joined
from tests.films import STREAM
from tests.integration.corners import LOSSLESS, corners, numbers, quarters, same
from tests.planning import Drawn
from tests.real_media import media_file

SDR = {
    # What is made of red, green, blue and black: filters, options; what it comes out as.
    "hd": ("scale=out_color_matrix=bt709,setparams=colorspace=bt709,format=yuv420p", (), "bt709"),
    "sd": (
        "scale=out_color_matrix=bt601,setparams=colorspace=smpte170m,format=yuv420p",
        (),
        "smpte170m",
    ),
    "full": (
        "scale=out_color_matrix=bt709:out_range=pc,setparams=colorspace=bt709:range=pc,"
        "format=yuv420p",
        (),
        "bt709",
    ),
    "unnamed": ("scale=out_color_matrix=bt601,format=yuv420p,setparams=colorspace=unknown", (),
                "smpte170m"),
    "10-bit": (
        "scale=out_color_matrix=bt709,setparams=colorspace=bt709,format=yuv420p10le",
        (),
        "bt709",
    ),
    "4:2:2": ("scale=out_color_matrix=bt709,setparams=colorspace=bt709,format=yuv422p", (),
              "bt709"),
    "4:4:4": ("scale=out_color_matrix=bt709,setparams=colorspace=bt709,format=yuv444p", (),
              "bt709"),
    "rgb": ("format=gbrp", ("-c:v", "libx264rgb", "-qp", "0"), "bt709"),
    "alpha": (
        "scale=out_color_matrix=bt709,setparams=colorspace=bt709,format=yuva444p10le",
        ("-c:v", "prores_ks", "-profile:v", "4444"),
        "bt709",
    ),
    "jpeg": ("format=yuvj420p", ("-c:v", "mjpeg", "-q:v", "2"), "bt470bg"),
}  # fmt: skip


@pytest.mark.parametrize("name", sorted(SDR))
def test_colours_come_out_as_they_went_in(name: str, tmp_path: Path) -> None:
    filters, options, matrix = SDR[name]
    clip = corners(tmp_path / "clip.mov", *LOSSLESS, *options, filters=filters)
    drawn = Drawn.of(clip, tmp_path)
    output = drawn.plan.picture.output
    assert output.matrix == matrix
    coefficients = "bt709" if matrix == "bt709" else "smpte170m"
    other = "smpte170m" if matrix == "bt709" else "bt709"
    found = quarters(drawn)
    assert same(found, coefficients, within=6)
    assert not same(found, other, within=6)
    made = drawn.encoded()
    assert (made["pix_fmt"], made["color_range"]) == ("yuv420p", "tv")
    assert (made["color_space"], made["color_primaries"], made["color_transfer"]) == (
        output.matrix,
        output.primaries,
        output.transfer,
    )


def test_wide_colours_become_those_of_television(tmp_path: Path) -> None:
    made = "zscale=pin=bt709:tin=bt709:min=gbr:rin=full:p=bt2020:t=bt709:m=bt2020nc:r=tv"
    named = "setparams=colorspace=bt2020nc:color_primaries=bt2020:color_trc=bt709"
    clip = corners(tmp_path / "clip.mov", *LOSSLESS, filters=f"{made},format=yuv420p10le,{named}")
    drawn = Drawn.of(clip, tmp_path)
    assert same(quarters(drawn), "bt709", within=8)
    assert any("BT.709" in note for note in drawn.plan.notes)


def greys(path: Path, transfer: str, *, x265: str = "") -> Path:
    """Bars of grey light of 0, 50, 100, 203 and 1000 nits, as numbers of that curve."""
    signals = {
        "smpte2084": (0, 0.4403, 0.5081, 0.5807, 0.7518),
        "arib-std-b67": (0, 0.3885, 0.5, 0.75, 1.0),
    }
    bars = [
        f"color=black:s=32x64:r=25:d=0.2,format=yuv420p10le,"
        f"geq=lum={round(64 + 876 * signal)}:cb=512:cr=512[{at}]"
        for at, signal in enumerate(signals[transfer])
    ]
    named = f"setparams=range=tv:colorspace=bt2020nc:color_primaries=bt2020:color_trc={transfer}"
    inputs = "".join(f"[{at}]" for at in range(len(bars)))
    graph = f"{';'.join(bars)};{inputs}hstack=inputs={len(bars)},{named}[x]"
    codec = (
        "-c:v",
        "libx265",
        "-preset",
        "ultrafast",
        "-x265-params",
        f"log-level=none:crf=4{x265}",
    )
    ffmpeg("-filter_complex", graph, "-map", "[x]", *codec, "-tag:v", "hvc1", f"file:{path}")
    return path


def bars(drawn: Drawn) -> list[int]:
    width, height = drawn.plan.video[0].width, drawn.plan.video[0].height
    data = drawn.pixels(drawn.whole())
    return [data[height // 2 * width + width * (2 * at + 1) // 10] for at in range(5)]


@pytest.mark.parametrize("transfer", ["smpte2084", "arib-std-b67"])
def test_high_dynamic_range_becomes_standard_with_white_where_it_belongs(
    transfer: str, tmp_path: Path
) -> None:
    drawn = Drawn.of(greys(tmp_path / "clip.mp4", transfer), tmp_path)
    assert drawn.plan.picture.tone in ("pq", "hlg")
    black, *middle, white, brightest = bars(drawn)
    assert abs(black - 16) <= 2
    # A white sheet is bright, and there is room for what is brighter.
    assert 185 <= white <= 210
    assert white + 15 <= brightest <= 236
    assert all(before + 10 < after for before, after in pairwise([black, *middle, white]))
    made = drawn.encoded()
    assert {made["color_space"], made["color_primaries"], made["color_transfer"]} == {"bt709"}
    assert "light" not in made["side_data"].lower()
    assert "mastering" not in made["side_data"].lower()


@pytest.mark.parametrize(("claimed", "used"), [(50, 400), (900, 900), (10_000, 4000)])
def test_a_peak_is_believed_within_reason(claimed: int, used: int, tmp_path: Path) -> None:
    told = f":hdr10=1:max-cll={claimed},10"
    drawn = Drawn.of(greys(tmp_path / "clip.mp4", "smpte2084", x265=told), tmp_path)
    assert drawn.plan.picture.peak_nits == used


def test_dolby_vision_without_a_base_that_others_show_is_refused() -> None:
    with pytest.raises(Rejected, match="profile 5"):
        pictures.colors(replace(STREAM, dolby_vision=DolbyVision(5, 0)))
    based = replace(STREAM, dolby_vision=DolbyVision(8, 4))
    assert pictures.colors(based).transfer == "arib-std-b67"


def test_pictures_that_change_their_colours_keep_them_in_every_chunk(tmp_path: Path) -> None:
    parts = []
    for number, matrix in enumerate(("bt709", "smpte170m")):
        part = corners(
            tmp_path / f"{number}.ts",
            *(*LOSSLESS, "-g", "5", "-pix_fmt", "yuv420p", "-color_range", "tv"),
            *("-colorspace", matrix, "-color_primaries", matrix, "-color_trc", matrix),
            *("-output_ts_offset", str(number * 0.4)),
            filters=f"scale=out_color_matrix={matrix}:out_range=tv,format=yuv420p",
        )
        parts.append(part)
    drawn = Drawn.of(joined(parts, tmp_path), tmp_path)
    assert drawn.plan.picture.named
    for start, stop in ((0, 5), (8, 12), (12, 15), (15, 20)):
        assert same(quarters(drawn, drawn.chunk(start, stop)), "bt709"), start
    sums = [*drawn.sums(drawn.chunk(0, 12)), *drawn.sums(drawn.chunk(12, 20))]
    assert sums == drawn.sums(drawn.whole())


def test_chunks_say_the_same_of_their_colours_whatever_the_source_says_there(
    tmp_path: Path,
) -> None:
    parts = []
    for number, colors in enumerate(("bt709", "smpte170m")):
        part = tmp_path / f"{number}.ts"
        named = f"setparams=colorspace={colors}:color_primaries={colors}:color_trc={colors}"
        ffmpeg(
            *("-f", "lavfi", "-i", "testsrc2=s=160x96:r=25:d=1", "-vf", f"{named},format=yuv420p"),
            *("-c:v", "libx264", "-preset", "ultrafast", "-g", "25"),
            *("-output_ts_offset", str(number), f"file:{part}"),
        )
        parts.append(part)
    drawn = Drawn.of(joined(parts, tmp_path), tmp_path)
    line = drawn.plan.timeline
    assert line is not None
    heads = [
        drawn.run(drawn.chunk(start, stop), *ENCODED)[:400].partition(b"\x00\x00\x01\x06")[0]
        for start, stop in ((0, 20), (28, line.frames))
    ]
    # Both parameter sets, up to the encoder's own message.
    assert heads[0] == heads[1]
    assert b"\x00\x00\x01" in heads[0]


ENCODED = ("-c:v", "libx264", "-preset", "ultrafast", "-bsf:v", "filter_units=pass_types=1-8",
           "-f", "h264", "-")  # fmt: skip
CHART = {
    # The third row of the chart in sRGB of eight bits, as its makers publish it.
    "blue": (56, 61, 150),
    "green": (70, 148, 73),
    "red": (175, 54, 60),
    "yellow": (231, 199, 31),
    "magenta": (187, 86, 149),
    "cyan": (8, 133, 161),
}
PATCHES = (0.148, 0.276, 0.408, 0.538, 0.668, 0.80)
"""Where the chart's columns are in the picture, of its width."""


@pytest.mark.media
def test_a_chart_filmed_in_high_dynamic_range_has_its_colours(tmp_path: Path) -> None:
    drawn = Drawn.of(media_file("real/hlg10-color-test.mp4"), tmp_path)
    width, height = drawn.plan.video[0].width, drawn.plan.video[0].height
    data = drawn.pixels(drawn.chunk(0, 1))

    def chroma(x: float, y: float) -> complex:
        at = int(y * height / 2) * (width // 2) + int(x * width / 2)
        size = width * height
        return complex(data[size + at] - 128, data[size * 5 // 4 + at] - 128)

    for x, (name, rgb) in zip(PATCHES, CHART.items(), strict=True):
        found = chroma(x, 0.568)
        wanted = complex(*(each - 128 for each in numbers([c / 255 for c in rgb], "bt709")[1:]))
        turned = abs(math.degrees(cmath.phase(found / wanted)))
        assert turned < 20, (name, found, wanted)
        # Phones film in stronger colours; other primaries taken for these would be weaker.
        assert abs(found) > abs(wanted), (name, found, wanted)
    for x in PATCHES[:5]:
        assert abs(chroma(x, 0.786)) < 8
